//! The map reader: whatever is in the file, no look-up and no walk may leave it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollcall_nss::map::{Database, Found, HEADER, MAGIC, Map, Region, VERSION};
use rollcall_nss::record::{Key, Record};

fn touch(record: &Record<'_>) {
    let _ = (record.name(), record.id(), record.gids().count(), record.passwd_offsets(), record.member_count());
}

fuzz_target!(|bytes: &[u8]| {
    let mut words: Vec<u64> =
        bytes.chunks(8).map(|chunk| chunk.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))).collect();
    // The input starts behind the first three words, which are always right, and continues behind the header.
    let mut header = vec![0; HEADER / 8];
    let body = words.split_off(words.len().min(13));
    header[3..3 + words.len()].copy_from_slice(&words);
    header[16] = 2;
    header[17] = 64;
    header[18] = 64;
    header.extend(body);
    header[0] = MAGIC;
    header[1] = VERSION;
    header[2] = header.len() as u64 * 8;
    let Some(map) = Map::from_region(Region::from_words(header)) else { return };
    for key in [Key::UserName(b"ada"), Key::Uid(10_001), Key::GroupName(b"g"), Key::Gid(10_001)] {
        if let Found::Record(record) = map.find(&key) {
            assert!(record.answers(&key));
            touch(&record);
        }
    }
    for database in [Database::Passwd, Database::Group] {
        let mut at = 0;
        while let Some((record, next)) = map.next(database, at) {
            assert!(next > at);
            touch(&record);
            at = next;
        }
    }
});

//! The JSON reader: what it lets through keeps every rule, and can be written as a record and read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollcall_nss::contract;
use rollcall_nss::record::{self, Key, Record};
use rollcall_nss::rules::{IdRange, is_name};

fuzz_target!(|bytes: &[u8]| {
    let range = IdRange::default();
    if let Ok(user) = contract::user(bytes, &Key::UserName(b"ada"), range) {
        assert!(user.name == "ada" && range.contains(user.uid) && range.contains(user.gid));
        let bytes = record::user(&user, true).expect("a checked user fits");
        let record = Record::parse(&bytes).expect("what is written is read");
        assert!(record.passwd_offsets().is_some() && record.answers(&Key::Uid(user.uid)));
    }
    if let Ok(group) = contract::group(bytes, &Key::Gid(10_011), range) {
        assert!(is_name(group.name.as_bytes()));
        let bytes = record::group(&group).expect("a checked group fits");
        assert_eq!(Record::parse(&bytes).map(|record| record.member_count()), group.members.map(|members| members.len()));
    }
    let _ = contract::shadow(bytes, b"ada");
    let _ = contract::initgroups(bytes, b"ada", range);
    let _ = contract::entries_of_users(bytes, range);
    let _ = contract::entries_of_groups(bytes, range);
    let _ = contract::snapshot(bytes, range);
    let _ = contract::changes(bytes, range);
    let _ = (contract::is_not_found(bytes), contract::is_cursor_gone(bytes));
});

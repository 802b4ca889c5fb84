//! Tests of records: what is written is read back, and nothing else is believed.

use super::*;
use crate::contract::{Group, Shadow, State, User};
use proptest::prelude::*;

fn ada() -> User {
    User {
        id: "1".to_owned(),
        name: "ada".to_owned(),
        uid: 10_001,
        gid: 10_001,
        gecos: "Ada".to_owned(),
        home: "/home/ada".to_owned(),
        shell: "/bin/sh".to_owned(),
        gids: Some(vec![10_001, 10_010]),
        ..User::default()
    }
}

#[test]
fn a_user_is_read_back_as_written() {
    let bytes = user(&ada(), false).unwrap();
    let record = Record::parse(&bytes).unwrap();
    assert_eq!(
        (record.kind(), record.name(), record.id(), record.primary_gid()),
        (Kind::User, &b"ada"[..], 10_001, 10_001)
    );
    assert_eq!(record.gids().collect::<Vec<_>>(), [10_001, 10_010]);
    assert_eq!(record.strings(), b"ada\0*\0Ada\0/home/ada\0/bin/sh\0");
    assert_eq!(record.passwd_offsets(), Some([0, 4, 6, 10, 20]));
    assert!(record.answers(&Key::UserName(b"ada")) && record.answers(&Key::Uid(10_001)));
    assert!(
        !record.answers(&Key::GroupName(b"ada"))
            && !record.answers(&Key::Gid(10_001))
            && !record.answers(&Key::UserName(b"ad"))
    );
}

#[test]
fn ssh_keys_stand_behind_what_older_readers_look_at() {
    let keys = vec!["ssh-ed25519 AAAA one".to_owned(), "ssh-rsa BBBB two".to_owned()];
    let with_keys = User {
        ssh_keys: keys.clone(),
        ..ada()
    };
    let bytes = user(&with_keys, false).unwrap();
    let record = Record::parse(&bytes).unwrap();
    let read: Vec<&[u8]> = record.ssh_keys().collect();
    assert_eq!(read, keys.iter().map(String::as_bytes).collect::<Vec<_>>());
    assert_eq!(record.strings(), b"ada\0*\0Ada\0/home/ada\0/bin/sh\0");
    assert!(record.passwd_offsets().is_some());
    let plain = user(&ada(), false).unwrap();
    assert_eq!(Record::parse(&plain).unwrap().ssh_keys().count(), 0);
    for state in [State::Locked, State::Retired] {
        let bytes = user(
            &User {
                state,
                ..with_keys.clone()
            },
            false,
        )
        .unwrap();
        let record = Record::parse(&bytes).unwrap();
        assert_eq!((record.ssh_keys().count(), record.flags()), (0, NOT_LIVE), "{state:?}");
    }
}

#[test]
fn a_number_of_keys_that_lies_gives_no_line_that_was_not_written() {
    let mut bytes = user(&ada(), false).unwrap();
    bytes[30..32].copy_from_slice(&u16::MAX.to_le_bytes());
    assert_eq!(Record::parse(&bytes).unwrap().ssh_keys().count(), 0);
}

#[test]
fn a_password_field_sends_pam_to_the_shadow_entry_where_one_is_served_or_the_user_is_locked() {
    let field = |user: &User, served| {
        let bytes = super::user(user, served).unwrap();
        Record::parse(&bytes).unwrap().strings()[4]
    };
    assert_eq!(field(&ada(), false), b'*');
    assert_eq!(field(&ada(), true), b'x');
    assert_eq!(
        field(
            &User {
                state: State::Locked,
                ..ada()
            },
            false
        ),
        b'x'
    );
}

#[test]
fn a_name_that_was_taken_over_answers_by_uid_only() {
    let bytes = user(
        &User {
            by_uid_only: true,
            ..ada()
        },
        false,
    )
    .unwrap();
    let record = Record::parse(&bytes).unwrap();
    assert!(record.answers(&Key::Uid(10_001)) && !record.answers(&Key::UserName(b"ada")));
}

#[test]
fn negative_and_shadow_entries_are_read_back_as_written() {
    let bytes = negative(&Key::Gid(10_500), 1 << 40).unwrap();
    let record = Record::parse(&bytes).unwrap();
    assert!(record.answers(&Key::Gid(10_500)) && !record.answers(&Key::Uid(10_500)));
    assert_eq!(record.fresh_until(), 1 << 40);
    let locked = Shadow {
        name: "bob".to_owned(),
        password: "!".to_owned(),
        last_change: None,
        expire: Some(1),
    };
    let bytes = shadow(&locked).unwrap();
    let record = Record::parse(&bytes).unwrap();
    assert_eq!(
        (record.kind(), record.expire(), record.last_change()),
        (Kind::Shadow, 1, -1)
    );
    assert_eq!(record.strings(), b"bob\0!\0");
}

#[test]
fn a_group_without_a_member_list_is_no_record() {
    assert!(
        group(&Group {
            name: "g".to_owned(),
            gid: 10_000,
            ..Group::default()
        })
        .is_none()
    );
}

fn touch_everything(record: &Record<'_>) {
    let _ = (
        record.name(),
        record.id(),
        record.gids().count(),
        record.strings(),
        record.passwd_offsets(),
    );
    let _ = (
        record.member_count(),
        record.expire(),
        record.fresh_until(),
        record.answers(&Key::UserName(b"ada")),
    );
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some(record) = Record::parse(&bytes) {
            touch_everything(&record);
        }
    }

    #[test]
    fn no_damage_to_a_record_makes_a_reader_panic(place in 0..88_usize, value: u8, place2 in 0..88_usize, value2: u8) {
        let mut bytes = user(&ada(), true).unwrap();
        let length = bytes.len();
        bytes[place % length] = value;
        bytes[place2 % length] = value2;
        if let Some(record) = Record::parse(&bytes) {
            touch_everything(&record);
        }
    }
}

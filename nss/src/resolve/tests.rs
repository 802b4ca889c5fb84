//! Tests of the resolver's files and answers.

use super::*;
use proptest::prelude::*;

#[test]
fn hosts_are_found_whatever_their_case_and_comments_are_not() {
    let text = "127.0.0.1 localhost\n10.0.0.1\trollcall.example rc # old 10.0.0.9\n::1 localhost\nnonsense rc\n# 10.0.0.2 rc\n";
    assert_eq!(in_hosts(text, "RC."), ["10.0.0.1".parse::<IpAddr>().unwrap()]);
    assert_eq!(in_hosts(text, "localhost").len(), 2);
    assert!(in_hosts(text, "old").is_empty());
}

#[test]
fn names_are_tried_in_the_order_of_the_c_library() {
    let settings = Settings::parse(
        "search a.example b.example\nnameserver 10.0.0.53\noptions edns0 ndots:2\nnameserver nonsense\n",
    );
    assert_eq!(settings.servers, ["10.0.0.53".parse::<IpAddr>().unwrap()]);
    assert_eq!(settings.candidates("x.y"), ["x.y.a.example", "x.y.b.example", "x.y"]);
    assert_eq!(
        settings.candidates("x.y.z"),
        ["x.y.z", "x.y.z.a.example", "x.y.z.b.example"]
    );
    assert_eq!(settings.candidates("x."), ["x"]);
}

fn question() -> Vec<u8> {
    [&[9, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], b"\x01a\0", &[0, 1, 0, 1]].concat()
}

fn answer(code: u8, records: &[u8], count: u8) -> Vec<u8> {
    let head = [9, 9, 0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0];
    [&head[..], b"\x01a\0", &[0, 1, 0, 1], records].concat()
}

#[test]
fn addresses_are_read_behind_an_alias() {
    let records = [
        &[0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 2, 0xc0, 12][..],
        &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 7],
    ]
    .concat();
    let found = parse_dns_answer(&answer(0, &records, 2), &question(), 1)
        .unwrap()
        .unwrap();
    assert_eq!(found, ["10.0.0.7".parse::<IpAddr>().unwrap()]);
    assert!(
        parse_dns_answer(&answer(3, &[], 0), &question(), 1)
            .unwrap()
            .unwrap()
            .is_empty()
    );
    assert!(parse_dns_answer(&answer(2, &[], 0), &question(), 1).unwrap().is_err());
}

#[test]
fn an_answer_to_another_question_is_not_ours() {
    let mut other = answer(0, &[], 0);
    other[0] = 8;
    assert!(parse_dns_answer(&other, &question(), 1).is_none());
    let mut other = answer(0, &[], 0);
    other[13] = b'b';
    assert!(parse_dns_answer(&other, &question(), 1).is_none());
}

proptest! {
    #[test]
    fn no_answer_makes_the_resolver_panic(records in prop::collection::vec(any::<u8>(), 0..100), count: u8) {
        let _ = parse_dns_answer(&answer(0, &records, count), &question(), 1);
        let _ = parse_dns_answer(&records, &question(), 28);
    }
}

//! A live directory that answers as Active Directory does: long lists in parts, and values that are not UTF-8.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use super::desk::Desk;

/// Members per answer.
const PART: usize = 3;

/// Members of the large group.
const MEMBERS: usize = 8;

/// Type, length and value of BER.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82], &length[..], content].concat()
}

fn entry(dn: &str, attributes: &[(&str, Vec<Vec<u8>>)]) -> Vec<u8> {
    let attributes: Vec<u8> = attributes
        .iter()
        .flat_map(|(name, values)| {
            let values: Vec<u8> = values.iter().flat_map(|value| tlv(0x04, value)).collect();
            tlv(0x30, &[tlv(0x04, name.as_bytes()), tlv(0x31, &values)].concat())
        })
        .collect();
    tlv(0x64, &[tlv(0x04, dn.as_bytes()), tlv(0x30, &attributes)].concat())
}

fn text(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn contains(request: &[u8], words: &str) -> bool {
    request.windows(words.len()).any(|window| window == words.as_bytes())
}

/// The members from `first` on, as one answer has them.
fn part(first: usize) -> (String, Vec<Vec<u8>>) {
    let end = (first + PART).min(MEMBERS);
    let last = if end == MEMBERS {
        "*".to_owned()
    } else {
        (end - 1).to_string()
    };
    let members = (first..end)
        .map(|number| format!("uid=u{number},dc=x").into_bytes())
        .collect();
    (format!("member;range={first}-{last}"), members)
}

/// What the directory answers a search: a user for users, groups for groups, the next part of a list.
fn found(request: &[u8]) -> Vec<Vec<u8>> {
    let group = |name: &str, gid: &str, (range, members): (String, Vec<Vec<u8>>)| {
        let class = ("objectClass", text(&["group"]));
        let numbers = [
            ("cn", text(&[name])),
            ("gidNumber", text(&[gid])),
            (range.as_str(), members),
        ];
        entry(&format!("cn={name},dc=x"), &[&[class], &numbers[..]].concat())
    };
    if contains(request, ";range=") {
        let asked = (1..MEMBERS)
            .find(|first| contains(request, &format!(";range={first}-*")))
            .unwrap();
        // The part that was there already, over and over.
        let first = if contains(request, "cn=stuck") { 0 } else { asked };
        vec![group("any", "1", part(first))]
    } else if contains(request, "posixGroup") && contains(request, "dc=stuck") {
        vec![group("stuck", "41501", part(0))]
    } else if contains(request, "posixGroup") {
        vec![group("big", "41500", part(0))]
    } else {
        vec![entry(
            "cn=Smith,dc=x",
            &[
                ("objectClass", text(&["user"])),
                ("sAMAccountName", text(&["jsmith"])),
                ("uidNumber", text(&["41001"])),
                ("unixHomeDirectory", vec![b"/srv/h\xe9/jsmith".to_vec()]),
            ],
        )]
    }
}

fn answer(stream: &mut TcpStream) -> std::io::Result<()> {
    loop {
        let mut head = [0; 2];
        stream.read_exact(&mut head)?;
        let mut length = vec![0; usize::from(head[1] & 0x7f)];
        let length = if head[1] < 0x80 {
            usize::from(head[1])
        } else {
            stream.read_exact(&mut length)?;
            length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
        };
        let mut message = vec![0; length];
        stream.read_exact(&mut message)?;
        let (id, request) = message.split_at(2 + usize::from(message[1]));
        let done = |tag| tlv(0x30, &[id, &tlv(tag, b"\x0a\x01\0\x04\0\x04\0")].concat());
        let reply = match request[0] {
            0x60 => done(0x61),
            0x63 => {
                let entries = found(request)
                    .into_iter()
                    .flat_map(|entry| tlv(0x30, &[id, &entry].concat()));
                entries.chain(done(0x65)).collect()
            }
            _ => return Ok(()),
        };
        stream.write_all(&reply)?;
    }
}

/// A directory that lives as long as the test binary.
fn directory() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // A client that hangs up ends the conversation, whichever way it does.
            let _ = answer(&mut stream.unwrap());
        }
    });
    address
}

#[tokio::test]
async fn a_list_that_comes_in_parts_is_fetched_to_its_end_or_refused() {
    let desk = Desk::open().await;
    let passwd: Vec<_> = (0..MEMBERS)
        .map(|number| format!("u{number}:x:{0}:{0}::/home/u:/bin/sh\n", 42_000 + number))
        .collect();
    desk.imported("user", "passwd", &desk.file("passwd", passwd.concat()));
    let uri = format!("ldap://{}", directory());
    let import = |base: &str| {
        let arguments = ["group", "import", "--ldap-uri", &uri, "--ldap-base", base];
        desk.rollcall(&[&arguments[..], &["--output", "json"]].concat())
    };
    let stuck = import("dc=stuck");
    assert_eq!(stuck.code, 3, "{}", stuck.stdout);
    assert_eq!(stuck.json()["faults"][0]["attribute"], "member", "{}", stuck.stdout);
    assert_eq!(import("dc=x").succeeded().json()["created"], 1);
    assert_eq!(desk.exported("group", "group").lines().count(), MEMBERS + 1);
    assert!(
        desk.exported("group", "group")
            .contains("big:x:41500:u0,u1,u2,u3,u4,u5,u6,u7\n"),
        "{}",
        desk.exported("group", "group")
    );
    desk.close().await;
}

#[tokio::test]
async fn a_value_that_is_not_utf_8_is_a_fault_with_its_attribute() {
    let desk = Desk::open().await;
    let uri = format!("ldap://{}", directory());
    let arguments = [
        "user",
        "import",
        "--ldap-uri",
        &uri,
        "--ldap-base",
        "dc=x",
        "--output",
        "json",
    ];
    let outcome = desk.rollcall(&arguments);
    assert_eq!(outcome.code, 3, "{}", outcome.stdout);
    let fault = &outcome.json()["faults"][0];
    assert_eq!(
        (&fault["line"], &fault["attribute"]),
        (&1.into(), &"unixHomeDirectory".into()),
        "{fault}"
    );
    assert_eq!(desk.exported("user", "passwd"), "");
    desk.close().await;
}

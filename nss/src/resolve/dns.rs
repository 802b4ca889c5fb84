//! One DNS question over UDP (RFC 1035), and reading an answer that nobody vouches for.

use super::ADDRESSES_MAX;
use crate::hash::random;
use crate::net::{above_stdio, wait};
use rustix::event::PollFlags;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, connect, recv, send, socket_with};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// Type of an IPv4 address (RFC 1035 §3.2.2).
pub const A: u16 = 1;
/// Type of an IPv6 address (RFC 3596).
pub const AAAA: u16 = 28;
/// Most resource records of an answer that are looked at.
const RECORDS_MAX: usize = 64;
const HEAD: usize = 12;

/// Asks `server` for addresses of `name`; an empty list = it says there are none.
pub fn ask(server: SocketAddr, name: &str, kind: u16, deadline: Instant) -> io::Result<Vec<IpAddr>> {
    let mut id = [0; 2];
    random(&mut id);
    let question = question(id, name, kind).ok_or(io::ErrorKind::InvalidInput)?;
    let family = if server.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = above_stdio(socket_with(family, SocketType::DGRAM, flags, None)?)?;
    connect(&socket, &server)?;
    send(&socket, &question, SendFlags::NOSIGNAL)?;
    let mut answer = [0; 1500];
    loop {
        wait(&socket, PollFlags::IN, deadline)?;
        let length = match recv(&socket, &mut answer, RecvFlags::DONTWAIT) {
            Ok((length, _)) => length,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => continue,
            Err(errno) => return Err(errno.into()),
        };
        // Anything but the answer to this very question is somebody else's: wait on.
        if let Some(found) = addresses(answer.get(..length).unwrap_or(&[]), &question, kind) {
            return found;
        }
    }
}

fn question(id: [u8; 2], name: &str, kind: u16) -> Option<Vec<u8>> {
    let mut bytes = id.to_vec();
    bytes.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|length| (1..=63).contains(length))?;
        bytes.push(length);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend_from_slice(&kind.to_be_bytes());
    bytes.extend_from_slice(&[0, 1]);
    (bytes.len() <= HEAD + 255 + 4).then_some(bytes)
}

/// The addresses in `answer`. None when it does not answer `question`; an error when the server could not.
pub fn addresses(answer: &[u8], question: &[u8], kind: u16) -> Option<io::Result<Vec<IpAddr>>> {
    let asked = question.get(HEAD..)?;
    let is_answer = answer.get(..2) == question.get(..2) && answer.get(2)? & 0x80 != 0;
    let echoed = answer.get(HEAD..HEAD + asked.len())?;
    if !is_answer || !echoed.eq_ignore_ascii_case(asked) {
        return None;
    }
    match answer.get(3)? & 0x0f {
        0 => {}
        3 => return Some(Ok(Vec::new())),
        _ => return Some(Err(io::ErrorKind::ConnectionAborted.into())),
    }
    let count = usize::from(u16::from_be_bytes([*answer.get(6)?, *answer.get(7)?]));
    let mut rest = answer.get(HEAD + asked.len()..)?;
    let mut found = Vec::new();
    for _ in 0..count.min(RECORDS_MAX) {
        let Some((this, data, after)) = record(rest) else { break };
        let address = match (this, data.len()) {
            (A, 4) => <[u8; 4]>::try_from(data).ok().map(IpAddr::from),
            (AAAA, 16) => <[u8; 16]>::try_from(data).ok().map(IpAddr::from),
            _ => None,
        };
        if this == kind && found.len() < ADDRESSES_MAX {
            found.extend(address);
        }
        rest = after;
    }
    Some(Ok(found))
}

/// Type, data and what follows of the resource record at the start of `bytes`. Names are stepped over, never followed.
fn record(mut bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    loop {
        match *bytes.first()? {
            0 => {
                bytes = bytes.get(1..)?;
                break;
            }
            length if length & 0xc0 == 0xc0 => {
                bytes = bytes.get(2..)?;
                break;
            }
            length if length & 0xc0 == 0 => bytes = bytes.get(usize::from(length) + 1..)?,
            _ => return None,
        }
    }
    let kind = u16::from_be_bytes([*bytes.first()?, *bytes.get(1)?]);
    let length = usize::from(u16::from_be_bytes([*bytes.get(8)?, *bytes.get(9)?]));
    let data = bytes.get(10..10 + length)?;
    Some((kind, data, bytes.get(10 + length..)?))
}

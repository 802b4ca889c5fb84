//! Asking the node agent over its socket: one connection, one message, one reply, within a deadline.
//!
//! A request is the operation's letter and the key (a name, or a decimal id). The reply is one letter; the record itself is then in the map,
//! only a shadow entry follows the letter, because it never goes into the map.

use crate::net::above_stdio;
use crate::record::Key;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout, socket_peercred};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, send, socket_with,
};
use std::time::{Duration, Instant};

/// The agent's socket.
pub const SOCKET_PATH: &str = "/run/rollcall/node.sock";
/// Deadline of a question, ms: a look-up is to end within a second, loading of the module and a busy machine included.
pub const LIMIT_MS: u64 = 900;
/// Longest request or reply, in bytes.
pub const MESSAGE_MAX: usize = 2048;

/// First byte of a reply.
pub mod reply {
    /// Look into the map again.
    pub const LOOK: u8 = b'L';
    /// There is none.
    pub const NONE: u8 = b'N';
    /// Cannot know now.
    pub const UNKNOWN: u8 = b'U';
    /// A shadow record follows.
    pub const SHADOW: u8 = b'S';
    /// Not for this peer.
    pub const DENIED: u8 = b'D';
    /// Lines of `key value` follow.
    pub const STATUS: u8 = b'T';
}

/// What the agent said.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// Look into the map again.
    Look,
    /// There is none.
    None,
    /// Cannot know now.
    Unknown,
    /// This message's body.
    Body(Vec<u8>),
    /// Nobody listens, or no one to be trusted.
    Absent,
    /// The agent is there but did not answer in time.
    Silent,
}

/// The request for `key`.
pub fn request(key: &Key<'_>) -> Vec<u8> {
    match *key {
        Key::UserName(name) => message(b'u', name),
        Key::Uid(id) => message(b'i', id.to_string().as_bytes()),
        Key::GroupName(name) => message(b'g', name),
        Key::Gid(id) => message(b'j', id.to_string().as_bytes()),
    }
}

/// The request for the shadow entry of `name`.
pub fn shadow_request(name: &[u8]) -> Vec<u8> {
    message(b's', name)
}

fn message(letter: u8, key: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(key.len() + 1);
    message.push(letter);
    message.extend_from_slice(key);
    message
}

/// Sends `request` to the socket at `path` and waits for the reply, `limit_ms` in all.
pub fn ask(path: &str, request: &[u8], limit_ms: u64) -> Reply {
    let deadline = Instant::now() + Duration::from_millis(limit_ms);
    exchange(path, request, deadline).unwrap_or_else(|errno| match errno {
        Errno::NOENT | Errno::CONNREFUSED | Errno::NOTDIR | Errno::PROTOTYPE => Reply::Absent,
        Errno::AGAIN | Errno::TIMEDOUT => Reply::Silent,
        // No descriptor, no memory, not allowed (a confined program): cannot know, and no reason to believe the agent gone.
        _ => Reply::Unknown,
    })
}

fn exchange(path: &str, request: &[u8], deadline: Instant) -> Result<Reply, Errno> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    let socket = above_stdio(socket)?;
    // A unix socket waits in connect and send for its peer's queue; this bounds both.
    set_socket_timeout(&socket, Timeout::Send, Some(left(deadline)?))?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    if !socket_peercred(&socket)?.uid.is_root() {
        return Ok(Reply::Absent);
    }
    send(&socket, request, SendFlags::NOSIGNAL)?;
    let mut buffer = [0; MESSAGE_MAX];
    let length = loop {
        let wait = left(deadline)?;
        let wait = Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(1),
            tv_nsec: wait.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(&socket, PollFlags::IN)], Some(&wait)) {
            Ok(0) => return Ok(Reply::Silent),
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(errno),
        }
        match recv(&socket, &mut buffer, RecvFlags::DONTWAIT) {
            Ok((length, _)) => break length,
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(errno) => return Err(errno),
        }
    };
    let reply = buffer.get(..length).unwrap_or(&[]);
    Ok(match reply.split_first() {
        Some((&reply::LOOK, _)) => Reply::Look,
        Some((&reply::NONE, _)) => Reply::None,
        Some((&(reply::SHADOW | reply::STATUS), body)) => Reply::Body(body.to_vec()),
        _ => Reply::Unknown,
    })
}

fn left(deadline: Instant) -> Result<Duration, Errno> {
    deadline
        .checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
        .ok_or(Errno::TIMEDOUT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::Uid;
    use rustix::net::{bind, listen};
    use rustix::thread::set_thread_res_uid;

    /// What is asked at a socket of `uid`'s that says `answer` to whoever asks.
    fn asked_of(uid: u32, answer: &'static [u8]) -> Reply {
        let path = std::env::temp_dir().join(format!("ask-{}-{uid}-{}", std::process::id(), answer.len()));
        let path = path.to_str().unwrap().to_owned();
        let _ = std::fs::remove_file(&path);
        let listener = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        bind(&listener, &SocketAddrUnix::new(path.as_str()).unwrap()).unwrap();
        let server = std::thread::spawn(move || {
            // This thread alone becomes somebody else, and the peer's credentials are those of whoever listens.
            let uid = Uid::from_raw(uid);
            set_thread_res_uid(uid, uid, uid).unwrap();
            listen(&listener, 1).unwrap();
            let peer = rustix::net::accept(&listener).unwrap();
            let _ = recv(&peer, &mut [0; 64], RecvFlags::empty());
            let _ = send(&peer, answer, SendFlags::NOSIGNAL);
        });
        // Refused until the thread listens.
        let mut reply = Reply::Absent;
        while reply == Reply::Absent && !server.is_finished() {
            reply = ask(&path, b"uada", 1000);
        }
        server.join().unwrap();
        std::fs::remove_file(path).unwrap();
        reply
    }

    #[test]
    fn only_an_agent_of_roots_is_believed() {
        assert_eq!(asked_of(0, b"N"), Reply::None);
        assert_eq!(asked_of(65534, b"N"), Reply::Absent);
    }

    #[test]
    fn an_answer_that_is_none_is_no_not_found() {
        assert_eq!(asked_of(0, b""), Reply::Unknown);
        assert_eq!(asked_of(0, b"nobody"), Reply::Unknown);
    }
}

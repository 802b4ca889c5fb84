//! Connected sockets with deadlines: never blocking for longer, never raising SIGPIPE, never on descriptors 0–2, never inherited by exec.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::fstat;
use rustix::io::{Errno, fcntl_dupfd_cloexec, ioctl_fionbio};
use rustix::net::sockopt::{Timeout, set_socket_timeout, set_tcp_nodelay, socket_error};
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv,
    send, sendmsg, socket_with,
};
use std::io::{self, IoSlice, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, IntoRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// Moves `socket` above the standard streams: a daemon that has closed those would write its messages into it.
pub fn above_stdio(socket: OwnedFd) -> Result<OwnedFd, Errno> {
    use std::os::fd::AsRawFd;
    if socket.as_raw_fd() > 2 {
        Ok(socket)
    } else {
        fcntl_dupfd_cloexec(&socket, 3)
    }
}

/// A connected stream socket.
#[derive(Debug)]
pub struct Stream {
    socket: OwnedFd,
    identity: (u64, u64),
}

impl Stream {
    /// Connects to a TCP address.
    pub fn tcp(address: SocketAddr, deadline: Instant) -> io::Result<Self> {
        let family = if address.is_ipv4() {
            AddressFamily::INET
        } else {
            AddressFamily::INET6
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = above_stdio(socket_with(family, SocketType::STREAM, flags, None)?)?;
        match connect(&socket, &address) {
            Ok(()) => {}
            Err(Errno::INPROGRESS | Errno::INTR) => {
                wait(&socket, PollFlags::OUT, deadline)?;
                socket_error(&socket)??;
            }
            Err(errno) => return Err(errno.into()),
        }
        set_tcp_nodelay(&socket, true)?;
        Self::connected(socket)
    }

    /// Connects to a unix socket.
    pub fn unix(path: &str, deadline: Instant) -> io::Result<Self> {
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        let socket = above_stdio(socket)?;
        // A full queue cannot be polled for; this time-out bounds the wait for a place in it.
        set_socket_timeout(&socket, Timeout::Send, Some(left(deadline)?))?;
        connect(&socket, &SocketAddrUnix::new(path)?)?;
        ioctl_fionbio(&socket, true)?;
        Self::connected(socket)
    }

    fn connected(socket: OwnedFd) -> io::Result<Self> {
        let identity = identity(&socket)?;
        Ok(Self { socket, identity })
    }

    /// Whether the descriptor is still this connection, and not something the program has opened on its number since.
    pub fn is_own(&self) -> bool {
        identity(&self.socket).is_ok_and(|now| now == self.identity)
    }

    /// Lets go of the descriptor without closing it: it is not ours any more.
    pub fn forget(self) {
        let _ = self.socket.into_raw_fd();
    }

    /// The stream as `Read` and `Write` until `deadline`.
    pub fn until(&self, deadline: Instant) -> Timed<'_> {
        Timed { stream: self, deadline }
    }
}

fn identity(socket: &OwnedFd) -> io::Result<(u64, u64)> {
    let meta = fstat(socket)?;
    Ok((meta.st_dev, meta.st_ino))
}

/// A stream whose reads and writes end by a deadline, with `TimedOut`.
#[derive(Debug)]
pub struct Timed<'a> {
    stream: &'a Stream,
    deadline: Instant,
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match recv(&self.stream.socket, &mut *buffer, RecvFlags::DONTWAIT) {
                Ok((length, _)) => return Ok(length),
                Err(Errno::AGAIN) => wait(&self.stream.socket, PollFlags::IN, self.deadline)?,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match send(&self.stream.socket, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(length) => return Ok(length),
                Err(Errno::AGAIN) => wait(&self.stream.socket, PollFlags::OUT, self.deadline)?,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// The records of a TLS flight leave in one packet, and wake the server once.
    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        loop {
            match sendmsg(&self.stream.socket, parts, &mut SendAncillaryBuffer::default(), flags) {
                Ok(length) => return Ok(length),
                Err(Errno::AGAIN) => wait(&self.stream.socket, PollFlags::OUT, self.deadline)?,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits until `socket` is ready for `what`.
pub fn wait(socket: impl AsFd, what: PollFlags, deadline: Instant) -> io::Result<()> {
    loop {
        let left = left(deadline)?;
        let left = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(1),
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(&socket, what)], Some(&left)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// What is left until `deadline`; `TimedOut` when nothing is.
pub fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline
        .checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero());
    left.ok_or_else(|| io::ErrorKind::TimedOut.into())
}

//! One connection to one address, plain or TLS.

use crate::http::{Request, Response, exchange};
use crate::net::{Stream, Timed};
use rustls::{ClientConfig, ClientConnection};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A connection that may be kept; dropping it closes it without a farewell.
#[derive(Debug)]
pub(super) struct Connection {
    /// Index of its address in the configuration.
    pub(super) address: usize,
    stream: Stream,
    tls: Option<Box<ClientConnection>>,
    used: Instant,
}

impl Connection {
    pub(super) fn unix(address: usize, path: &str, deadline: Instant) -> io::Result<Self> {
        Ok(Self {
            address,
            stream: Stream::unix(path, deadline)?,
            tls: None,
            used: Instant::now(),
        })
    }

    pub(super) fn tcp(
        address: usize,
        peer: SocketAddr,
        tls: Option<Arc<ClientConfig>>,
        host: &str,
        deadline: Instant,
    ) -> io::Result<Self> {
        let tls = tls
            .map(|tls| crate::tls::connection(tls, host))
            .transpose()?
            .map(Box::new);
        Ok(Self {
            address,
            stream: Stream::tcp(peer, deadline)?,
            tls,
            used: Instant::now(),
        })
    }

    pub(super) fn exchange(&mut self, request: &Request<'_>, deadline: Instant) -> io::Result<Response> {
        let mut timed = self.stream.until(deadline);
        let response = match &mut self.tls {
            Some(tls) => exchange(
                &mut Encrypted {
                    tls,
                    socket: &mut timed,
                },
                request,
            ),
            None => exchange(&mut timed, request),
        };
        self.used = Instant::now();
        response
    }

    pub(super) fn is_own(&self) -> bool {
        self.stream.is_own()
    }

    pub(super) fn idle(&self) -> Duration {
        self.used.elapsed()
    }

    /// Lets go of a descriptor that belongs to the program by now.
    pub(super) fn forget(self) {
        self.stream.forget();
    }
}

/// A TLS connection over a socket. What is written before the handshake is done waits in rustls, and leaves with the client's last words of it:
/// one packet and one wake-up of the server less. Nothing leaves before the server has shown its certificate.
struct Encrypted<'a, 's> {
    tls: &'a mut ClientConnection,
    socket: &'a mut Timed<'s>,
}

impl Read for Encrypted<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        rustls::Stream::new(self.tls, self.socket).read(buffer)
    }
}

impl Write for Encrypted<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.tls.is_handshaking() {
            self.tls.writer().write(bytes)
        } else {
            rustls::Stream::new(self.tls, self.socket).write(bytes)
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        rustls::Stream::new(self.tls, self.socket).flush()
    }
}

//! One connection to one address, plain or TLS.

use crate::http::{Request, Response, exchange};
use crate::net::Stream;
use rustls::{ClientConfig, ClientConnection};
use std::io;
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
            Some(tls) => exchange(&mut rustls::Stream::new(tls.as_mut(), &mut timed), request),
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

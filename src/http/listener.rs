//! Accepting connections: bounded in number and in the time a client may take, drained on request.

mod steady;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::state::State;
use super::tls::Certificates;
use steady::Steady;

/// Most header fields of one request.
const MAX_HEADERS: usize = 100;

/// Most bytes of a request's head.
const MAX_HEAD: usize = 64 * 1024;

/// The address a request came from; absent on a unix socket.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub Option<SocketAddr>);

impl Peer {
    /// For people: the address, or that there is none.
    pub(super) fn describe(self) -> String {
        self.0
            .map_or_else(|| "unix socket".to_owned(), |address| address.ip().to_string())
    }
}

/// How a listener treats its clients.
#[derive(Debug, Clone)]
pub struct Manners {
    /// The metric label.
    pub label: &'static str,
    /// Most connections at once; more wait in the kernel's queue.
    pub max_connections: usize,
    /// Longest time for a request's head, for the next request on a kept connection, and for a client that takes none of its answer.
    pub header_timeout: Duration,
    /// Longest time for finishing requests once draining.
    pub drain: Duration,
}

/// Serves `router` on a TCP listener until `stop` turns true, then drains.
pub async fn serve_tcp(
    listener: TcpListener,
    router: Router,
    certificates: Option<Arc<Certificates>>,
    manners: Manners,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(manners.max_connections));
    let graceful = GracefulShutdown::new();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            break;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: the next ones need a moment.
                tracing::warn!(listener = manners.label, %error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let stream = Steady::new(stream, manners.header_timeout);
        let (router, watcher, manners) = (router.clone(), graceful.watcher(), manners.clone());
        let acceptor = certificates
            .as_ref()
            .map(|certificates| TlsAcceptor::from(certificates.current()));
        tokio::spawn(async move {
            let peer = Peer(Some(peer));
            match acceptor {
                None => converse(stream, router, peer, &manners, watcher).await,
                Some(acceptor) => match tokio::time::timeout(manners.header_timeout, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => converse(stream, router, peer, &manners, watcher).await,
                    Ok(Err(error)) => tracing::debug!(listener = manners.label, %error, "TLS handshake failed"),
                    Err(_) => tracing::debug!(listener = manners.label, "TLS handshake took too long"),
                },
            }
            drop(place);
        });
    }
    drain(graceful, &manners).await;
}

/// Serves `router` on a unix socket until `stop` turns true, then drains.
pub async fn serve_unix(listener: UnixListener, router: Router, manners: Manners, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(manners.max_connections));
    let graceful = GracefulShutdown::new();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            break;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (router, watcher, manners) = (router.clone(), graceful.watcher(), manners.clone());
        tokio::spawn(async move {
            let stream = Steady::new(stream, manners.header_timeout);
            converse(stream, router, Peer(None), &manners, watcher).await;
            drop(place);
        });
    }
    drain(graceful, &manners).await;
}

/// Closes each connection after its answer once the replica drains, so that a balancer does not keep it for a request that
/// would come too late (RFC 9112 §9.6).
pub async fn part_while_draining(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if state.readiness.is_draining() {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Makes a unix socket at `path`, replacing one that nobody listens on. Connecting is allowed to everybody: what may be
/// read is decided by tokens.
pub fn bind_unix(path: &Path) -> std::io::Result<UnixListener> {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
    if std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket())
        && std::os::unix::net::UnixStream::connect(path).is_err()
    {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))?;
    Ok(listener)
}

async fn drain(graceful: GracefulShutdown, manners: &Manners) {
    if tokio::time::timeout(manners.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            listener = manners.label,
            "requests were still running at the end of the drain"
        );
    }
}

async fn converse<S>(
    stream: S,
    router: Router,
    peer: Peer,
    manners: &Manners,
    watcher: hyper_util::server::graceful::Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let router = router.clone();
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        async move {
            Ok::<_, Infallible>(match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            })
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(manners.header_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(listener = manners.label, %error, "a connection has ended early");
    }
}

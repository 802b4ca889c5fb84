//! A contract server: answers the read API from memory, and on request breaks it in every way a node has to survive. An instrument, not the service.

use super::store::Store;
use std::hash::{Hash, Hasher};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Tokens the server knows.
pub const USER_TOKEN: &str = "rc_user.secret";
/// The administrator's.
pub const ADMIN_TOKEN: &str = "rc_admin.secret";

/// What is wrong with the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Accepts and never answers.
    Silent,
    /// Closes at once.
    Hangup,
    /// Bytes that are not HTTP.
    Garbage,
    /// Announces more than it sends.
    HalfBody,
    /// Ten megabytes.
    Huge,
    /// 200 with a body that is not JSON.
    NotJson,
    /// 404 in somebody else's words.
    ForeignNotFound,
    /// 503.
    Unavailable,
    /// 401.
    Unauthorized,
    /// Another user than the one asked for.
    WrongUser,
}

impl Fault {
    /// By name, for the command line.
    pub fn named(name: &str) -> Option<Self> {
        let all = [
            ("none", Self::None),
            ("silent", Self::Silent),
            ("hangup", Self::Hangup),
            ("garbage", Self::Garbage),
            ("half-body", Self::HalfBody),
            ("huge", Self::Huge),
            ("not-json", Self::NotJson),
            ("foreign-not-found", Self::ForeignNotFound),
            ("unavailable", Self::Unavailable),
            ("unauthorized", Self::Unauthorized),
            ("wrong-user", Self::WrongUser),
        ];
        all.into_iter().find(|(word, _)| *word == name).map(|(_, fault)| fault)
    }

    /// All faults after which a node cannot know.
    pub const ALL: [Self; 10] = [
        Self::Silent,
        Self::Hangup,
        Self::Garbage,
        Self::HalfBody,
        Self::Huge,
        Self::NotJson,
        Self::ForeignNotFound,
        Self::Unavailable,
        Self::Unauthorized,
        Self::WrongUser,
    ];
}

/// A running server.
#[derive(Debug, Default)]
pub struct Server {
    /// What it answers from.
    pub store: Mutex<Store>,
    /// What is wrong with it.
    pub fault: Mutex<Fault>,
    /// Requests it has seen.
    pub requests: AtomicU64,
    /// Requests it has answered with 304.
    pub unchanged: AtomicU64,
    /// What `Rollcall-Node` said last.
    pub announced: Mutex<String>,
    /// Body bytes it has sent.
    pub bytes: AtomicU64,
    /// Certificate chain and key, to speak TLS.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

impl Server {
    /// Serves TCP in the background; returns the port.
    pub fn listen_tcp(self: &Arc<Self>, address: &str) -> u16 {
        let listener = TcpListener::bind(address).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Arc::clone(self);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = Arc::clone(&server);
                std::thread::spawn(move || server.tcp(stream));
            }
        });
        port
    }

    /// Serves a unix socket in the background.
    pub fn listen_unix(self: &Arc<Self>, path: &str) {
        let _ = std::fs::remove_file(path);
        let listener = UnixListener::bind(path).unwrap();
        let server = Arc::clone(self);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = Arc::clone(&server);
                std::thread::spawn(move || {
                    let mut stream: UnixStream = stream;
                    server.converse(&mut stream);
                });
            }
        });
    }

    fn tcp(&self, mut stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => self.converse(&mut stream),
            Some(config) => {
                let Ok(mut session) = rustls::ServerConnection::new(Arc::clone(config)) else {
                    return;
                };
                self.converse(&mut rustls::Stream::new(&mut session, &mut stream));
            }
        }
    }

    fn converse(&self, stream: &mut (impl Read + Write)) {
        let mut input = Vec::new();
        loop {
            let end = loop {
                if let Some(end) = input.windows(4).position(|window| window == b"\r\n\r\n") {
                    break end + 4;
                }
                let mut buffer = [0; 4096];
                match stream.read(&mut buffer) {
                    Ok(0) | Err(_) => return,
                    Ok(length) => input.extend_from_slice(&buffer[..length]),
                }
            };
            let head = String::from_utf8_lossy(&input[..end]).into_owned();
            input.drain(..end);
            self.requests.fetch_add(1, Relaxed);
            if self.answer(stream, &head).is_none() {
                return;
            }
        }
    }

    /// None = close the connection.
    fn answer(&self, stream: &mut (impl Read + Write), head: &str) -> Option<()> {
        let target = head.split(' ').nth(1)?;
        let token = head
            .lines()
            .find_map(|line| line.strip_prefix("Authorization: Bearer "))
            .unwrap_or("");
        if let Some(node) = head.lines().find_map(|line| line.strip_prefix("Rollcall-Node: ")) {
            node.clone_into(&mut self.announced.lock().unwrap());
        }
        let fault = *self.fault.lock().unwrap();
        let (mut status, mut body) = match fault {
            Fault::None => self.store.lock().unwrap().answer(target, token),
            Fault::Silent => {
                while *self.fault.lock().unwrap() == Fault::Silent {
                    std::thread::sleep(Duration::from_millis(20));
                }
                return None;
            }
            Fault::Hangup => return None,
            Fault::Garbage => {
                stream.write_all(b"\x00\x01\x02 this is no HTTP\r\n\r\n").ok()?;
                return None;
            }
            Fault::HalfBody => {
                let half = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n{\"age_ms\":0,\"user\":{";
                stream.write_all(half).ok()?;
                return None;
            }
            Fault::Huge => (200, "x".repeat(10 << 20)),
            Fault::NotJson => (200, "<html>hello</html>".to_owned()),
            Fault::ForeignNotFound => (404, "default backend - 404".to_owned()),
            Fault::Unavailable => (503, r#"{"error":"unavailable"}"#.to_owned()),
            Fault::Unauthorized => (401, r#"{"error":"unauthorized"}"#.to_owned()),
            Fault::WrongUser => (200, self.store.lock().unwrap().somebody_else(target)),
        };
        let etag = entity_tag(&body);
        let known = head.lines().find_map(|line| line.strip_prefix("If-None-Match: "));
        if status == 200 && known == Some(&etag) {
            self.unchanged.fetch_add(1, Relaxed);
            (status, body) = (304, String::new());
        }
        self.bytes.fetch_add(body.len() as u64, Relaxed);
        let cache = match status {
            200 | 304 => format!("Cache-Control: private, max-age=60, stale-if-error=86400\r\nETag: {etag}\r\n"),
            404 => "Cache-Control: private, max-age=5\r\n".to_owned(),
            _ => String::new(),
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{cache}\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).ok()?;
        stream.flush().ok()
    }
}

/// A strong `ETag` of `body` (RFC 9110 §8.8.3).
fn entity_tag(body: &str) -> String {
    let mut hasher = std::hash::DefaultHasher::new();
    body.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

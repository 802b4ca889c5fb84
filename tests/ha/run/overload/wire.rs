//! HTTP by hand, so cheap that the crowd's own work does not drown what it presses.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longest answer that is read, in bytes.
const ANSWER: usize = 64 * 1024;

/// How long a connection may lie idle and be used again: less than the balancer keeps it (`timeout client`), and no shorter than it need
/// be. Each that is given up holds its port for a minute, and once thousands are held connect(2) searches for one for milliseconds,
/// while answers lie unread.
const IDLE: Duration = Duration::from_secs(30);

/// Connections to one address, which keep being used while they last.
pub struct Wire {
    address: String,
    token: String,
    /// Since when each lies idle, the newest last.
    idle: Mutex<Vec<(Instant, TcpStream)>>,
}

impl Wire {
    /// Connects to `address` when there is something to send.
    pub fn new(address: &str, token: &str) -> Self {
        Self {
            address: address.to_owned(),
            token: token.to_owned(),
            idle: Mutex::default(),
        }
    }

    /// Sends `body` to `path` by POST and gives the status of the answer.
    pub async fn post(&self, path: &str, body: &str) -> std::io::Result<u16> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut stream = match idle {
            Some((since, stream)) if since.elapsed() < IDLE => stream,
            _ => TcpStream::connect(&self.address).await?,
        };
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            self.token,
            body.len()
        );
        stream.write_all(request.as_bytes()).await?;
        let (status, stays_open) = answer(&mut stream).await?;
        if stays_open {
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((Instant::now(), stream));
        }
        Ok(status)
    }
}

/// Reads one answer: its status, and whether the connection may be used again.
async fn answer(stream: &mut TcpStream) -> std::io::Result<(u16, bool)> {
    let mut answer = Vec::with_capacity(2048);
    while answer.len() < ANSWER {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let Some((status, length, stays_open)) = head(&answer) else {
            continue;
        };
        if answer.len() >= length {
            return Ok((status, stays_open));
        }
    }
    Err(std::io::ErrorKind::InvalidData.into())
}

/// Status, length of the whole answer, and whether the connection stays open; `None` while the head is not all there.
fn head(answer: &[u8]) -> Option<(u16, usize, bool)> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?.to_ascii_lowercase();
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let body: usize = field("content-length:").map_or(Some(0), |length| length.parse().ok())?;
    Some((status, end + 4 + body, field("connection:") != Some("close")))
}

//! HTTP by hand, for what no well-behaved client sends.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::service::Service;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection to a listener.
pub struct Wire(TcpStream);

impl Wire {
    /// Connects to the listener `label` of a service.
    pub async fn open(service: &Service, label: &str) -> Self {
        let url = service.url(label);
        Self(TcpStream::connect(url.trim_start_matches("http://")).await.unwrap())
    }

    /// Sends bytes as they are. False when the service has closed the connection.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).await.is_ok()
    }

    /// What the service says until it closes the connection.
    pub async fn read_to_end(mut self) -> String {
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut answer))
            .await
            .expect("the service ends the connection");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The status of the next answer, of which nothing else is read.
    pub async fn status(&mut self) -> u16 {
        let mut line = [0; 12];
        tokio::time::timeout(PATIENCE, self.0.read_exact(&mut line))
            .await
            .expect("an answer")
            .expect("an answer before the end of the connection");
        let line = String::from_utf8_lossy(&line).into_owned();
        line[9..].parse().unwrap_or_else(|_| panic!("not HTTP: {line}"))
    }
}

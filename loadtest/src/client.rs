//! One HTTP/1.1 connection to a service, kept open, opened again when the other side closed it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, HeaderValue};
use hyper::{Method, Request as HttpRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Longest time for one request; a service that takes longer has failed it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Largest answer that is read, in bytes: a group of 100,000 members needs a quarter of it.
const ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Where requests go, and with which token.
#[derive(Debug)]
pub struct Target {
    authority: String,
    host: HeaderValue,
    prefix: String,
    authorization: HeaderValue,
}

/// One request. Its path is relative to the base address of the target, and escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// As `/Users?count=1`.
    pub path: String,
    /// The body, if there is one: JSON.
    pub body: Option<Bytes>,
    /// What a browser would have, if there is one.
    pub cookie: Option<HeaderValue>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The whole body.
    pub body: Bytes,
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    target: Arc<Target>,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Target {
    /// A base address as `http://127.0.0.1:8080/scim/v2`, and a bearer token. Raises what is not such an address.
    pub fn new(base: &str, token: &str) -> anyhow::Result<Arc<Self>> {
        let rest = base
            .strip_prefix("http://")
            .with_context(|| format!("{base} does not start with http://"))?;
        let (authority, prefix) = match rest.find('/') {
            Some(slash) => (&rest[..slash], rest[slash..].trim_end_matches('/')),
            None => (rest, ""),
        };
        let authority = if authority.contains(':') {
            authority.to_owned()
        } else {
            format!("{authority}:80")
        };
        let mut authorization = HeaderValue::try_from(format!("Bearer {token}")).context("the token is not legal")?;
        authorization.set_sensitive(true);
        Ok(Arc::new(Self {
            host: HeaderValue::try_from(&authority).context("the address is not legal")?,
            authority,
            prefix: prefix.to_owned(),
            authorization,
        }))
    }

    /// A connection to it, opened at first use.
    pub fn connection(self: &Arc<Self>) -> Connection {
        Connection {
            target: Arc::clone(self),
            sender: None,
        }
    }
}

impl Request {
    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            body: None,
            cookie: None,
        }
    }

    /// A request with a JSON body.
    pub fn with_body(method: Method, path: impl Into<String>, body: &serde_json::Value) -> Self {
        Self {
            method,
            path: path.into(),
            body: Some(body.to_string().into()),
            cookie: None,
        }
    }
}

impl Answer {
    /// The body as JSON. Raises the status and the body's beginning when it is none, or when the status is not 2xx.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        self.accept()?;
        serde_json::from_slice(&self.body).context("the answer is not JSON")
    }

    /// Raises the status and the body's beginning when the status is not 2xx.
    pub fn accept(&self) -> anyhow::Result<()> {
        if !(200..300).contains(&self.status) {
            let beginning: String = String::from_utf8_lossy(&self.body).chars().take(300).collect();
            bail!("answered {}: {beginning}", self.status);
        }
        Ok(())
    }
}

impl Connection {
    /// Sends a request and reads the whole answer. A connection that the other side had closed meanwhile is replaced,
    /// once. Raises what goes wrong below HTTP, and an answer that takes longer than a minute.
    pub async fn send(&mut self, request: &Request) -> anyhow::Result<Answer> {
        let outcome = tokio::time::timeout(PATIENCE, self.attempt(request)).await;
        let outcome = outcome.unwrap_or_else(|_| bail!("no answer within {PATIENCE:?}"));
        if outcome.is_err() {
            self.sender = None;
        }
        outcome
    }

    async fn attempt(&mut self, request: &Request) -> anyhow::Result<Answer> {
        let is_reused = self.sender.as_ref().is_some_and(|sender| !sender.is_closed());
        match self.exchange(request).await {
            Err(error) if is_reused && was_never_sent(&error) => {
                self.sender = None;
                self.exchange(request).await
            }
            outcome => outcome,
        }
    }

    async fn exchange(&mut self, request: &Request) -> anyhow::Result<Answer> {
        let mut sender = match self.sender.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => self.open().await?,
        };
        sender.ready().await?;
        let answer = sender.send_request(self.head(request)?).await?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES);
        let body = body.collect().await.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
        self.sender = Some(sender);
        Ok(Answer { status, body })
    }

    async fn open(&self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(&self.target.authority).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // It ends when its sender is dropped; what fails in it fails the request too.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn head(&self, request: &Request) -> anyhow::Result<HttpRequest<Full<Bytes>>> {
        let mut builder = HttpRequest::builder()
            .method(request.method.clone())
            .uri(format!("{}{}", self.target.prefix, request.path))
            .header(HOST, self.target.host.clone())
            .header(AUTHORIZATION, self.target.authorization.clone());
        if let Some(cookie) = &request.cookie {
            builder = builder.header(COOKIE, cookie.clone());
        }
        if request.body.is_some() {
            builder = builder.header(CONTENT_TYPE, "application/scim+json");
        }
        Ok(builder.body(Full::new(request.body.clone().unwrap_or_default()))?)
    }
}

/// Whether the connection had gone before the request left, so that sending it again repeats nothing.
fn was_never_sent(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<hyper::Error>()
        .is_some_and(|error| error.is_canceled() || error.is_closed())
}

/// Escapes a value for a query (RFC 3986 §2.3): everything but the unreserved characters.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push('%');
            for digit in [byte >> 4, byte & 15] {
                escaped.push(char::from_digit(digit.into(), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_port_means_port_80() {
        let target = Target::new("http://scim.example.org/v2/", "t").unwrap();
        assert_eq!(
            (target.authority.as_str(), target.prefix.as_str()),
            ("scim.example.org:80", "/v2")
        );
        assert!(Target::new("https://scim.example.org", "t").is_err());
    }

    #[test]
    fn everything_but_unreserved_characters_is_escaped() {
        assert_eq!(escape("userName eq \"é\""), "userName%20eq%20%22%C3%A9%22");
    }
}

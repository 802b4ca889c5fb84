//! Requests to a provider: no redirects, bounded in time and size, certificates checked.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use anyhow::Context;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use serde_json::{Map, Value};

use crate::https_client;

/// Longest time for one request.
const TIMEOUT: Duration = Duration::from_secs(8);

/// Longest time until a connection is made.
const CONNECT: Duration = Duration::from_secs(4);

/// Largest answer, in bytes.
const BYTES: usize = 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Nobody answers, or not in time.
    #[error("the provider does not answer: {0}")]
    Away(&'static str),
    /// More than an answer may hold.
    #[error("the provider's answer is larger than 1 MiB")]
    TooLarge,
    /// Not what was asked for.
    #[error("the provider's answer is not what it must be: {0}")]
    Unusable(&'static str),
}

/// The client.
#[derive(Debug, Clone)]
pub struct Fetch(reqwest::Client);

impl Fetch {
    /// Trusts what the operating system trusts (or `SSL_CERT_FILE` names). Raises a defect of the TLS library only.
    pub fn new() -> anyhow::Result<Self> {
        let client = https_client::trusting([])?
            .connect_timeout(CONNECT)
            .timeout(TIMEOUT)
            .user_agent(concat!("rollcall/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("the client for identity providers cannot be made")?;
        Ok(Self(client))
    }

    /// Text at `url`, with at most 1 MiB.
    pub async fn text(&self, url: &str) -> Result<String, FetchError> {
        let response = self.0.get(url).send().await.map_err(|error| away(&error))?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Unusable("its status is not 200"));
        }
        String::from_utf8(read(response).await?).map_err(|_| FetchError::Unusable("it is not UTF-8"))
    }

    /// The JSON object at `url`, asked for with a bearer token.
    pub(super) async fn json(&self, url: &str, bearer: &str) -> Result<Map<String, Value>, FetchError> {
        let request = self.0.get(url).bearer_auth(bearer).header("accept", "application/json");
        let response = request.send().await.map_err(|error| away(&error))?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Unusable("its status is not 200"));
        }
        let kind = response
            .headers()
            .get("content-type")
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        if !kind
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .eq_ignore_ascii_case("application/json")
        {
            return Err(FetchError::Unusable("it is not application/json"));
        }
        serde_json::from_slice(&read(response).await?).map_err(|_| FetchError::Unusable("it is no JSON object"))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, FetchError> {
        let (parts, body) = request.into_parts();
        let request = self
            .0
            .request(parts.method, parts.uri.to_string())
            .headers(parts.headers)
            .body(body);
        let response = request.send().await.map_err(|error| away(&error))?;
        let mut answer = HttpResponse::new(Vec::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = response.headers().clone();
        *answer.body_mut() = read(response).await?;
        Ok(answer)
    }
}

/// Reads a body piece by piece, so that a huge one is given up and not held.
async fn read(mut response: reqwest::Response) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| away(&error))? {
        if body.len() + piece.len() > BYTES {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn away(error: &reqwest::Error) -> FetchError {
    FetchError::Away(match error {
        error if error.is_timeout() => "it takes too long",
        error if error.is_connect() => "no connection",
        _ => "the connection broke",
    })
}

impl<'c> AsyncHttpClient<'c> for Fetch {
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

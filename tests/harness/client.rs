//! A SCIM client.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// The answer to one request.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as JSON; null when there is none.
    pub body: Value,
    request: String,
}

impl Answer {
    /// Itself, when it has this status; fails the test otherwise, with the body.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.request, self.body);
        self
    }

    /// Itself, when it is a SCIM error of this status and `scimType` (RFC 7644 §3.12); fails the test otherwise.
    #[track_caller]
    pub fn expect_error(self, status: u16, scim_type: &str) -> Self {
        let answer = self.expect(status);
        let shown = format!("{}: {}", answer.request, answer.body);
        assert_eq!(
            answer.body["schemas"],
            json!(["urn:ietf:params:scim:api:messages:2.0:Error"]),
            "{shown}"
        );
        assert_eq!(answer.body["status"], status.to_string(), "{shown}");
        assert_eq!(
            answer.body["scimType"].as_str().unwrap_or_default(),
            scim_type,
            "{shown}"
        );
        answer
    }

    /// The `id` of the resource.
    #[track_caller]
    pub fn id(&self) -> &str {
        self.body["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{} has no id: {}", self.request, self.body))
    }

    /// A header's value; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    /// An attribute of the Workbench extension of a user.
    pub fn workbench(&self, attribute: &str) -> &Value {
        &self.body["urn:rstudio:params:scim:schemas:extension:workbench:1.0:User"][attribute]
    }
}

/// A client with one bearer token.
#[derive(Clone, Debug)]
pub struct Scim {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Scim {
    /// A client of the SCIM service at `base`, without a trailing slash.
    pub fn new(base: impl Into<String>, token: impl Into<String>) -> Self {
        Self {
            http: reqwest::Client::new(),
            base: base.into(),
            token: token.into(),
        }
    }

    /// The same client with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    /// Its token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// GET of a path with its query, as `/Users?count=1`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// GET with query parameters, which it escapes.
    pub async fn query(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        self.send(self.request(Method::GET, path).query(parameters)).await
    }

    /// POST of a body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request_with(Method::POST, path, body)).await
    }

    /// PUT of a body.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request_with(Method::PUT, path, body)).await
    }

    /// PATCH with these operations, a JSON array (RFC 7644 §3.5.2).
    pub async fn patch(&self, path: &str, operations: &Value) -> Answer {
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
        self.send(self.request_with(Method::PATCH, path, &body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// A request with the token, for what the others cannot say; hand it to [`send`](Self::send).
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base))
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
    }

    /// The same with a body of type `application/scim+json`.
    pub fn request_with(&self, method: Method, path: &str, body: &Value) -> RequestBuilder {
        self.request(method, path)
            .header(CONTENT_TYPE, "application/scim+json")
            .body(body.to_string())
    }

    /// The status of a GET whose body may be anything.
    pub async fn send_status(&self, path: &str) -> u16 {
        self.request(Method::GET, path).send().await.unwrap().status().as_u16()
    }

    /// Sends a request and reads its answer, which is JSON or nothing.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let request = request.build().unwrap();
        let shown = format!("{} {}", request.method(), request.url());
        let response = self.http.execute(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{shown}: {error}"))
        };
        Answer {
            status,
            headers,
            body,
            request: shown,
        }
    }
}

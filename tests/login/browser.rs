//! A browser without a screen: keeps cookies, follows no redirect by itself.

use std::collections::BTreeMap;

use reqwest::header::HeaderMap;

/// What came back.
pub struct Page {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Page {
    /// Where it redirects to; empty when it does not.
    pub fn location(&self) -> &str {
        self.headers
            .get("location")
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }
}

/// A browser.
#[derive(Clone, Default)]
pub struct Browser {
    http: reqwest::Client,
    /// Its cookies; one jar for all hosts, as the tests' hosts differ by port alone.
    pub cookies: BTreeMap<String, String>,
    /// Headers that it sends with every request.
    pub headers: Vec<(String, String)>,
}

impl Browser {
    /// One without cookies.
    pub fn new() -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            http,
            ..Self::default()
        }
    }

    /// GET.
    pub async fn get(&mut self, url: &str) -> Page {
        self.send(self.http.get(url)).await
    }

    /// POST of a form.
    pub async fn post(&mut self, url: &str, form: &[(&str, &str)]) -> Page {
        self.send(self.http.post(url).form(form)).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = if cookies.is_empty() {
            request
        } else {
            request.header("cookie", cookies.join("; "))
        };
        let own = self.headers.iter();
        let request = own.fold(request, |request, (name, value)| request.header(name, value));
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Page {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        }
    }
}

//! What Prometheus is given: promtool finds nothing wrong with it, and strangers cannot make it grow.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use reqwest::Method;
use serde_json::json;

use crate::harness::Rollcall;
use crate::harness::rollcall::UNLIMITED;
use crate::login::api::front_end;
use crate::login::proxy::PROXY;

/// The most time series that a replica offers after everything here, with histograms' buckets; one that has been asked for
/// every route there is has more, but no more than routes, methods and words of ours make.
const SERIES_MAX: usize = 2_500;

/// A service with every listener, and its clients.
struct Scene {
    rollcall: Rollcall,
    http: reqwest::Client,
    scim: crate::harness::client::Scim,
    front_end: crate::harness::client::Scim,
    node: String,
}

impl Scene {
    async fn start() -> Self {
        let rollcall = Rollcall::start_with(&[&UNLIMITED[..], &PROXY].concat()).await;
        Self {
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            scim: rollcall.scim(),
            front_end: front_end(&rollcall),
            node: rollcall.token(&["--scope", "nss-admin"]),
            rollcall,
        }
    }

    async fn metrics(&self) -> String {
        let url = format!("{}/metrics", self.rollcall.service.url("ops"));
        self.http.get(url).send().await.unwrap().text().await.unwrap()
    }

    /// Sends a request with a method, below the address of a listener; gives the status.
    async fn send(&self, listener: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}{path}", self.rollcall.service.url(listener));
        let request = headers
            .iter()
            .fold(self.http.request(method, url), |request, (name, value)| {
                request.header(*name, *value)
            });
        request.send().await.unwrap().status().as_u16()
    }

    /// What clients of every kind do, well and badly, each with `word` wherever a client may put a word.
    async fn use_every_listener(&self, word: &str) {
        let user = json!({"userName": format!("{word}@example.org"), "externalId": word, "displayName": word});
        let created = self.scim.post("/Users", &user).await.expect(201);
        self.scim.post("/Users", &user).await.expect_error(409, "uniqueness");
        let group = json!({"displayName": word, "members": [{"value": created.id()}]});
        let group = self.scim.post("/Groups", &group).await.expect(201);
        let filter = format!("userName eq \"{word}\"");
        self.scim.query("/Users", &[("filter", &filter)]).await.expect(200);
        let broken = format!("{word} {word}");
        let refused = self.scim.query("/Users", &[("filter", &broken)]).await;
        refused.expect_error(400, "invalidFilter");
        let change = json!([{"op": "replace", "path": "displayName", "value": format!("{word} anew")}]);
        let path = format!("/Users/{}", created.id());
        self.scim.patch(&path, &change).await.expect(200);
        let nowhere = json!([{"op": "replace", "path": word, "value": 1}]);
        self.scim.patch(&path, &nowhere).await.expect(400);
        self.scim.get(&format!("/Users/{word}")).await.expect(404);
        self.scim.get(&format!("/{word}")).await.expect(404);
        self.scim.with_token(word).get("/Users").await.expect(401);

        let claim = json!({"userName": format!("{word}-new"), "groups": [format!("{word} team")]});
        self.front_end.post("/logins", &claim).await.expect(200);
        let claim = json!({"userName": format!("{word}-bad"), "groups": {word: word}});
        let refused = self.front_end.post("/logins", &claim).await;
        assert!(matches!(refused.status, 400..500), "{}", refused.body);

        let bearer = format!("Bearer {}", self.node);
        for query in [format!("name={word}"), format!("name={word}-nobody"), word.to_owned()] {
            let path = format!("/nss/v1/passwd?{query}");
            self.send("read", "GET", &path, &[("authorization", &bearer)]).await;
        }
        for listener in ["api", "read", "ops", "proxy"] {
            for (method, path) in [("GET", format!("/{word}/{word}")), (word, format!("/scim/v2/{word}"))] {
                let status = self.send(listener, method, &path, &[("x-request-id", word)]).await;
                assert!(
                    matches!(status, 404 | 405 | 401),
                    "{listener} {method} {path}: {status}"
                );
            }
        }
        for name in ["x-rstudio-username", "x-forwarded-user"] {
            self.send("proxy", "GET", "/auth/verify", &[(name, word)]).await;
        }
        self.send("api", "GET", &format!("/auth/verify?rd=/{word}"), &[("cookie", word)])
            .await;
        self.scim.delete(&format!("/Groups/{}", group.id())).await.expect(204);
        self.scim.delete(&path).await.expect(204);
    }
}

/// The series of an exposition: each line up to its value.
fn series(text: &str) -> BTreeSet<&str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| Some(line.rsplit_once(' ')?.0)).collect()
}

#[tokio::test]
async fn promtool_finds_nothing_wrong_with_the_metrics_of_a_service_that_has_worked() {
    let scene = Scene::start().await;
    scene.use_every_listener("jane").await;
    let text = scene.metrics().await;
    let command = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = command else {
        println!("skipped: promtool (Debian's prometheus) is not installed");
        return;
    };
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let done = promtool.wait_with_output().unwrap();
    let told = [done.stdout, done.stderr].concat();
    assert!(
        done.status.success() && told.is_empty(),
        "{}",
        String::from_utf8_lossy(&told)
    );
    scene.rollcall.finish().await;
}

#[tokio::test]
async fn no_word_of_a_client_becomes_a_time_series() {
    let scene = Scene::start().await;
    for number in 0..3 {
        scene.use_every_listener(&format!("walrus{number}")).await;
    }
    // The first scrape is a request that the second one tells of.
    scene.metrics().await;
    let before = scene.metrics().await;
    for number in 0..12 {
        scene.use_every_listener(&format!("zebra{number}")).await;
    }
    let after = scene.metrics().await;
    assert!(
        !after.contains("zebra") && !after.contains("walrus"),
        "labels are ours, never the client's"
    );
    // What the service does by itself, and when, is its own business: its operations are a fixed list.
    let of_clients = |line: &&&str| !line.starts_with("rollcall_db_");
    let grown: Vec<&str> = series(&after)
        .difference(&series(&before))
        .copied()
        .filter(|line| of_clients(&line))
        .collect();
    assert_eq!(grown, [""; 0]);
    let number = series(&after).len();
    assert!(number <= SERIES_MAX, "{number} series");
    scene.rollcall.finish().await;
}

#[tokio::test]
async fn a_first_failure_is_no_new_series() {
    let scene = Scene::start().await;
    scene.use_every_listener("jane").await;
    let text = scene.metrics().await;
    for wanted in [
        "rollcall_http_request_duration_seconds_count{listener=\"read\",method=\"GET\",route=\"/nss/v1/passwd\",status_class=\"5xx\"} 0",
        "rollcall_jit_logins_total{method=\"saml\",outcome=\"refused\",reason=\"internal\"} 0",
        "rollcall_db_errors_total{sqlstate_class=\"57\"} 0",
        "rollcall_cache_requests_total{cache=\"nss\",result=\"stale\"} 0",
        "rollcall_audit_events_total{outcome=\"failed\"} 0",
    ] {
        assert!(text.lines().any(|line| line == wanted), "no {wanted}");
    }
    scene.rollcall.finish().await;
}

#[tokio::test]
async fn a_user_whom_a_provider_deactivates_is_counted_once() {
    let scene = Scene::start().await;
    let created = scene
        .scim
        .post("/Users", &json!({"userName": "jane"}))
        .await
        .expect(201);
    let path = format!("/Users/{}", created.id());
    for active in [false, false, true] {
        let change = json!([{"op": "replace", "path": "active", "value": active}]);
        scene.scim.patch(&path, &change).await.expect(200);
    }
    let replaced = json!({"userName": "jane", "active": false});
    scene.scim.put(&path, &replaced).await.expect(200);
    let text = scene.metrics().await;
    assert!(text.contains("\nrollcall_user_deactivations_total 2\n"), "{text}");
    scene.rollcall.finish().await;
}

//! The example configurations for forward-auth, run by the proxies themselves in front of a stand-in for Workbench's port.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Method};

use super::browser::Browser;
use super::peers::{Folder, free_port, installed};
use super::proxy::PROXY;
use crate::harness::children::{Running, mortal, start};
use crate::harness::{Rollcall, wait_until};

/// What listens where Workbench would: shows the identity headers that reach it.
async fn workbench() -> (String, tokio::task::JoinHandle<()>) {
    let show = async |headers: HeaderMap| {
        let shown = headers.iter().filter(|(name, _)| {
            let name = name.as_str().replace('_', "-");
            let is_identity = name.starts_with("x-rstudio") || name == "remote-user" || name == "x-forwarded-user";
            is_identity && name != "x-rstudio-root-path"
        });
        let lines: Vec<String> = shown
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}\n", value.to_str().unwrap()))
            .collect();
        lines.concat()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let router = Router::new().fallback(show);
    (
        address,
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }),
    )
}

/// Where things are in a test.
struct Places<'a> {
    folder: &'a Folder,
    /// The port that browsers come to.
    port: u16,
    /// `address:port` of Rollcall.
    rollcall: &'a str,
    /// `address:port` of Workbench.
    workbench: &'a str,
}

impl Places<'_> {
    /// An example with its addresses exchanged, without its lines that `is_tls`.
    fn example(&self, name: &str, is_tls: impl Fn(&str) -> bool) -> String {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/proxy").join(name);
        let example = std::fs::read_to_string(example).unwrap();
        let lines = example.lines().filter(|line| !is_tls(line.trim_start()));
        let text = lines.fold(String::new(), |text, line| text + line + "\n");
        text.replace("127.0.0.1:8080", self.rollcall)
            .replace("127.0.0.1:8787", self.workbench)
    }

    /// Writes a file into the folder.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

/// Starts a proxy; what it says is thrown away.
fn quietly(mut command: Command) -> Running {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    start(command)
}

fn nginx(places: &Places<'_>) -> Running {
    let (at, port) = (places.folder.0.display(), places.port);
    let server = places
        .example("nginx.conf", |line| line.starts_with("ssl_"))
        .replace("listen 443 ssl;", &format!("listen 127.0.0.1:{port};"));
    let config = format!(
        "daemon off; pid {at}/pid; error_log {at}/error.log; events {{}}\nhttp {{ access_log off;
         client_body_temp_path {at}/a; proxy_temp_path {at}/b; fastcgi_temp_path {at}/c; uwsgi_temp_path {at}/d;
         scgi_temp_path {at}/e;\n{server}}}\n"
    );
    let mut command = mortal("nginx");
    command.arg("-p").arg(&places.folder.0);
    command.arg("-c").arg(places.write("nginx.conf", &config));
    command.args(["-e", "stderr", "-g", "master_process off;"]);
    quietly(command)
}

fn haproxy(places: &Places<'_>) -> Running {
    let script = places.write("rollcall.lua", &places.example("haproxy-rollcall.lua", |_| false));
    let config = places
        .example("haproxy.cfg", |_| false)
        .replace("/etc/haproxy/haproxy-rollcall.lua", script.to_str().unwrap())
        .replace(
            "bind :443 ssl crt /etc/ssl/workbench.pem",
            &format!("bind 127.0.0.1:{}", places.port),
        );
    let mut command = mortal("haproxy");
    command.arg("-db").arg("-f").arg(places.write("haproxy.cfg", &config));
    quietly(command)
}

fn envoy(program: &Path, places: &Places<'_>) -> Running {
    let part = |address: &str| {
        let (host, port) = address.split_once(':').unwrap();
        format!("address: {host}, port_value: {port}")
    };
    let config = places
        .example("envoy.yaml", |_| false)
        .replace(
            "address: 0.0.0.0, port_value: 443",
            &format!("address: 127.0.0.1, port_value: {}", places.port),
        )
        .replace(&part("127.0.0.1:8080"), &part(places.rollcall))
        .replace(&part("127.0.0.1:8787"), &part(places.workbench));
    let mut command = mortal(program);
    command.arg("-c").arg(places.write("envoy.yaml", &config));
    command.args(["--concurrency", "1", "--disable-hot-restart"]);
    quietly(command)
}

fn traefik(program: &Path, places: &Places<'_>) -> Running {
    let dynamic = places
        .example("traefik.yaml", |line| line.starts_with("tls:"))
        .replace("Host(`workbench.example.org`)", "Host(`127.0.0.1`)");
    let dynamic = places.write("dynamic.yaml", &dynamic);
    let mut command = mortal(program);
    command.arg(format!("--entrypoints.web.address=127.0.0.1:{}", places.port));
    command.arg(format!("--providers.file.filename={}", dynamic.display()));
    command.arg("--global.checknewversion=false");
    quietly(command)
}

fn is_installed(program: &str, version: &str) -> bool {
    let found = Command::new(program).arg(version).output().is_ok();
    if !found {
        println!("skipped: {program} is not installed");
    }
    found
}

/// A request as the browser of a villain would send it.
async fn forged(method: Method, url: &str, cookie: Option<&str>) -> reqwest::Response {
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let request = http
        .request(method, url)
        .header("X-RStudio-Username", "root")
        .header("X-RStudio-Groups", "wheel");
    let request = request.header("Remote-User", "root").header("X-Forwarded-User", "root");
    let request = request
        .header("X_RStudio_Username", "root")
        .header("X-Forwarded-Uri", "/elsewhere");
    let request = cookie.map_or(request.try_clone().unwrap(), |cookie| request.header("cookie", cookie));
    request.send().await.unwrap()
}

/// Whoever has a session comes through under his name, nobody else does, and a lock is felt within a second.
async fn lets_in_by_session_only(name: &str, run: impl Fn(&Places<'_>) -> Running) {
    let rollcall = Rollcall::start_with(&PROXY).await;
    let (workbench, task) = workbench().await;
    let (folder, port, api) = (Folder::new(name), free_port(), rollcall.service.url("api"));
    let places = Places {
        folder: &folder,
        port,
        rollcall: api.strip_prefix("http://").unwrap(),
        workbench: &workbench,
    };
    let _proxy = run(&places);
    let front = format!("http://127.0.0.1:{port}");
    // Traefik answers 404 until it has read its routes.
    let answers = async || !matches!(Browser::new().get(&front).await.status, 404 | 503);
    wait_until(&format!("{name} is up"), Duration::from_secs(30), async || {
        tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() && answers().await
    })
    .await;

    for cookie in [None, Some("rollcall-session=forged")] {
        let answer = forged(Method::GET, &format!("{front}/s/1?a=b&c=d"), cookie).await;
        assert_eq!(answer.status(), 302, "headers of the browser sign nobody in");
        let target: reqwest::Url = front.parse().unwrap();
        let target = target.join(answer.headers()["location"].to_str().unwrap()).unwrap();
        assert_eq!(target.path(), "/sign-in");
        let asked: Vec<(String, String)> = target.query_pairs().into_owned().collect();
        assert_eq!(asked, [("return".to_owned(), "/s/1?a=b&c=d".to_owned())]);
    }

    let (status, headers) = super::proxy::get(
        &format!("{}/proxy/login", rollcall.service.url("proxy")),
        &[("x-rstudio-username", "jane")],
    )
    .await;
    assert_eq!(status, 303);
    let cookie = headers["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    for method in [Method::GET, Method::POST, Method::DELETE] {
        let answer = forged(method.clone(), &format!("{front}/s/1"), Some(cookie)).await;
        assert_eq!(answer.status(), 200, "{method}");
        assert_eq!(answer.text().await.unwrap(), "x-rstudio-username=jane\n", "{method}");
    }
    let sign_in = Browser::new().get(&format!("{front}/sign-in")).await;
    assert!(
        sign_in.body.contains("No way to sign in"),
        "Rollcall's own page: {}",
        sign_in.body
    );
    let scim = forged(Method::GET, &format!("{front}/scim/v2/Users"), None).await;
    assert_eq!(scim.status(), 302, "SCIM is not for browsers");

    rollcall.command(&["user", "lock", "jane"]).succeeded();
    let over = async || forged(Method::GET, &front, Some(cookie)).await.status() == 302;
    wait_until("the lock is felt behind the proxy", Duration::from_secs(1), over).await;
    task.abort();
    rollcall.finish().await;
}

#[tokio::test]
async fn nginx_lets_in_by_session_only_and_names_the_user_itself() {
    if is_installed("nginx", "-v") {
        lets_in_by_session_only("nginx", nginx).await;
    }
}

#[tokio::test]
async fn haproxy_lets_in_by_session_only_and_names_the_user_itself() {
    if is_installed("haproxy", "-v") {
        lets_in_by_session_only("haproxy", haproxy).await;
    }
}

#[tokio::test]
async fn envoy_lets_in_by_session_only_and_names_the_user_itself() {
    if let Some(program) = installed("envoy") {
        lets_in_by_session_only("envoy", |places| envoy(&program, places)).await;
    }
}

#[tokio::test]
async fn traefik_lets_in_by_session_only_and_names_the_user_itself() {
    if let Some(program) = installed("traefik") {
        lets_in_by_session_only("traefik", |places| traefik(&program, places)).await;
    }
}

//! The example configuration for nginx, run by nginx itself in front of a stand-in for Workbench's port.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;

use super::browser::Browser;
use super::proxy::PROXY;
use crate::harness::children::{mortal, start};
use crate::harness::{Rollcall, wait_until};

/// A folder that is removed when dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What listens where Workbench would: shows the identity headers that reach it.
async fn workbench() -> (String, tokio::task::JoinHandle<()>) {
    let show = async |headers: HeaderMap| {
        let shown = headers.iter().filter(|(name, _)| {
            let name = name.as_str().replace('_', "-");
            name.starts_with("x-rstudio") || name == "remote-user" || name == "x-forwarded-user"
        });
        let lines = shown.map(|(name, value)| format!("{name}={}\n", value.to_str().unwrap()));
        lines.collect::<Vec<_>>().concat()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let router = Router::new().fallback(show);
    (
        address,
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }),
    )
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
async fn nginx_lets_in_by_session_only_and_names_the_user_itself() {
    if Command::new("nginx").arg("-v").output().is_err() {
        println!("skipped: nginx is not installed");
        return;
    }
    let rollcall = Rollcall::start_with(&PROXY).await;
    let (workbench, task) = workbench().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let folder = Folder(std::env::temp_dir().join(format!("rollcall-nginx-{}", uuid::Uuid::new_v4().simple())));
    std::fs::create_dir_all(&folder.0).unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/proxy/nginx.conf");
    let example = std::fs::read_to_string(example).unwrap();
    let api = rollcall.service.url("api");
    let server = example
        .replace("listen 443 ssl;", &format!("listen 127.0.0.1:{port};"))
        .lines()
        .filter(|line| !line.trim_start().starts_with("ssl_"))
        .fold(String::new(), |text, line| text + line + "\n")
        .replace("http://127.0.0.1:8080", &api)
        .replace("127.0.0.1:8787", &workbench);
    let at = folder.0.display();
    let config = format!(
        "daemon off; pid {at}/pid; error_log {at}/error.log; events {{}}\nhttp {{ access_log off;
         client_body_temp_path {at}/a; proxy_temp_path {at}/b; fastcgi_temp_path {at}/c; uwsgi_temp_path {at}/d;
         scgi_temp_path {at}/e;\n{server}}}\n"
    );
    std::fs::write(folder.0.join("nginx.conf"), config).unwrap();
    let mut command = mortal("nginx");
    command
        .arg("-p")
        .arg(&folder.0)
        .arg("-c")
        .arg(folder.0.join("nginx.conf"));
    command
        .args(["-e", "stderr", "-g", "master_process off;"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let _nginx = start(command);
    let front = format!("http://127.0.0.1:{port}");
    wait_until("nginx answers", Duration::from_secs(10), async || {
        reqwest::get(&front).await.is_ok()
    })
    .await;

    let mut browser = Browser::new();
    let page = browser.get(&format!("{front}/s/1?a=b")).await;
    assert_eq!(page.status, 302);
    assert!(
        page.location().ends_with("/sign-in?return=/s/1?a=b"),
        "{}",
        page.location()
    );
    let forged = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let forged = |cookie: Option<String>| {
        let request = forged.get(format!("{front}/s/1")).header("X-RStudio-Username", "root");
        let request = request
            .header("Remote-User", "root")
            .header("X_RStudio_Username", "root");
        cookie
            .map_or(request.try_clone().unwrap(), |cookie| request.header("cookie", cookie))
            .send()
    };
    assert_eq!(
        forged(None).await.unwrap().status(),
        302,
        "headers of the browser sign nobody in"
    );

    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let url = format!("{}/proxy/login", rollcall.service.url("proxy"));
    let signed_in = http.get(url).header("x-rstudio-username", "jane").send().await.unwrap();
    let cookie = signed_in.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let answer = forged(Some(cookie.clone())).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), "x-rstudio-username=jane\n");
    assert_eq!(
        browser.get(&format!("{front}/auth/verify")).await.status,
        404,
        "not for browsers"
    );
    assert_eq!(
        browser.get(&format!("{front}/sign-in")).await.status,
        404,
        "no way to sign in is set up, says Rollcall"
    );

    rollcall.command(&["user", "lock", "jane"]).succeeded();
    let over = async || forged(Some(cookie.clone())).await.unwrap().status() == 302;
    wait_until("the lock is felt behind nginx", Duration::from_secs(1), over).await;
    task.abort();
    rollcall.finish().await;
}

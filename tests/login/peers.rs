//! Sign-in with identity providers that others wrote: panva's oidc-provider from npm, `SimpleSAMLphp` from Debian. Each is
//! skipped with a message where it cannot be had.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use super::api::JIT;
use super::browser::{Browser, Page};
use super::openid::ClientFile;
use crate::harness::children::{Running, mortal, start};
use crate::harness::{Rollcall, wait_until};

const OIDC_PROVIDER: &str = "oidc-provider@9.13.3";

/// Where the service is for the providers; the browser of the tests puts its real address in.
const PUBLIC: &str = "http://rollcall.test";

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A folder that is removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rollcall-{name}-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The value of an attribute of the first `tag` with `marker` in it.
fn attribute(html: &str, tag: &str, marker: &str, name: &str) -> Option<String> {
    let tag = html
        .split(&format!("<{tag} "))
        .skip(1)
        .find(|rest| rest.split('>').next().unwrap().contains(marker))?;
    let value = tag.split(&format!("{name}=\"")).nth(1)?.split('"').next()?;
    Some(
        value
            .replace("&amp;", "&")
            .replace("&#039;", "'")
            .replace("&quot;", "\""),
    )
}

async fn ready(url: &str) {
    wait_until(&format!("{url} answers"), Duration::from_secs(30), async || {
        reqwest::get(url).await.is_ok()
    })
    .await;
}

/// Installs oidc-provider into the tests' cache; `None`, with a message, when npm cannot.
fn oidc_provider() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oidc-provider");
    std::fs::create_dir_all(&folder).unwrap();
    if !folder.join("node_modules/oidc-provider/package.json").exists() {
        let install = Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .arg(OIDC_PROVIDER)
            .stdin(Stdio::null())
            .output();
        if !install.is_ok_and(|output| output.status.success()) {
            println!("skipped: npm is missing or cannot reach its registry");
            return None;
        }
    }
    Some(folder)
}

fn start_oidc_provider(folder: &Path, port: u16) -> Running {
    let script = format!(
        "import {{ Provider }} from 'oidc-provider';
         let groups = ['eng', 'ops'];
         const account = (id) => ({{ sub: 's-' + id, email: id + '@example.com', preferred_username: id, name: 'User One', groups }});
         new Provider('http://127.0.0.1:{port}', {{
           clients: [{{ client_id: 'rollcall', client_secret: 'change-me-change-me-change-me-000', grant_types: ['authorization_code'],
                        response_types: ['code'], redirect_uris: ['{PUBLIC}/openid/callback'],
                        post_logout_redirect_uris: ['{PUBLIC}/sign-in?stay=1'] }}],
           claims: {{ openid: ['sub'], email: ['email'], profile: ['name', 'preferred_username'], groups: ['groups'] }},
           scopes: ['openid', 'email', 'profile', 'groups'], pkce: {{ required: () => true }},
           features: {{ devInteractions: {{ enabled: true }} }}, cookies: {{ keys: ['k1'] }},
           async findAccount(ctx, id) {{
             if (id === 'later') groups = ['Ops', 'qa'];
             return {{ accountId: id, async claims() {{ return account('user1'); }} }};
           }},
         }}).listen({port}, '127.0.0.1');"
    );
    let file = folder.join(format!("provider-{port}.mjs"));
    std::fs::write(&file, script).unwrap();
    let mut command = mortal("node");
    command
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    start(command)
}

/// Goes through the provider's forms as `login` and comes back with the address of the callback.
async fn through_oidc_provider(browser: &mut Browser, first: &str, issuer: &str, login: &str) -> String {
    let mut page = browser.get(first).await;
    let mut at: reqwest::Url = first.parse().unwrap();
    for _ in 0..12 {
        if (300..400).contains(&page.status) {
            at = at.join(page.location()).unwrap();
            if at.as_str().starts_with(PUBLIC) {
                return at.into();
            }
            page = browser.get(at.as_str()).await;
            continue;
        }
        assert_eq!(page.status, 200, "{issuer}: {}", page.body);
        let action = attribute(&page.body, "form", "action", "action").unwrap();
        let prompt = attribute(&page.body, "input", "name=\"prompt\"", "value").unwrap();
        at = at.join(&action).unwrap();
        page = browser
            .post(at.as_str(), &[("prompt", &prompt), ("login", login), ("password", "x")])
            .await;
    }
    panic!("the provider sends the browser in circles");
}

#[tokio::test]
async fn panvas_oidc_provider_signs_people_in() {
    let Some(folder) = oidc_provider() else { return };
    let port = free_port();
    let issuer = format!("http://127.0.0.1:{port}");
    let _provider = start_oidc_provider(&folder, port);
    ready(&format!("{issuer}/.well-known/openid-configuration")).await;
    let client = ClientFile::new("change-me-change-me-change-me-000");
    let rollcall = Rollcall::start_with(&[
        JIT,
        ("public-url", PUBLIC),
        ("auth-openid", "1"),
        ("auth-openid-issuer", &issuer),
        ("auth-openid-client-file", client.path()),
        ("auth-openid-scopes", "openid profile email groups"),
    ])
    .await;
    let api = rollcall.service.url("api");
    let mut sessions = Vec::new();
    for (login, groups) in [("user1", json!(["eng", "ops"])), ("later", json!(["ops", "qa"]))] {
        let mut browser = Browser::new();
        let page = browser.get(&format!("{api}/openid/login?return=/s/1")).await;
        assert_eq!(page.status, 303, "{}", page.body);
        let callback = through_oidc_provider(&mut browser, page.location(), &issuer, login).await;
        let page = browser.get(&callback.replace(PUBLIC, &api)).await;
        assert_eq!(
            (page.status, page.location()),
            (303, "/s/1"),
            "{} {:?}",
            page.body,
            rollcall.service.log().last()
        );
        let shown = rollcall
            .command(&["user", "show", "user1", "--output", "json"])
            .succeeded()
            .json();
        let mut names: Vec<String> = serde_json::from_value(shown["groups"].clone()).unwrap();
        names.sort();
        assert_eq!((json!(names), &shown["displayName"]), (groups, &json!("User One")));
        sessions.push(browser);
    }
    let page = sessions[0].post(&format!("{api}/sign-out"), &[]).await;
    assert!(
        page.location()
            .starts_with(&format!("{issuer}/session/end?client_id=rollcall&")),
        "{}",
        page.location()
    );
    rollcall.finish().await;
}

#[cfg(feature = "saml")]
mod simplesamlphp {
    use super::*;

    const INSTALLED: &str = "/usr/share/simplesamlphp";

    fn run(command: &mut Command) {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// `SimpleSAMLphp` as an identity provider, with everything it needs in a folder of its own.
    fn start_provider(folder: &Path, port: u16) -> Running {
        let base = format!("http://127.0.0.1:{port}");
        let path = |name: &str| folder.join(name);
        for name in [
            "config", "metadata", "cert", "log", "data", "temp", "sessions", "docroot",
        ] {
            std::fs::create_dir_all(path(name)).unwrap();
        }
        std::os::unix::fs::symlink(format!("{INSTALLED}/www"), path("docroot/simplesaml")).unwrap();
        run(Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-days", "2", "-subj", "/CN=idp", "-keyout",
            ])
            .arg(path("cert/idp.pem"))
            .arg("-out")
            .arg(path("cert/idp.crt")));
        let at = folder.display();
        let write = |name: &str, text: String| std::fs::write(path(name), text).unwrap();
        let packaged = std::fs::read_to_string("/etc/simplesamlphp/config.php").unwrap();
        let packaged: String = packaged
            .lines()
            .filter(|line| !line.trim_start().starts_with("require"))
            .fold(String::new(), |text, line| text + line + "\n");
        write("config/config.php", format!(
            "{packaged}
             $config['baseurlpath']='{base}/simplesaml/'; $config['enable.saml20-idp']=true; $config['secretsalt']='test-salt-of-the-tests';
             $config['module.enable']=['exampleauth'=>true,'core'=>true,'saml'=>true]; $config['auth.adminpassword']='test';
             $config['session.cookie.secure']=false; $config['session.cookie.samesite']=null; $config['store.type']='phpsession';
             $config['certdir']='{at}/cert/'; $config['loggingdir']='{at}/log/'; $config['datadir']='{at}/data/';
             $config['tempdir']='{at}/temp/'; $config['metadatadir']='{at}/metadata/'; $config['logging.handler']='file';
             $config['session.phpsession.savepath']='{at}/sessions'; $config['technicalcontact_email']='a@example.org';"
        ));
        write("config/authsources.php", "<?php $config=['admin'=>['core:AdminPassword'],'example-userpass'=>['exampleauth:UserPass',
             'user1:pass1'=>['uid'=>['user1'],'mail'=>['user1@example.com'],'displayName'=>['User One'],'memberOf'=>['eng','ops']]]];".into());
        write("metadata/saml20-idp-hosted.php", format!(
            "<?php $metadata['{base}/idp']=['host'=>'__DEFAULT__','privatekey'=>'idp.pem','certificate'=>'idp.crt','auth'=>'example-userpass',
             'signature.algorithm'=>'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256','saml20.sign.response'=>true,'saml20.sign.assertion'=>true,
             'NameIDFormat'=>'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent','userid.attribute'=>'uid',
             'authproc'=>[3=>['class'=>'saml:AttributeNameID','attribute'=>'uid','Format'=>'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent']]];"
        ));
        write(
            "metadata/saml20-sp-remote.php",
            format!("<?php $metadata['{PUBLIC}/saml/metadata']=['AssertionConsumerService'=>'{PUBLIC}/saml/acs'];"),
        );
        let mut command = mortal("php");
        command
            .args(["-S", &format!("127.0.0.1:{port}"), "-t"])
            .arg(path("docroot"))
            .env("SIMPLESAMLPHP_CONFIG_DIR", path("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        start(command)
    }

    fn field(page: &Page, name: &str) -> String {
        let found = attribute(&page.body, "input", &format!("name=\"{name}\""), "value");
        found.unwrap_or_else(|| panic!("no field {name} in {}", page.body))
    }

    #[tokio::test]
    async fn simplesamlphp_signs_people_in() {
        if !Path::new(INSTALLED).exists() || Command::new("php").arg("-v").output().is_err() {
            println!("skipped: simplesamlphp and php-cli are not installed");
            return;
        }
        let (folder, port) = (Folder::new("simplesamlphp"), free_port());
        let base = format!("http://127.0.0.1:{port}");
        let _provider = start_provider(&folder.0, port);
        let metadata = format!("{base}/simplesaml/saml2/idp/metadata.php");
        ready(&metadata).await;
        let rollcall = Rollcall::start_with(&[
            JIT,
            ("public-url", PUBLIC),
            ("auth-saml", "1"),
            ("auth-saml-metadata-url", &metadata),
            ("auth-saml-sp-attribute-username", "uid"),
            ("auth-saml-sp-attribute-email", "mail"),
            ("auth-saml-sp-attribute-name", "displayName"),
            ("auth-saml-sp-attribute-groups", "memberOf"),
        ])
        .await;
        let api = rollcall.service.url("api");
        let mut browser = Browser::new();
        let page = browser.get(&format!("{api}/saml/login?return=/s/1")).await;
        assert_eq!(page.status, 303, "{} {:?}", page.body, rollcall.service.log());
        let mut at: reqwest::Url = page.location().parse().unwrap();
        let mut page = browser.get(at.as_str()).await;
        while (300..400).contains(&page.status) {
            at = at.join(page.location()).unwrap();
            page = browser.get(at.as_str()).await;
        }
        let state = field(&page, "AuthState");
        at.set_query(None);
        let form = [("username", "user1"), ("password", "pass1"), ("AuthState", &state)];
        let mut page = browser.post(at.as_str(), &form).await;
        while (300..400).contains(&page.status) {
            at = at.join(page.location()).unwrap();
            page = browser.get(at.as_str()).await;
        }
        let (response, relay_state) = (field(&page, "SAMLResponse"), field(&page, "RelayState"));
        let form = [
            ("SAMLResponse", response.as_str()),
            ("RelayState", relay_state.as_str()),
        ];
        let page = browser.post(&format!("{api}/saml/acs"), &form).await;
        assert_eq!(
            (page.status, page.location()),
            (303, "/s/1"),
            "{:?}",
            rollcall.service.log().last()
        );
        let shown = rollcall
            .command(&["user", "show", "user1", "--output", "json"])
            .succeeded()
            .json();
        let mut names: Vec<String> = serde_json::from_value(shown["groups"].clone()).unwrap();
        names.sort();
        assert_eq!(
            (json!(names), &shown["displayName"]),
            (json!(["eng", "ops"]), &json!("User One"))
        );
        rollcall.finish().await;
    }
}

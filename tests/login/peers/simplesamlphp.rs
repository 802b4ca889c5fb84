//! `SimpleSAMLphp` from Debian.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use super::{Folder, PUBLIC, field, follow, free_port, ready, shown};
use crate::harness::Rollcall;
use crate::harness::children::{Running, mortal, start};
use crate::login::api::JIT;
use crate::login::browser::Browser;

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
    let page = browser.get(at.as_str()).await;
    let page = follow(&mut browser, &mut at, page, PUBLIC).await;
    let state = field(&page, "AuthState");
    at.set_query(None);
    let form = [("username", "user1"), ("password", "pass1"), ("AuthState", &state)];
    let page = browser.post(at.as_str(), &form).await;
    let page = follow(&mut browser, &mut at, page, PUBLIC).await;
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
    assert_eq!(shown(&rollcall, "user1"), (json!("User One"), json!(["eng", "ops"])));
    rollcall.finish().await;
}

//! The pages in Chromium: axe, the keyboard, narrow screens, light and dark, and a picture of each. `make pictures` writes the
//! pictures anew; otherwise they are only looked for.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::{id_of, signed_in};
use crate::harness::{Rollcall, wait_until};
use crate::login::openid::ClientFile;
use crate::login::peers::chromium::{expect_usable, visit};
use crate::login::peers::oidc_provider::{SECRET, claim_groups, oidc_provider, start_oidc_provider};
use crate::login::peers::{free_port, ready};
use crate::login::proxy::PROXY;
use crate::scim::group;

const PICTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/admin/pictures");

/// Set by `make pictures`: the pictures are written.
const WRITE: &str = "WRITE_PICTURES";

/// Largest picture that is kept, in bytes.
const PICTURE_BYTES: u64 = 200_000;

/// What holds for every page.
fn judge(seen: &Value) {
    assert_eq!(
        (&seen["status"], &seen["headings"]),
        (&json!(200), &json!(1)),
        "{seen:#}"
    );
    expect_usable(seen);
}

/// A small site with something to see on every page. Returns the ids of jane, of the group she is in, and of a token.
async fn furnish(rollcall: &Rollcall) -> [String; 3] {
    let made = rollcall
        .command(&["token", "generate", "okta", "--dialect", "okta", "--output", "json"])
        .succeeded()
        .json();
    let okta = Rollcall::scim_at(&rollcall.service, made["token"].as_str().unwrap());
    rollcall
        .command(&["token", "generate", "nodes", "--scope", "nss-user", "--output", "json"])
        .succeeded();
    let mut ids = Vec::new();
    for (name, display) in [
        ("jane", "Jane Doe"),
        ("joe", "Joe Miller"),
        ("mei", "梅 Lin"),
        ("noor", "نور"),
    ] {
        let address = format!("{name}@example.org");
        let user = json!({"userName": address, "displayName": display, "externalId": format!("00u-{name}"),
            "emails": [{"value": address, "primary": true}]});
        ids.push(okta.post("/Users", &user).await.expect(201).id().to_owned());
    }
    let members: Vec<&str> = ids.iter().map(String::as_str).collect();
    let lab = okta
        .post("/Groups", &group("Genome Lab", &members))
        .await
        .expect(201)
        .id()
        .to_owned();
    okta.post("/Groups", &group("Finance", &members[1..])).await.expect(201);
    rollcall.command(&["group", "add", "gpu-users"]).succeeded();
    rollcall
        .command(&["group", "add-member", "gpu-users", "jane"])
        .succeeded();
    rollcall.command(&["user", "lock", "joe", "--force"]).succeeded();
    okta.post("/Users", &json!({"userName": "jane@example.org"}))
        .await
        .expect(409);
    okta.query("/Users", &[("filter", "userName eq")]).await.expect(400);
    let noted = "select count(*) from store.scim_requests where status >= 400";
    wait_until("the failed pushes are noted", Duration::from_secs(10), async || {
        rollcall.number(noted).await == 2
    })
    .await;
    [id_of(rollcall, "jane"), lab, made["id"].as_str().unwrap().to_owned()]
}

#[tokio::test]
async fn every_page_is_accessible_and_administrators_need_no_mouse() {
    let Some(folder) = oidc_provider() else { return };
    let (port, own_port) = (free_port(), free_port());
    let (issuer, listen) = (format!("http://127.0.0.1:{port}"), format!("127.0.0.1:{own_port}"));
    claim_groups(&folder, port, &json!([]));
    let _provider = start_oidc_provider(&folder, port, &format!("http://{listen}/openid/callback"));
    ready(&format!("{issuer}/.well-known/openid-configuration")).await;
    let client = ClientFile::new(SECRET);
    let settings = [
        &PROXY[..],
        &[
            ("listen", &listen),
            ("user-provisioning-start-uid", "10000"),
            ("group-provisioning-start-gid", "10000"),
            ("deletion-limit-per-hour", "100"),
            ("auth-openid", "1"),
            ("auth-openid-issuer", &issuer),
            ("auth-openid-client-file", client.path()),
        ],
    ];
    let rollcall = Rollcall::start_with(&settings.concat()).await;
    rollcall
        .command(&["user", "add", "user1", "--display-name", "User One", "--admin"])
        .succeeded();
    let [jane, lab, token] = furnish(&rollcall).await;
    let session = signed_in(&rollcall.service, "user1").await.cookies["rollcall-session"].clone();
    let pages = [
        ("overview", "/admin".to_owned()),
        ("users", "/admin/users".to_owned()),
        ("users-found", "/admin/users?q=j".to_owned()),
        ("user", format!("/admin/users/{jane}")),
        ("history", format!("/admin/users/{jane}/history")),
        ("lock", format!("/admin/users/{jane}/lock")),
        ("groups", "/admin/groups".to_owned()),
        ("group", format!("/admin/groups/{lab}")),
        ("tokens", "/admin/tokens".to_owned()),
        ("revoke", format!("/admin/tokens/{token}/revoke")),
    ];
    let view = |name: &str, path: &str, scheme: &str, width: u32| json!({"name": name, "path": path, "scheme": scheme, "width": width});
    let mut views: Vec<Value> = pages
        .iter()
        .map(|(name, path)| view(name, path, "light", 1024))
        .collect();
    views.push(view("overview-dark", "/admin", "dark", 1024));
    views.push(view("user-narrow", &format!("/admin/users/{jane}"), "light", 320));
    let pictures = std::env::var_os(WRITE).map(|_| PICTURES);
    let base = rollcall.service.url("api");
    let plan = json!({"base": base, "cookie": session, "views": views, "pictures": pictures, "walk": true});
    let Some(seen) = tokio::task::spawn_blocking(move || visit("admin.mjs", &plan))
        .await
        .unwrap()
    else {
        return;
    };
    let looks = seen["looks"].as_array().unwrap();
    looks.iter().for_each(judge);
    let names = looks.iter().map(|look| look["name"].as_str().unwrap());
    for name in names.chain(["token-made"]) {
        let picture = Path::new(PICTURES).join(format!("{name}.png"));
        let size = std::fs::metadata(&picture).map(|file| file.len());
        assert!(
            size.as_ref().is_ok_and(|size| *size < PICTURE_BYTES),
            "make pictures: {} {size:?}",
            picture.display()
        );
    }
    let walk = &seen["walk"];
    assert_eq!(
        (&walk["complaints"], &walk["violations"]),
        (&json!([]), &json!([])),
        "{walk:#}"
    );
    assert_eq!(
        (&walk["skipped"], &walk["locked"]),
        (&json!("main"), &json!("The user is locked.")),
        "{walk:#}"
    );
    let steps: Vec<&str> = walk["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|url| url.as_str().unwrap())
        .collect();
    assert!(steps[0].starts_with(&issuer), "{steps:?}");
    assert!(
        steps.contains(&&*format!("{base}/admin")),
        "back where one wanted to go: {steps:?}"
    );
    let scim = Rollcall::scim_at(&rollcall.service, walk["secret"].as_str().unwrap());
    scim.get("/Users").await.expect(200);
    rollcall.finish().await;
}

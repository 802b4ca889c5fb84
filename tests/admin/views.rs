//! What each page shows.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::{id_of, next, signed_in, start, start_with};
use crate::harness::database::Role;
use crate::harness::{Rollcall, wait_until};
use crate::login::browser::{Browser, Page};
use crate::login::openid::ClientFile;
use crate::login::provider::Provider;
use crate::scim::group;

/// Names that are markup, quotes or a template where nothing escapes them.
const ODD: [&str; 5] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }} &amp; {% raw %}",
    "</title><style>*{display:none}</style>",
];

/// Opens a page, which must be there.
pub(super) async fn open(browser: &mut Browser, url: &str) -> Page {
    let page = browser.get(url).await;
    assert_eq!(page.status, 200, "{url}: {}", page.body);
    page
}

/// The ids behind the links of a list.
pub(super) fn ids(page: &Page, kind: &str) -> Vec<String> {
    let link = format!("/admin/{kind}/");
    let links = page.body.split(&link).skip(1);
    links.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_overview_counts_what_a_young_database_has_and_shows_limits_of_single_tokens() {
    let rollcall = start().await;
    for name in ["Lab", "Office"] {
        rollcall.scim().post("/Groups", &group(name, &[])).await.expect(201);
    }
    let mut ann = signed_in(&rollcall.service, "ann").await;
    let page = open(&mut ann, &format!("{}/admin", rollcall.service.url("api"))).await;
    assert!(page.body.contains(", 1 users and 2 groups, epoch"), "{}", page.body);
    rollcall.command(&["token", "generate", "okta"]).succeeded();
    rollcall
        .command(&["brake", "limit", "okta", "--limit", "0"])
        .succeeded();
    let limits = open(&mut ann, &format!("{}/admin", rollcall.service.url("api"))).await;
    assert!(limits.body.contains("his own: any number"), "{}", limits.body);
    rollcall.database.populate(1_500).await;
    let client = rollcall.database.connect(Role::Superuser).await;
    client.batch_execute("analyze").await.unwrap();
    let page = open(&mut ann, &format!("{}/admin", rollcall.service.url("api"))).await;
    assert!(page.body.contains(", about 1501 users and 2 groups"), "{}", page.body);
    rollcall.finish().await;
}

#[tokio::test]
async fn a_user_is_found_by_each_of_his_names_addresses_and_numbers() {
    let rollcall = start().await;
    let urn = crate::scim::WORKBENCH;
    let jane = json!({"userName": "Jörg.Müller@example.org", "displayName": "Doctor Müller", "emails": [
        {"value": "first@lab.example"}, {"value": "fifth@lab.example"}], urn: {"posixUserName": "jmu", "posixUserId": 4711}});
    let jane = rollcall.scim().post("/Users", &jane).await.expect(201).id().to_owned();
    rollcall
        .scim()
        .post("/Users", &json!({"userName": "joe@example.org"}))
        .await
        .expect(201);
    let api = rollcall.service.url("api");
    let mut ann = signed_in(&rollcall.service, "ann").await;
    for wanted in [
        "jm",
        "jmu",
        "JÖRG",
        "jörg.müller@example.org",
        "doctor m",
        "FIRST@",
        "fifth@lab.example",
        "f",
        "4711",
        "47",
        " Jörg ",
    ] {
        let url = reqwest::Url::parse_with_params(&format!("{api}/admin/users"), [("q", wanted)]).unwrap();
        let page = open(&mut ann, url.as_str()).await;
        assert_eq!(ids(&page, "users"), [jane.as_str()], "{wanted}: {}", page.body);
        assert_eq!(next(&page), None);
    }
    for wanted in [
        "nobody",
        "%",
        "_",
        "\\",
        "0",
        "04711",
        "99999999999999999999",
        "a\u{0}b\u{0}",
        "\u{10ffff}",
        &"x".repeat(5_000),
    ] {
        let url = reqwest::Url::parse_with_params(&format!("{api}/admin/users"), [("q", wanted)]).unwrap();
        let page = open(&mut ann, url.as_str()).await;
        assert_eq!(ids(&page, "users"), [""; 0], "{wanted}: {}", page.body);
        assert!(page.body.contains("Nobody is found."), "{}", page.body);
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn walking_the_pages_of_a_list_or_a_search_tells_everybody_once() {
    let rollcall = start().await;
    let everybody: BTreeSet<String> = rollcall.database.populate(130).await.into_iter().collect();
    let few: Vec<&str> = everybody.iter().map(String::as_str).collect();
    let scim = rollcall.scim();
    let team = scim
        .post("/Groups", &group("team", &few))
        .await
        .expect(201)
        .id()
        .to_owned();
    let api = rollcall.service.url("api");
    let mut ann = signed_in(&rollcall.service, "ann").await;
    for (kind, first, pages) in [
        ("users", format!("{api}/admin/users?q=member"), 3),
        ("users", format!("{api}/admin/users?q=10"), 3),
        ("users", format!("{api}/admin/groups/{team}"), 2),
    ] {
        let (mut url, mut told, mut count) = (Some(first.clone()), Vec::new(), 0);
        while let Some(at) = url {
            let page = open(&mut ann, &at).await;
            told.extend(ids(&page, kind));
            url = next(&page);
            count += 1;
        }
        assert_eq!(count, pages, "{first}");
        told.retain(|id| everybody.contains(id));
        assert_eq!(told.len(), everybody.len(), "{first}");
        assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), everybody, "{first}");
    }
    let page = open(&mut ann, &format!("{api}/admin/groups/{team}")).await;
    assert!(
        page.body.contains("<dt>Members</dt><dd><bdi>130</bdi></dd>"),
        "{}",
        page.body
    );
    for broken in ["x", "!!", "AAAA", "../..", "%00"] {
        for list in ["users", "groups", "tokens"] {
            open(&mut ann, &format!("{api}/admin/{list}?after={broken}")).await;
        }
        open(&mut ann, &format!("{api}/admin/groups/{team}?after={broken}")).await;
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn odd_names_are_text_on_every_page() {
    let rollcall = start().await;
    let (api, scim) = (rollcall.service.url("api"), rollcall.scim());
    let mut ann = signed_in(&rollcall.service, "ann").await;
    for (number, odd) in ODD.iter().enumerate() {
        let user = json!({"userName": format!("{odd}{number}"), "displayName": odd, "externalId": odd,
            "emails": [{"value": format!("{odd}@x")}]});
        let user = scim.post("/Users", &user).await.expect(201).id().to_owned();
        let named = json!({"displayName": odd, "externalId": odd, "members": [{"value": user}]});
        let group = scim.post("/Groups", &named).await.expect(201).id().to_owned();
        let made = rollcall
            .command(&["token", "generate", odd, "--output", "json"])
            .succeeded()
            .json();
        let token = made["id"].as_str().unwrap().to_owned();
        let pushed = Rollcall::scim_at(&rollcall.service, made["token"].as_str().unwrap());
        pushed.query("/Users", &[("filter", odd)]).await.expect(400);
        let failed = format!("select count(*) from store.scim_requests where token = '{token}'");
        wait_until("the failed push is noted", Duration::from_secs(10), async || {
            rollcall.number(&failed).await == 1
        })
        .await;
        for path in [
            "/admin".to_owned(),
            "/admin/users".to_owned(),
            format!("/admin/users/{user}"),
            format!("/admin/users/{user}/history"),
            format!("/admin/users/{user}/lock"),
            format!("/admin/users/{user}/unlock"),
            "/admin/groups".to_owned(),
            format!("/admin/groups/{group}"),
            "/admin/tokens".to_owned(),
            format!("/admin/tokens/{token}/revoke"),
        ] {
            let page = open(&mut ann, &format!("{api}{path}")).await;
            assert!(!page.body.contains(odd), "{path}: {}", page.body);
        }
        for path in ["/admin/users", "/admin/groups"] {
            let url = reqwest::Url::parse_with_params(&format!("{api}{path}"), [("q", *odd), ("after", *odd)]).unwrap();
            let page = open(&mut ann, url.as_str()).await;
            assert!(!page.body.contains(odd), "{path}: {}", page.body);
            let count = ids(&page, path.rsplit('/').next().unwrap()).len();
            assert_eq!(count, 1, "found by what it is called: {}", page.body);
        }
        // Who is signed in stands on every page, that of a refusal too.
        let name = format!("{odd}{number}");
        let mut odd_one = signed_in_as_user(&rollcall, &user).await;
        let page = odd_one.get(&format!("{api}/admin/users/x?done={}", "%3Cb%3E")).await;
        assert_eq!(page.status, 404);
        assert!(
            !page.body.contains(&name) && page.body.contains("Signed in as"),
            "{}",
            page.body
        );
    }
    rollcall.finish().await;
}

/// A browser with a session of that user, who becomes an administrator; for names that no header can carry.
async fn signed_in_as_user(rollcall: &Rollcall, id: &str) -> Browser {
    rollcall.command(&["user", "set-admin", id, "1"]).succeeded();
    let cookie = "B".repeat(42) + &id[..1];
    let database = rollcall.database.connect(Role::Superuser).await;
    let sql = "insert into store.sessions (id_hash, user_id, provider, created, last_seen, expires_at)
               values (sha256(convert_to($1, 'UTF8')), $2::text::uuid, 'headers', now(), now(), now() + interval '1 hour')
               on conflict (id_hash) do update set user_id = excluded.user_id";
    database.execute(sql, &[&cookie, &id]).await.unwrap();
    let mut browser = Browser::new();
    browser.cookies.insert("rollcall-session".into(), cookie);
    browser
}

#[tokio::test]
async fn the_overview_tells_numbers_providers_database_and_failed_pushes() {
    let provider = Provider::start().await;
    let client = ClientFile::new("s");
    let rollcall = start_with(&[
        ("auth-openid", "1"),
        ("auth-openid-issuer", provider.issuer()),
        ("auth-openid-client-file", client.path()),
        ("user-provisioning-start-uid", "1000"),
        ("user-provisioning-max-uid", "1003"),
    ])
    .await;
    let made = rollcall
        .command(&["token", "generate", "okta", "--output", "json"])
        .succeeded()
        .json();
    let okta = Rollcall::scim_at(&rollcall.service, made["token"].as_str().unwrap());
    okta.post("/Users", &json!({"userName": "ann"})).await.expect(409);
    let noted = "select count(*) from store.scim_requests where status = 409";
    wait_until("the failed push is noted", Duration::from_secs(10), async || {
        rollcall.number(noted).await == 1
    })
    .await;
    let url = format!("{}/admin", rollcall.service.url("api"));
    let mut ann = signed_in(&rollcall.service, "ann").await;
    let page = open(&mut ann, &url).await;
    for told in [
        "<th scope=\"row\">users</th><td class=\"number\">3</td><td class=\"number\">4</td>",
        &format!("OpenID Connect: {} answers", provider.issuer()),
        "No synchronous standby",
        "is a primary, not a standby",
        "<bdi>okta</bdi>",
        "uniqueness",
        "POST /scim/v2/Users",
    ] {
        assert!(page.body.contains(told), "{told}: {}", page.body);
    }
    for _ in 0..3 {
        rollcall
            .command(&["user", "add", &format!("u{}", uuid::Uuid::new_v4().simple())])
            .succeeded();
    }
    let page = open(&mut ann, &url).await;
    assert!(
        page.body.contains("raise <code>user-provisioning-max-uid</code>"),
        "{}",
        page.body
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn a_provider_that_is_away_is_bad_and_the_page_is_there_all_the_same() {
    let gone = format!("http://127.0.0.1:{}", crate::login::peers::free_port());
    let client = ClientFile::new("s");
    let rollcall = start_with(&[
        ("auth-openid", "1"),
        ("auth-openid-issuer", &gone),
        ("auth-openid-client-file", client.path()),
    ])
    .await;
    let mut ann = signed_in(&rollcall.service, "ann").await;
    let page = open(&mut ann, &format!("{}/admin", rollcall.service.url("api"))).await;
    let told = format!("<strong class=\"bad\">error</strong> OpenID Connect: {gone}");
    assert!(page.body.contains(&told), "{}", page.body);
    rollcall.finish().await;
}

#[cfg(feature = "saml")]
#[tokio::test]
async fn the_certificates_of_a_saml_provider_are_told_before_they_expire() {
    for (days, told) in [
        (
            300,
            "<strong class=\"good\">ok</strong> SAML: a certificate of https://idp.example.org/meta is valid until",
        ),
        (
            5,
            "<strong class=\"warning\">warning</strong> SAML: a certificate of https://idp.example.org/meta expires in 4 days",
        ),
    ] {
        let folder = crate::login::peers::Folder::new("metadata");
        let metadata = folder.0.join("metadata.xml");
        let provider = crate::login::identity_provider::IdentityProvider::lasting(days);
        std::fs::write(&metadata, provider.metadata("signing")).unwrap();
        let rollcall = start_with(&[
            ("auth-saml", "1"),
            ("auth-saml-metadata-path", metadata.to_str().unwrap()),
        ])
        .await;
        let url = format!("{}/admin", rollcall.service.url("api"));
        let page = open(&mut signed_in(&rollcall.service, "ann").await, &url).await;
        assert!(page.body.contains(told), "{told}: {}", page.body);
        rollcall.finish().await;
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_a_time_line_goes_as_far_back_as_is_offered() {
    let rollcall = start().await;
    let (api, id) = (rollcall.service.url("api"), id_of(&rollcall, "ann"));
    let mut ann = signed_in(&rollcall.service, "ann").await;
    let nobody = uuid::Uuid::new_v4();
    for path in [
        "users/x".to_owned(),
        "users/%00".to_owned(),
        format!("users/{nobody}"),
        format!("users/{nobody}/lock"),
        format!("users/{nobody}/history"),
        format!("groups/{nobody}"),
        format!("groups/{id}"),
        "tokens/x/revoke".to_owned(),
        "tokens/%00/revoke".to_owned(),
    ] {
        let page = ann.get(&format!("{api}/admin/{path}")).await;
        assert_eq!(page.status, 404, "{path}: {}", page.body);
        assert!(page.body.contains("role=\"alert\""), "{}", page.body);
    }
    for (days, shown) in [
        ("", "7"),
        ("?days=90", "90"),
        ("?days=5", "7"),
        ("?days=-1", "7"),
        ("?days=x", "7"),
    ] {
        let page = open(&mut ann, &format!("{api}/admin/users/{id}/history{days}")).await;
        assert!(
            page.body
                .contains(&format!("What has happened in the last {shown} days")),
            "{}",
            page.body
        );
        assert!(page.body.contains("create user"), "{}", page.body);
    }
    rollcall.finish().await;
}

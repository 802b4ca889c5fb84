//! A provider that misbehaves in every way of the list: tokens, signatures, keys, discovery, callbacks, userinfo, endpoints.

use super::*;

#[tokio::test]
async fn tokens_that_are_not_what_they_must_be_are_refused() {
    let stage = Stage::set().await;
    let far = jiff::Timestamp::now().as_second() + 3_600;
    for (what, claims) in [
        ("wrong iss", json!({"iss": "https://evil.org"})),
        (
            "iss with a slash more",
            json!({"iss": format!("{}/", stage.provider.issuer())}),
        ),
        ("wrong aud", json!({"aud": "another"})),
        ("several aud without azp", json!({"aud": [CLIENT, "another"]})),
        ("azp of another", json!({"aud": [CLIENT, "another"], "azp": "another"})),
        ("single aud, azp of another", json!({"azp": "another"})),
        ("no sub", json!({"sub": null})),
        ("empty sub", json!({"sub": ""})),
        ("no iat", json!({"iat": null})),
        ("no aud", json!({"aud": null})),
        ("no exp", json!({"exp": null})),
        ("wrong nonce", json!({"nonce": "n"})),
        ("no nonce", json!({"nonce": null})),
        ("wrong at_hash", json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"})),
        ("expired", json!({"exp": 1_700_000_000, "iat": 1_699_999_000})),
        ("iat far ahead", json!({"iat": far, "exp": far + 300})),
    ] {
        stage.provider.behaviour().claims = claims;
        stage.expect_refusal("invalid_assertion", what).await;
    }
    for (what, claims) in [
        ("no user name", json!({"preferred_username": null})),
        ("empty user name", json!({"preferred_username": " "})),
    ] {
        stage.provider.behaviour().claims = claims;
        stage.expect_refusal("user_name", what).await;
    }
    for name in [json!(["jane"]), json!({"a": "jane"}), json!(7)] {
        stage.provider.behaviour().claims = json!({"preferred_username": name});
        stage
            .expect_refusal("invalid_assertion", "user name of another type")
            .await;
    }
    let users = stage.rollcall.scim().get("/Users").await.expect(200);
    assert_eq!(users.body["totalResults"], 0);
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn signatures_that_prove_nothing_are_refused() {
    let stage = Stage::set().await;
    for signing in [
        Signing::None,
        Signing::PublicKeyAsSecret,
        Signing::Broken,
        Signing::Stranger,
    ] {
        stage.provider.behaviour().signing = signing;
        stage.expect_refusal("invalid_assertion", &format!("{signing:?}")).await;
    }
    stage.provider.behaviour().signing = Signing::Proper;
    stage.expect_success().await;
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn keys_are_found_by_id_or_by_being_the_only_one_and_rotation_is_noticed() {
    let stage = Stage::set().await;
    stage.expect_success().await;
    stage.provider.behaviour().keys.push(Key::new("second"));
    stage.expect_success().await;
    stage.provider.behaviour().header = json!({"kid": null});
    stage
        .expect_refusal("invalid_assertion", "no kid and several keys")
        .await;
    stage.provider.behaviour().keys.remove(0);
    // The keys are read again because of a token every two seconds at most.
    wait_until(
        "a token without kid and the only key",
        Duration::from_secs(10),
        async || stage.sign_in().await.status == 303,
    )
    .await;
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn a_discovery_document_of_another_issuer_is_refused() {
    let stage = Stage::set().await;
    let mut browser = Browser::new();
    for (discovery, status) in [
        (json!({"issuer": "https://evil.org"}), 403),
        (json!({"token_endpoint": "http://192.0.2.1/token"}), 403),
        (json!({"jwks_uri": null}), 403),
    ] {
        stage.provider.behaviour().discovery = discovery.clone();
        let url = format!("{}/openid/login", stage.url());
        wait_until("the provider is asked again", Duration::from_secs(5), async || {
            browser.get(&url).await.status == status
        })
        .await;
    }
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn callbacks_that_belong_to_nobody_here_are_refused() {
    let stage = Stage::set().await;
    let url = format!("{}/openid/callback", stage.url());
    let mut browser = Browser::new();
    let query = stage.begin(&mut browser).await;
    for bad in [
        "",
        "?code=c0de",
        "?code=c0de&state=",
        "?code=c0de&state=unknown",
        "?code=c0de&state=a&state=b",
    ] {
        assert_eq!(browser.get(&format!("{url}{bad}")).await.status, 400, "{bad}");
    }
    let mut stranger = Browser::new();
    stage.begin(&mut stranger).await;
    assert_eq!(
        stranger.get(&format!("{url}?{query}")).await.status,
        400,
        "another browser's cookie"
    );
    assert_eq!(
        browser.get(&format!("{url}?{query}")).await.status,
        400,
        "which uses the state up"
    );
    let query = stage.begin(&mut browser).await;
    let page = browser.get(&format!("{url}?{query}&iss=https%3A%2F%2Fevil.org")).await;
    assert_eq!(page.status, 403, "a mix-up of providers");
    let query = stage.begin(&mut browser).await;
    let state = query.split_once('&').unwrap().1;
    let page = browser
        .get(&format!(
            "{url}?error=access_denied&error_description=%3Cscript%3E&{state}"
        ))
        .await;
    assert_eq!(page.status, 403);
    assert!(!page.body.contains("script>") && page.body.contains("Sign in again"));
    let query = stage.begin(&mut browser).await;
    assert_eq!(
        browser
            .get(&format!("{url}?{}", query.replace("c0de", "stolen")))
            .await
            .status,
        403
    );
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn userinfo_is_asked_for_what_is_missing_and_must_be_of_the_same_person() {
    let stage = Stage::set().await;
    {
        let mut behaviour = stage.provider.behaviour();
        behaviour.claims = json!({"groups": null, "name": null});
        behaviour.userinfo =
            json!({"sub": "s-1", "name": "From Userinfo", "groups": ["more"], "email": "not@this.one"});
    }
    stage.expect_success().await;
    let shown = stage
        .rollcall
        .command(&["user", "show", "jane", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(
        (&shown["displayName"], &shown["groups"]),
        (&json!("From Userinfo"), &json!(["more"]))
    );
    for (what, userinfo, kind) in [
        (
            "another sub",
            json!({"sub": "s-2", "groups": ["admins"]}),
            "application/json",
        ),
        ("no sub", json!({"groups": ["admins"]}), "application/json"),
        ("signed", json!({"sub": "s-1", "groups": ["admins"]}), "application/jwt"),
    ] {
        {
            let mut behaviour = stage.provider.behaviour();
            (behaviour.userinfo, behaviour.userinfo_type) = (userinfo, kind);
        }
        stage.expect_refusal("invalid_assertion", what).await;
    }
    assert_eq!(stage.groups(), json!(["more"]));
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn a_token_endpoint_that_redirects_hangs_floods_or_fails_ends_in_a_page_in_time() {
    let stage = Stage::set().await;
    for (manner, reason) in [
        (Manner::Redirects, "invalid_assertion"),
        (Manner::Floods, "invalid_assertion"),
        (Manner::Fails, "invalid_assertion"),
        (Manner::Hangs, "provider_unavailable"),
    ] {
        stage.provider.behaviour().token = manner;
        let started = Instant::now();
        stage.expect_refusal(reason, &format!("{manner:?}")).await;
        assert!(started.elapsed() < Duration::from_secs(16), "{manner:?}");
    }
    stage.rollcall.finish().await;
}

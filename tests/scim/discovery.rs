//! Discovery, and the answers of endpoints that are none (RFC 7644 §4).

use reqwest::Method;
use serde_json::json;

use super::{GROUP, USER, WORKBENCH};
use crate::harness::Rollcall;

#[tokio::test]
async fn the_service_announces_what_it_does_and_its_limits() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let config = scim.get("/ServiceProviderConfig").await.expect(200);
    assert_eq!(scim.get("/ServiceProviderConfigs").await.expect(200).body, config.body);
    for feature in ["patch", "bulk", "filter", "sort", "etag"] {
        assert_eq!(config.body[feature]["supported"], true, "{feature}");
    }
    assert_eq!(config.body["changePassword"]["supported"], false);
    assert_eq!(config.body["filter"]["maxResults"], 1000);
    assert_eq!(config.body["bulk"]["maxOperations"], 1000);
    assert_eq!(config.body["bulk"]["maxPayloadSize"], 8_388_608);
    assert_eq!(config.body["pagination"]["cursor"], true);
    assert_eq!(config.body["pagination"]["defaultPaginationMethod"], "index");
    assert_eq!(config.body["authenticationSchemes"][0]["type"], "oauthbearertoken");
    let location = format!("{}/scim/v2/ServiceProviderConfig", rollcall.service.url("api"));
    assert_eq!(config.body["meta"]["location"], location);
    rollcall.finish().await;
}

#[tokio::test]
async fn every_schema_and_resource_type_can_be_read_by_itself() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let schemas = scim.get("/Schemas").await.expect(200);
    let list = schemas.body["Resources"].as_array().unwrap();
    assert_eq!(schemas.body["totalResults"], list.len());
    for schema in list {
        let urn = schema["id"].as_str().unwrap();
        assert_eq!(scim.get(&format!("/Schemas/{urn}")).await.expect(200).body, *schema);
        assert!(!schema.to_string().contains("null"), "{urn} has nulls");
    }
    for urn in [
        USER,
        GROUP,
        WORKBENCH,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    ] {
        assert!(list.iter().any(|schema| schema["id"] == urn), "{urn}");
    }
    let types = scim.get("/ResourceTypes?startIndex=7&sortBy=name").await.expect(200);
    for kind in types.body["Resources"].as_array().unwrap() {
        let name = kind["name"].as_str().unwrap();
        assert_eq!(
            scim.get(&format!("/ResourceTypes/{name}")).await.expect(200).body,
            *kind
        );
    }
    scim.get("/Schemas/urn:none").await.expect_error(404, "");
    scim.get("/ResourceTypes/None").await.expect_error(404, "");
    scim.query("/Schemas", &[("filter", "id pr")])
        .await
        .expect_error(403, "");
    rollcall.finish().await;
}

#[tokio::test]
async fn wrong_methods_and_unknown_endpoints_are_told_apart() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    for (method, path, status) in [
        (Method::POST, "/ServiceProviderConfig", 405),
        (Method::DELETE, "/Schemas", 405),
        (Method::PUT, "/ResourceTypes", 405),
        (Method::DELETE, "/Users", 405),
        (Method::GET, "/Bulk", 405),
        (Method::GET, "/Me", 501),
        (Method::PATCH, "/Me", 501),
        (Method::GET, "/Nothing", 404),
        (Method::GET, "/Users/a/b", 404),
        (Method::GET, "/Users/%C3%A9%2F%00", 404),
        (Method::GET, "/Users/%FF", 404),
        (Method::PATCH, "/Groups/%C3%28", 404),
        (Method::GET, "/Schemas/%FF", 404),
        (Method::GET, "", 404),
    ] {
        let answer = scim.send(scim.request_with(method.clone(), path, &json!({}))).await;
        let shown = format!("{method} {path}");
        assert_eq!(answer.status, status, "{shown}");
        assert_eq!(answer.body["status"], status.to_string(), "{shown}: {}", answer.body);
    }
    scim.get("/Users/").await.expect(200);
    rollcall.finish().await;
}

#[tokio::test]
async fn addresses_come_from_public_url_and_never_from_the_request() {
    let rollcall = Rollcall::start_with(&[("public-url", "https://users.example.org/rollcall")]).await;
    let scim = rollcall.scim();
    let forged = scim
        .request_with(Method::POST, "/Users", &super::user("jane"))
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example");
    let created = scim.send(forged).await.expect(201);
    let location = format!("https://users.example.org/rollcall/scim/v2/Users/{}", created.id());
    assert_eq!(created.header("location"), location);
    assert_eq!(created.body["meta"]["location"], location);
    rollcall.finish().await;
}

//! The description and the router say the same.

use std::collections::BTreeSet;

use super::describe;

/// What one line of the router's source names, if it is a route; SCIM's without their prefix and the slash at their end.
fn routes() -> BTreeSet<String> {
    let source: String = include_str!("../../http.rs").split_whitespace().collect();
    let with_saml = cfg!(feature = "saml");
    source
        .split(".route(\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .filter(|path| with_saml || !path.starts_with("/saml/"))
        .map(|path| path.strip_prefix("/scim/v2").unwrap_or(path).to_owned())
        .filter(|path| !path.ends_with('/') && path != "/Me")
        .collect()
}

#[test]
fn every_route_of_every_listener_is_described_and_nothing_else() {
    let described = describe("http://x");
    let paths: BTreeSet<String> = described["paths"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(paths, routes());
}

#[test]
fn every_reference_leads_somewhere() {
    let described = describe("http://x");
    let text = described.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(described["components"]["schemas"].get(name).is_some(), "{name}");
    }
}

#[test]
fn a_request_must_have_what_an_answer_may_leave_out() {
    let described = describe("http://x");
    let schema = |pointer: &str| {
        let reference = described
            .pointer(pointer)
            .and_then(|found| found["$ref"].as_str())
            .unwrap();
        &described["components"]["schemas"][reference.rsplit('/').next().unwrap()]
    };
    for (path, required) in [("~1Users", "userName"), ("~1Groups", "displayName")] {
        let body = format!("/paths/{path}/post/requestBody/content/application~1scim+json/schema");
        let answer = format!("/paths/{path}/post/responses/201/content/application~1scim+json/schema");
        assert_eq!(schema(&body)["required"], serde_json::json!([required]));
        assert!(schema(&answer).get("required").is_none());
        assert_eq!(schema(&body)["properties"], schema(&answer)["properties"]);
    }
}

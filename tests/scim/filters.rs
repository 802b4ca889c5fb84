//! Filters on a real database: what SQL finds is what the same filter finds in memory.

use std::collections::BTreeSet;

use rollcall::scim::filter;
use rollcall::scim::schema::ResourceType;
use serde_json::{Value, json};

use super::{WORKBENCH, group};
use crate::harness::Rollcall;
use crate::harness::client::Scim;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Texts that trip careless SQL: wildcards, quotes, escapes, other scripts, both forms of an accent, and long ones.
const TEXTS: [&str; 20] = [
    "plain",
    "PLAIN",
    "100%",
    "a_b",
    "axb",
    "back\\slash",
    "single'quote",
    "double\"quote",
    "Straße",
    "STRASSE",
    "e\u{301}cole",
    "\u{e9}cole",
    "日本語",
    "\u{1F600}",
    "a b",
    "tab\\tno",
    "$1",
    "{brace}",
    "[bracket]",
    "null",
];

/// Element filters, logic and odd literals; `ENTERPRISE` and `WORKBENCH` stand for the extensions.
const COMBINED: [&str; 24] = [
    "emails[type eq \"work\" and value co \"PLAIN\"]",
    "emails[type eq \"home\" and primary eq true]",
    "emails[not (type eq \"home\")]",
    "emails[type eq \"work\" or type eq \"home\"]",
    "emails[type eq \"work\"].value sw \"STRASSE\"",
    "phoneNumbers[type eq \"fax\"] and nickName pr",
    "phoneNumbers[not (type pr)].value co \"a\"",
    "groups.display eq \"STRASSE 7\"",
    "groups[display sw \"stra\"]",
    "not (groups pr) and active eq true",
    "displayName eq null",
    "displayName ne null",
    "externalId eq \"PLAIN\" or externalId eq \"plain\"",
    "userName eq \"plain-0\" or userName eq \"PLAIN-2\" or userName eq \"100%-4\" or displayName co \"'\"",
    "not (userName sw \"a\" or userName sw \"s\") and (active eq true or title pr)",
    "x509Certificates.value eq \"QUJD\"",
    "profileUrl ew \"/8\"",
    "ENTERPRISE:department co \"a\"",
    "ENTERPRISE:manager eq \"M2\"",
    "ENTERPRISE:manager.value eq \"m2\"",
    "schemas eq \"ENTERPRISE\"",
    "schemas eq \"WORKBENCH\"",
    "WORKBENCH:posixUserId gt 1e300",
    "WORKBENCH:posixUserId lt -99999999999999999999",
];

/// Forty varied users, as the service shows them.
async fn crowd(scim: &Scim) -> Vec<Value> {
    for (n, text) in TEXTS.iter().enumerate() {
        for half in 0..2 {
            let number = n * 2 + half;
            let mut body = json!({"schemas": [super::USER], "userName": format!("{text}-{number}")});
            body["active"] = (number % 3 != 0).into();
            if half == 0 {
                body["displayName"] = (*text).into();
                body["externalId"] = (*text).into();
                body["name"] = json!({"familyName": text, "givenName": format!("G{n}")});
                body["emails"] = json!([{"value": format!("{text}@Work"), "type": "work", "primary": true},
                                        {"value": format!("u{number}@home"), "type": "home"}]);
                body["x509Certificates"] = json!([{"value": "QUJD"}]);
            }
            if number % 4 == 0 {
                body["title"] = "".into();
                body["nickName"] = text.to_uppercase().into();
                body["phoneNumbers"] = json!([{"value": "+1", "type": "fax"}, {"value": text}]);
                body["profileUrl"] = format!("https://example.org/{number}").into();
                body[ENTERPRISE] = json!({"department": text, "manager": {"value": format!("M{n}")}});
            }
            if number % 5 == 0 {
                body[WORKBENCH] = json!({"admin": number % 2 == 0, "posixUserId": 40_000 + number});
            }
            scim.post("/Users", &body).await.expect(201);
        }
    }
    scim.get("/Users?count=1000").await.expect(200).body["Resources"]
        .as_array()
        .unwrap()
        .clone()
}

fn in_memory(users: &[Value], text: &str) -> BTreeSet<String> {
    let parsed = filter::parse(ResourceType::User, text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let found = users
        .iter()
        .filter(|user| filter::matches(&parsed, user.as_object().unwrap()));
    found.map(|user| user["id"].as_str().unwrap().to_owned()).collect()
}

async fn in_database(scim: &Scim, text: &str) -> BTreeSet<String> {
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": text,
                        "count": 1000, "attributes": ["id"]});
    let answer = scim.post("/Users/.search", &search).await;
    assert_eq!(answer.status, 200, "{text}: {}", answer.body);
    let found = answer.body["Resources"].as_array().unwrap();
    assert_eq!(answer.body["totalResults"], found.len(), "{text}");
    found
        .iter()
        .map(|user| user["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn agree(scim: &Scim, users: &[Value], filters: impl IntoIterator<Item = String>) {
    let mut nonempty = 0;
    for text in filters {
        let expected = in_memory(users, &text);
        nonempty += usize::from(!expected.is_empty() && expected.len() < users.len());
        assert_eq!(in_database(scim, &text).await, expected, "{text}");
    }
    assert!(nonempty > 0, "no filter tells anybody apart");
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[tokio::test]
async fn every_operator_on_every_kind_of_text_finds_what_memory_finds() {
    let rollcall = Rollcall::start_unlimited(&[]).await;
    let scim = rollcall.scim();
    let users = crowd(&scim).await;
    assert_eq!(users.len(), 40);
    let attributes = [
        "userName",
        "displayName",
        "externalId",
        "nickName",
        "name.familyName",
        "emails.value",
        "emails",
        "phoneNumbers.value",
        "title",
    ];
    let mut filters = Vec::new();
    for (n, text) in TEXTS.iter().enumerate() {
        let part: String = text.chars().take(3).collect();
        for (m, attribute) in attributes.iter().enumerate() {
            // A third of the combinations each; every operator meets every attribute and every text.
            for (o, operator) in ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]
                .iter()
                .enumerate()
            {
                if (n + m + o) % 3 == 0 {
                    let value = if o < 2 { text } else { &*part };
                    filters.push(format!("{attribute} {operator} {}", quoted(value)));
                }
            }
        }
    }
    agree(&scim, &users, filters).await;
    rollcall.finish().await;
}

#[tokio::test]
async fn every_kind_of_attribute_finds_what_memory_finds() {
    let rollcall = Rollcall::start_unlimited(&[]).await;
    let scim = rollcall.scim();
    let users = crowd(&scim).await;
    let members: Vec<&str> = users.iter().take(9).map(|user| user["id"].as_str().unwrap()).collect();
    let team = scim.post("/Groups", &group("Straße 7", &members)).await.expect(201);
    let users = scim.get("/Users?count=1000").await.expect(200).body["Resources"]
        .as_array()
        .unwrap()
        .clone();
    let id = users[7]["id"].as_str().unwrap();
    let time = users[20]["meta"]["lastModified"].as_str().unwrap();
    let location = users[3]["meta"]["location"].as_str().unwrap();
    let uid = users[11][WORKBENCH]["posixUserId"].as_i64().unwrap();
    let mut filters = Vec::new();
    for operator in ["eq", "ne", "gt", "ge", "lt", "le"] {
        filters.push(format!("meta.lastModified {operator} \"{time}\""));
        filters.push(format!("meta.created {operator} \"{time}\""));
        filters.push(format!("{WORKBENCH}:posixUserId {operator} {uid}"));
    }
    for operator in ["eq", "ne", "co", "sw", "ew"] {
        filters.push(format!("id {operator} \"{id}\""));
        filters.push(format!("meta.resourceType {operator} \"User\""));
        filters.push(format!("{WORKBENCH}:posixUserName {operator} \"plain-0\""));
        filters.push(format!("{WORKBENCH}:homeDirectory {operator} \"/home/plain-0\""));
    }
    for operator in ["eq", "ne"] {
        filters.push(format!("meta.location {operator} \"{location}\""));
    }
    for attribute in [
        "active",
        &format!("{WORKBENCH}:admin"),
        &format!("{WORKBENCH}:locked"),
        "emails.primary",
    ] {
        for literal in ["true", "false"] {
            filters.push(format!("{attribute} eq {literal}"));
            filters.push(format!("{attribute} ne {literal}"));
        }
    }
    for attribute in [
        "userName",
        "displayName",
        "title",
        "name",
        "name.givenName",
        "emails",
        "emails.type",
        "phoneNumbers",
        "groups",
        "meta",
        "active",
        "x509Certificates",
        "profileUrl",
        "ims",
        &format!("{ENTERPRISE}:department"),
        &format!("{ENTERPRISE}:manager"),
        &format!("{WORKBENCH}:lastSignIn"),
        "schemas",
        "id",
        "externalId",
    ] {
        filters.push(format!("{attribute} pr"));
        filters.push(format!("not ({attribute} pr)"));
    }
    filters.extend([
        format!("groups.value eq \"{}\"", team.id()),
        format!("groups eq \"{}\" or userName eq \"日本語-25\"", team.id()),
        format!("id eq \"{id}\" or id eq \"none\" or id eq \"{}\"", id.to_uppercase()),
        format!("{WORKBENCH}:posixUserId eq {uid}.0"),
    ]);
    filters.extend(COMBINED.map(|text| text.replace("ENTERPRISE", ENTERPRISE).replace("WORKBENCH", WORKBENCH)));
    agree(&scim, &users, filters).await;
    rollcall.finish().await;
}

#[tokio::test]
async fn broken_filters_are_refused_before_the_database_sees_them() {
    let rollcall = Rollcall::start_unlimited(&[]).await;
    let scim = rollcall.scim();
    let deep = |levels: usize| format!("{}userName pr{}", "(".repeat(levels), ")".repeat(levels));
    let terms = |count: usize| vec!["userName eq \"a\""; count].join(" or ");
    scim.query("/Users", &[("filter", &deep(30))]).await.expect(200);
    scim.query("/Users", &[("filter", &terms(200))]).await.expect(200);
    for text in [
        "userName zz \"x\"",
        "active gt true",
        "userName eq",
        "(userName pr",
        "userName eq \"a\" and",
        "emails[type eq \"work\"",
        "userName",
        "nonsense eq \"x\"",
        "userName eq x",
        "userName eq \"unclosed",
        "not userName pr",
        "userName pr pr",
        "emails.nonsense pr",
        "userName eq \"a\\u12\"",
        "meta.created gt \"yesterday\"",
        "urn:none:attribute pr",
        "x509Certificates.value gt \"A\"",
        "userName eq 'a'",
        "; drop table users",
        "members eq \"x\"",
        &deep(10_000),
        &terms(201),
        &format!("userName eq \"{}\"", "a".repeat(9_000)),
    ] {
        let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": text});
        let answer = scim.post("/Users/.search", &search).await;
        assert_eq!(
            (answer.status, answer.body["scimType"].as_str()),
            (400, Some("invalidFilter")),
            "{text:.60}: {}",
            answer.body
        );
        assert!(
            answer.body["detail"].as_str().unwrap().len() < 500,
            "the detail of an error stays short"
        );
    }
    rollcall.finish().await;
}

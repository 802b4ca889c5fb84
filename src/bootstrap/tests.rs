//! Bootstrap files, good and bad.

use serde_json::json;

use super::{Bootstrap, MAX_BYTES, Source};
use crate::scim::dialect::Dialect;
use crate::scim::document::normalise;
use crate::scim::schema::ResourceType;

const GOOD: &str = r#"
[[user]]
user-name = "jane@example.org"
posix-name = "jane"
uid = 20001
email = "jane@example.org"
admin = true

[[group]]
display-name = "Analysts"
members = ["jane@example.org"]

[[token]]
name = "okta"
scopes = ["scim"]
dialect = "okta"
file = "/run/secrets/okta"
"#;

fn present(body: &serde_json::Value) -> crate::scim::Document {
    normalise(ResourceType::User, body.as_object().unwrap().clone(), Dialect::Strict).unwrap()
}

#[test]
fn a_file_says_what_is_to_be_there() {
    let bootstrap = Bootstrap::parse(GOOD).unwrap();
    let draft = bootstrap.users[0].new_draft().unwrap();
    assert_eq!(
        (draft.posix_name.as_deref(), draft.uid, draft.admin),
        (Some("jane"), Some(20_001), Some(true))
    );
    assert_eq!(
        (draft.active, draft.home),
        (None, None),
        "what is not said stays unsaid"
    );
    assert_eq!(bootstrap.groups[0].members, ["jane@example.org"]);
    assert!(matches!(&bootstrap.tokens[0].source, Source::File(path) if path.ends_with("okta")));
}

#[test]
fn only_what_the_file_says_is_changed() {
    let bootstrap = Bootstrap::parse(GOOD).unwrap();
    let workbench = "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User";
    let as_said = present(
        &json!({"userName": "JANE@example.org", "title": "Dr", "emails": [{"value": "JANE@example.org"}],
        workbench: {"posixUserName": "jane", "posixUserId": 20001, "admin": true, "homeDirectory": "/data/jane"}}),
    );
    let mut named = as_said.clone();
    named.insert("userName".into(), "jane@example.org".into());
    assert_eq!(bootstrap.users[0].change(&named).unwrap(), None);
    let draft = bootstrap.users[0].change(&as_said).unwrap().unwrap();
    assert_eq!(draft.user_name, "jane@example.org");
    assert_eq!(draft.home.as_deref(), Some("/data/jane"));
    assert_eq!(draft.doc["title"], "Dr");
}

#[test]
fn every_fault_names_its_line_and_no_secret() {
    let cases = [
        ("[[user]]\nuser-name = \"a\"\nuserid = 3\n", 3, "userid"),
        ("[[users]]\n", 1, "users"),
        ("\n[[user]]\nuser-name = \n", 3, "value"),
        ("[[user]]\ndisplay-name = \"x\"\n", 1, "user-name"),
        ("[[user]]\nuser-name = \"a\"\nuid = -4\n", 3, "-4"),
        ("[[user]]\nuser-name = \"a\"\nhome = \"relative\"\n", 2, "homeDirectory"),
        (
            "[[user]]\nuser-name = \"a\"\n[[user]]\nuser-name = \"A\"\n",
            4,
            "line 2",
        ),
        ("[[group]]\ndisplay-name = \"\"\n", 2, "displayName"),
        ("[[token]]\nname = \"t\"\nscopes = []\nfile = \"/t\"\n", 2, "scopes"),
        (
            "[[token]]\nname = \"t\"\nscopes = [\"all\"]\nfile = \"/t\"\n",
            2,
            "unknown scope",
        ),
        ("[[token]]\nname = \"t\"\nscopes = [\"scim\"]\n", 2, "token-in-clear"),
        (
            "[[token]]\nname = \"t\"\nscopes = [\"scim\"]\nfile = \"t\"\n",
            2,
            "absolute",
        ),
        (
            "[[token]]\nname = \"t\"\nscopes = [\"scim\"]\nid = \"x\"\nsha256 = \"zz\"\n",
            2,
            "64",
        ),
        (
            "[[token]]\nname = \"t\"\nscopes = [\"scim\"]\ndays = 0\nfile = \"/t\"\n",
            2,
            "36500",
        ),
        (
            "[[token]]\nname = \"t\"\nscopes = [\"scim\"]\nsecret = \"rc_a.hush\"\n",
            4,
            "secret",
        ),
        (
            "[[token]]\nname = \"t\"\nscopes = [\"scim\"]\ntoken-in-clear = \"hush\"\n",
            2,
            "rc_<id>",
        ),
        (
            "[[token]]\nname = \"t\"\nscopes = [\"scim\"]\ntoken-in-clear = \"rc_short.hush\"\n",
            2,
            "43 characters",
        ),
    ];
    for (text, line, words) in cases {
        let fault = Bootstrap::parse(text).unwrap_err();
        assert_eq!(fault.line, line, "{text}: {fault}");
        assert!(fault.message.contains(words), "{text}: {fault}");
        assert!(!fault.message.contains("hush"), "{fault}");
    }
}

fn users(many: usize) -> String {
    let tables: Vec<String> = (0..many).map(|n| format!("[[user]]\nuser-name=\"u{n}\"\n")).collect();
    tables.concat()
}

#[test]
fn a_file_beyond_the_limits_is_refused() {
    let long = "#".repeat(MAX_BYTES + 1);
    assert!(Bootstrap::parse(&long).unwrap_err().message.contains("larger"));
    let many = users(super::MAX_ENTRIES + 1);
    assert!(Bootstrap::parse(&many).unwrap_err().message.contains("entries"));
    let deep = format!("user = {}", "[".repeat(100_000));
    assert!(Bootstrap::parse(&deep).is_err());
}

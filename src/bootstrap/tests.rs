//! Bootstrap files, good and bad.

use serde_json::json;

use super::{Bootstrap, MAX_BYTES, MAX_FAULTS, Present, Source};
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
    let bootstrap = Bootstrap::parse(GOOD.as_bytes()).unwrap();
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
    let bootstrap = Bootstrap::parse(GOOD.as_bytes()).unwrap();
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
        ("[[user]]\nuser-name = \"a\"\nhome = \"relative\"\n", 3, "homeDirectory"),
        (
            "[[user]]\nuser-name = \"a\"\n[[user]]\nuser-name = \"A\"\n",
            4,
            "line 2",
        ),
        ("[[group]]\ndisplay-name = \"\"\n", 2, "displayName"),
        ("[[token]]\nname = \"t\"\nscopes = []\nfile = \"/t\"\n", 3, "scopes"),
        (
            "[[token]]\nname = \"t\"\nscopes = [\"all\"]\nfile = \"/t\"\n",
            3,
            "unknown scope",
        ),
        ("[[token]]\nname = \"t\"\nscopes = [\"scim\"]\n", 2, "token-in-clear"),
        (
            "[[token]]\nname = \"t\"\nscopes = [\"scim\"]\nfile = \"t\"\n",
            4,
            "absolute",
        ),
        (
            "[[token]]\nname = \"t\"\nscopes = [\"scim\"]\nid = \"x\"\nsha256 = \"zz\"\n",
            5,
            "64",
        ),
        (
            "[[token]]\nname = \"t\"\nscopes = [\"scim\"]\ndays = 0\nfile = \"/t\"\n",
            4,
            "36500",
        ),
        (
            "[[token]]\nname = \"t\"\nscopes = [\"scim\"]\nsecret = \"rc_a.hush\"\nfile = \"/t\"\n",
            4,
            "secret",
        ),
        (
            "[[token]]\nname = \"t\"\nscopes = [\"scim\"]\ntoken-in-clear = \"hush\"\n",
            4,
            "rc_<id>",
        ),
        (
            "[[token]]\nname = \"t\"\nscopes = [\"scim\"]\ntoken-in-clear = \"rc_short.hush\"\n",
            4,
            "43 characters",
        ),
    ];
    for (text, line, words) in cases {
        let faults = Bootstrap::parse(text.as_bytes()).unwrap_err();
        let [fault] = &faults[..] else {
            panic!("{text}: {faults:?}")
        };
        assert_eq!(fault.line, line, "{text}: {fault}");
        assert!(fault.message.contains(words), "{text}: {fault}");
        assert!(!fault.message.contains("hush"), "{fault}");
    }
}

/// The lines and the beginnings of what is wrong with a file.
fn faults(text: &str) -> Vec<(usize, String)> {
    let faults = Bootstrap::parse(text.as_bytes()).unwrap_err().into_iter();
    faults.map(|fault| (fault.line, fault.message)).collect()
}

#[test]
fn all_faults_of_a_file_are_told_at_once() {
    let text = r#"
[[user]]
user-name = "a"
home = "relative"
shell = "also"
uid = "7"
admn = true

[[user]]
display-name = 3

[[user]]
user-name = "b"
uid = 20001

[[user]]
user-name = "B"
uid = 20001

[[token]]
name = "t"
scopes = ["all", "scim", "none"]
dialect = "klingon"
days = 0
file = "relative"

[[tokn]]
"#;
    let told = faults(text);
    let expected = [
        (4, "homeDirectory"),
        (5, "loginShell"),
        (6, "uid must be a whole number"),
        (7, "unknown key \"admn\""),
        (9, "user-name is missing"),
        (10, "display-name must be a text"),
        (17, "user-name \"b\" stands on line 13 already"),
        (18, "uid \"20001\" stands on line 14 already"),
        (22, "unknown scope"),
        (22, "unknown scope"),
        (23, "unknown dialect"),
        (24, "days must be from 1"),
        (25, "absolute path"),
        (27, "unknown key \"tokn\""),
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for ((line, message), (expected_line, words)) in told.iter().zip(expected) {
        assert_eq!(*line, expected_line, "{message}");
        assert!(message.contains(words), "{message}");
    }
    let syntax = faults("[[user]]\nuser-name = \nadmin = yes\n[[group]]\ndisplay-name \"x\"\n");
    let lines: Vec<usize> = syntax.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 5], "{syntax:?}");
}

#[test]
fn so_many_faults_are_told_and_no_more() {
    let text = "[[user]]\nuser-name = \"a\"\n".repeat(MAX_FAULTS + 10);
    let told = faults(&text);
    assert_eq!(told.len(), MAX_FAULTS + 1);
    assert!(told[MAX_FAULTS].1.contains("more than"), "{told:?}");
    let hostile = "[".repeat(MAX_BYTES);
    assert!(faults(&hostile).len() <= MAX_FAULTS + 1);
}

fn users(many: usize) -> String {
    let tables: Vec<String> = (0..many).map(|n| format!("[[user]]\nuser-name=\"u{n}\"\n")).collect();
    tables.concat()
}

#[test]
fn a_file_beyond_the_limits_is_refused() {
    let long = "#".repeat(MAX_BYTES + 1);
    assert!(faults(&long)[0].1.contains("larger"));
    let many = users(super::MAX_ENTRIES + 1);
    assert!(faults(&many)[0].1.contains("entries"));
    let deep = format!("user = {}", "[".repeat(100_000));
    assert!(Bootstrap::parse(deep.as_bytes()).is_err());
}

#[test]
fn settings_of_the_database_are_read_and_each_fault_of_them_is_told() {
    let good = "[[settings.reserved-ids]]\nfirst = 5000\nlast = 5999\nreason = \"service accounts\"\n\
                [[settings.reserved-ids]]\nfirst = 6000\nlast = 6000\nreason = \"one\"\nhard = true\n\
                [[settings.deletion-limits]]\ntoken = \"okta\"\nper-hour = 0\n";
    let bootstrap = Bootstrap::parse(good.as_bytes()).unwrap();
    let blocks = bootstrap.reserved_ids.iter();
    let blocks: Vec<_> = blocks
        .map(|block| (block.line, block.first, block.last, block.hard))
        .collect();
    assert_eq!(blocks, [(2, 5000, 5999, false), (6, 6000, 6000, true)]);
    assert_eq!(bootstrap.deletion_limits[0].per_hour, 0);
    let bad = "[settings]\ndeletion-limit-per-hour = 5\nreserved = 1\n\
               [[settings.reserved-ids]]\nfirst = 999\nlast = 998\nreason = \" \"\n\
               [[settings.reserved-ids]]\nfirst = 5000\nlast = 5999\nreason = \"a\"\n\
               [[settings.reserved-ids]]\nfirst = 5999\nlast = 6000\nreason = \"b\"\n\
               [[settings.deletion-limits]]\ntoken = \"okta\"\nper-hour = 1000001\n\
               [[settings.deletion-limits]]\ntoken = \"okta\"\n";
    let expected = [
        (2, "a setting of the service"),
        (3, "unknown key \"reserved\""),
        (5, "first must be a number that people may have"),
        (6, "last must be a number that people may have"),
        (6, "last must be 999 at least"),
        (7, "1 to 200"),
        (13, "overlap those of line 9"),
        (18, "1000000 at most"),
        (19, "per-hour is missing"),
        (20, "stands on line 17 already"),
    ];
    let told = faults(bad);
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for ((line, message), (expected_line, words)) in told.iter().zip(expected) {
        assert_eq!(*line, expected_line, "{message}");
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn what_is_not_utf_8_is_told_with_its_line() {
    let told = Bootstrap::parse(b"[[user]]\r\nuser-name = \"a\"\r\ndisplay-name = \"J\xf6rg\"\r\n").unwrap_err();
    assert_eq!((told.len(), told[0].line), (1, 3), "{told:?}");
    let marked = "\u{feff}[[user]]\r\nuser-name = \"a\"\r\n";
    assert_eq!(Bootstrap::parse(marked.as_bytes()).unwrap().users[0].line, 2);
}

#[test]
fn entries_that_stand_in_each_others_way_are_told_with_both_lines() {
    let text = "[[settings.reserved-ids]]\nfirst = 5000\nlast = 5999\nreason = \"x\"\nhard = true\n\
                [[settings.reserved-ids]]\nfirst = 6000\nlast = 6999\nreason = \"y\"\n\
                [[user]]\nuser-name = \"jane@a.org\"\nuid = 7000\n\
                [[user]]\nuser-name = \"j.doe\"\nposix-name = \"jane\"\n\
                [[user]]\nuser-name = \"jane@b.org\"\n\
                [[user]]\nuser-name = \"low\"\nuid = 5999\n\
                [[user]]\nuser-name = \"soft\"\nuid = 6000\n\
                [[group]]\ndisplay-name = \"Jane\"\nposix-name = \"jane\"\n\
                [[group]]\ndisplay-name = \"jane\u{e9}\"\ngid = 7000\n\
                [[group]]\ndisplay-name = \"edge\"\ngid = 5000\n\
                [[group]]\ndisplay-name = \"lab\"\n\
                [[group]]\ndisplay-name = \"Lab 2\"\nposix-name = \"lab\"\n\
                [[group]]\ndisplay-name = \"low\"\n";
    let bootstrap = Bootstrap::parse(text.as_bytes()).unwrap();
    let told = |present: &Present, suffix: bool| {
        let clashes = bootstrap.clashes(present, suffix);
        let all = clashes.users.into_iter().chain(clashes.groups);
        all.collect::<std::collections::BTreeMap<_, _>>()
    };
    let all = told(&Present::default(), false);
    for (key, words) in [
        ("j.doe", "the POSIX name jane goes to the entry of line 11"),
        ("jane@b.org", "the POSIX name jane goes to the entry of line 11"),
        ("low", "uid 5999 lies in the block 5000-5999 of line 2"),
        ("jane", "the POSIX name jane goes to the entry of line 11"),
        ("jane\u{e9}", "the gid 7000 goes to the entry of line 11"),
        ("edge", "gid 5000 lies in the block"),
        ("lab 2", "the POSIX name lab goes to the entry of line 34"),
    ] {
        assert!(all.get(key).is_some_and(|told| told.contains(words)), "{key}: {all:#?}");
    }
    assert_eq!(all.len(), 7, "{all:#?}");
    let suffixed = told(&Present::default(), true);
    assert!(!suffixed.contains_key("jane@b.org") && suffixed.contains_key("j.doe"));
    let present = Present {
        users: ["jane@a.org", "low"].map(str::to_owned).into(),
        groups: ["edge", "lab"].map(str::to_owned).into(),
    };
    let left: Vec<_> = told(&present, false).into_keys().collect();
    assert_eq!(
        left,
        ["jane", "jane@b.org"],
        "what is there is for the database to judge"
    );
}

#[test]
fn two_tokens_share_no_file() {
    let text = "[[token]]\nname = \"a\"\nscopes = [\"scim\"]\nfile = \"/run/t\"\n\
                [[token]]\nname = \"b\"\nscopes = [\"scim\"]\nfile = \"/run/t\"\n";
    let told = faults(text);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(format!("{told:?}").contains("stands on line 4 already"), "{told:?}");
}

//! Rules, groups, rewriting and the hash, without a database.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::config::{Config, ConfigFile, Origin as Place, Sources};

fn rules(settings: &[(&str, &str)]) -> Rules {
    let mut flags: BTreeMap<String, String> = settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    flags.insert("database-uri".into(), "postgres://db/rollcall".into());
    let sources = Sources {
        flags,
        environment: Vec::new(),
        file: ConfigFile {
            path: "/dev/null".into(),
            named_at: Place::Default,
        },
    };
    Rules::new(&Config::load(&sources).unwrap().0).unwrap()
}

fn assertion(user_name: &str) -> Assertion {
    Assertion {
        method: Method::Api,
        provider: "api:test".into(),
        user_name: user_name.into(),
        subject: None,
        issued_at: None,
        claims: Claims::default(),
        groups: Groups::Unknown,
    }
}

fn refused(rules: &Rules, assertion: &Assertion) -> Reason {
    rules.prepare(assertion).unwrap_err().reason
}

#[test]
fn every_reason_has_a_word_of_its_own() {
    let words: std::collections::BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(words.len(), Reason::ALL.len());
}

#[test]
fn names_are_trimmed_composed_and_folded() {
    let prepared = rules(&[]).prepare(&assertion("  Jose\u{301}@Example.ORG ")).unwrap();
    assert_eq!(prepared.user_name, "Jos\u{e9}@Example.ORG");
    assert_eq!(prepared.draft.user_name_key, "jos\u{e9}@example.org");
}

#[test]
fn deceptive_empty_and_endless_names_are_refused() {
    let rules = rules(&[]);
    for name in [
        "",
        "  ",
        "a\u{200b}b",
        "a\nb",
        "a\0b",
        &"x".repeat(256),
        &"\u{e9}".repeat(5000),
    ] {
        assert_eq!(refused(&rules, &assertion(name)), Reason::UserName, "{name:?}");
    }
}

#[test]
fn the_rewrite_rule_applies_to_whole_names_only() {
    let rules = rules(&[("auth-user-rewrite-rule", r"([a-z]+)\.([a-z]+)@example\.org $1_$2")]);
    let name = |sent| rules.prepare(&assertion(sent)).unwrap().user_name;
    assert_eq!(name("jane.doe@example.org"), "jane_doe");
    assert_eq!(name("jane.doe@example.org.evil.com"), "jane.doe@example.org.evil.com");
    assert_eq!(name("x jane.doe@example.org"), "x jane.doe@example.org");
    for broken in ["nothing", "( x", ""] {
        assert!(rewrite::RewriteRule::parse(broken).is_err(), "{broken}");
    }
}

#[test]
fn a_rewrite_to_nothing_is_no_name() {
    let rules = rules(&[("auth-user-rewrite-rule", "(admin)@evil $2")]);
    assert_eq!(refused(&rules, &assertion("admin@evil")), Reason::UserName);
}

#[test]
fn absent_null_empty_single_list_and_malformed_groups_are_told_apart() {
    let of = |claim: serde_json::Value| Groups::from_claim(Some(claim));
    let listed = |names: &[&str]| Ok(Groups::Listed(names.iter().map(ToString::to_string).collect()));
    assert_eq!(Groups::from_claim(None), Ok(Groups::Unknown));
    assert_eq!(of(json!(null)), Ok(Groups::Unknown));
    assert_eq!(of(json!([])), listed(&[]));
    assert_eq!(of(json!("eng")), listed(&["eng"]));
    assert_eq!(of(json!(["eng", "ops"])), listed(&["eng", "ops"]));
    for malformed in [
        json!(["eng", 1]),
        json!([{"name": "eng"}]),
        json!([null]),
        json!(7),
        json!({"a": 1}),
        json!(true),
    ] {
        assert_eq!(
            of(malformed.clone()).unwrap_err().reason,
            Reason::MalformedGroups,
            "{malformed}"
        );
    }
    let many: Vec<String> = (0..=groups::GROUPS).map(|number| number.to_string()).collect();
    assert_eq!(of(json!(many)).unwrap_err().reason, Reason::MalformedGroups);
}

#[test]
fn an_empty_header_lists_no_group() {
    let keys = |text| match Groups::from_header(text, ",") {
        Groups::Listed(names) => Some(groups::canonical(&names, None).unwrap().len()),
        _ => None,
    };
    assert_eq!(keys(None), None);
    assert_eq!(keys(Some("")), Some(0));
    assert_eq!(keys(Some(" , ")), Some(0));
    assert_eq!(keys(Some("eng, ops")), Some(2));
}

#[test]
fn groups_that_differ_by_case_or_composition_are_one() {
    let names = ["Eng", "eng ", "STRASSE", "stra\u{df}e", "e\u{301}", "\u{c9}", " "].map(str::to_owned);
    let groups = groups::canonical(&names, None).unwrap();
    let keys: Vec<&str> = groups.iter().map(|group| group.key.as_str()).collect();
    assert_eq!(keys, ["eng", "strasse", "\u{e9}"]);
    assert_eq!(groups[0].name, "Eng", "the first spelling stays");
}

#[test]
fn object_ids_as_group_names_can_be_refused() {
    let rules = rules(&[(
        "auth-groups-refused-names",
        "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    )]);
    let mut claim = assertion("jane");
    claim.groups = Groups::Listed(vec!["eng".into()]);
    assert!(rules.prepare(&claim).is_ok());
    claim.groups = Groups::Listed(vec!["0d6cbd1c-86e5-4a3e-9f0b-3f1a0e7b9f10".into()]);
    assert_eq!(refused(&rules, &claim), Reason::MalformedGroups);
}

#[test]
fn overage_is_unknown_or_refused_but_never_empty() {
    let mut claim = assertion("jane");
    claim.groups = Groups::Overage;
    assert_eq!(rules(&[]).prepare(&claim).unwrap().draft.groups, None);
    assert_eq!(
        refused(&rules(&[("auth-groups-overage", "refuse")]), &claim),
        Reason::Overage
    );
}

#[test]
fn claimed_posix_fields_pass_the_same_checks_as_elsewhere() {
    let rules = rules(&[("auth-minimum-user-id", "2000")]);
    let with = |change: fn(&mut Claims)| {
        let mut claim = assertion("jane");
        change(&mut claim.claims);
        rules
            .prepare(&claim)
            .map(|prepared| prepared.draft.profile.uid)
            .map_err(|refusal| refusal.reason)
    };
    assert_eq!(with(|claims| claims.posix_id = Some("2000".into())), Ok(Some(2000)));
    assert_eq!(
        with(|claims| claims.posix_id = Some("1999".into())),
        Err(Reason::MinimumUid)
    );
    assert_eq!(
        with(|claims| claims.posix_id = Some("+2000".into())),
        Err(Reason::Attribute)
    );
    assert_eq!(
        with(|claims| claims.posix_id = Some("-1".into())),
        Err(Reason::Attribute)
    );
    assert_eq!(
        with(|claims| claims.posix_id = Some("4294967296".into())),
        Err(Reason::Attribute)
    );
    assert_eq!(
        with(|claims| claims.posix_name = Some("Root!".into())),
        Err(Reason::Attribute)
    );
    assert_eq!(
        with(|claims| claims.home = Some("home/jane".into())),
        Err(Reason::Attribute)
    );
    assert_eq!(
        with(|claims| claims.home = Some("/home/../etc".into())),
        Err(Reason::Attribute)
    );
}

#[test]
fn several_values_where_one_is_expected_are_refused() {
    for claim in [json!(["a"]), json!({"a": "b"}), json!(true), json!(1.0), json!(1.2e22)] {
        assert_eq!(claim_text(Some(&claim)).unwrap_err().reason, Reason::Attribute);
    }
    assert_eq!(claim_text(Some(&json!(1001))), Ok(Some("1001".into())));
    assert_eq!(claim_text(Some(&json!("  "))), Ok(None));
}

#[test]
fn the_hash_covers_all_that_is_claimed_and_nothing_else() {
    let base = |change: fn(&mut Assertion)| {
        let mut claim = assertion("jane");
        claim.groups = Groups::Listed(vec!["a".into(), "b".into()]);
        change(&mut claim);
        rules(&[]).prepare(&claim).unwrap().draft.hash
    };
    let same = base(|_| {});
    assert_eq!(
        same,
        base(|claim| claim.groups = Groups::Listed(vec!["B".into(), "a".into(), "A".into()]))
    );
    assert_eq!(same, base(|claim| claim.issued_at = Some(jiff::Timestamp::UNIX_EPOCH)));
    let others = [
        base(|claim| claim.groups = Groups::Unknown),
        base(|claim| claim.groups = Groups::Listed(Vec::new())),
        base(|claim| claim.groups = Groups::Listed(vec!["a".into()])),
        base(|claim| claim.groups = Groups::Listed(vec!["ab".into()])),
        base(|claim| claim.subject = Some("1".into())),
        base(|claim| claim.claims.display_name = Some("1".into())),
        base(|claim| claim.claims.email = Some("1".into())),
        base(|claim| claim.claims.posix_name = Some("a1".into())),
        base(|claim| claim.claims.posix_id = Some("2001".into())),
        base(|claim| claim.claims.home = Some("/h".into())),
    ];
    let distinct: std::collections::BTreeSet<_> = others.iter().chain([&same]).collect();
    assert_eq!(distinct.len(), others.len() + 1);
    let mut narrow = assertion("jane");
    narrow.groups = Groups::Listed(vec!["a".into(), "b".into()]);
    let narrow = rules(&[("user-provisioning-reconcile-scope", "login")])
        .prepare(&narrow)
        .unwrap();
    assert_ne!(same, narrow.draft.hash);
}

#[test]
fn the_text_for_the_person_never_says_why() {
    for reason in Reason::ALL {
        let refusal = Refusal::new(*reason, "the user jane@example.org is locked");
        assert!(!refusal.text().contains("jane") && !refusal.text().contains(reason.as_str()));
    }
}

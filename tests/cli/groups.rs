//! `rollcall group`.

use serde_json::json;

use crate::harness::Rollcall;

#[tokio::test]
async fn the_life_of_a_group_as_tables_and_as_json() {
    let rollcall = Rollcall::start().await;
    let json = |arguments: &[&str]| {
        rollcall
            .command(&[arguments, &["--output", "json"]].concat())
            .succeeded()
            .json()
    };
    let table = |arguments: &[&str]| rollcall.command(arguments).succeeded().stdout;
    for name in ["jane", "jack"] {
        rollcall.command(&["user", "add", name]).succeeded();
    }
    let added = json(&["group", "add", "Research", "--gid", "5000"]);
    assert_eq!(
        (&added["gid"], &added["posixGroupName"]),
        (&json!(5000), &json!("Research"))
    );
    assert!(table(&["group", "add", "Other"]).contains("Other has gid"));
    assert_eq!(
        json(&["group", "add-member", "research", "jane", "jack"])["changed"],
        true
    );
    assert_eq!(json(&["group", "add-member", "research", "jane"])["changed"], false);
    assert_eq!(
        json(&["group", "show", "Research"])["members"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert!(table(&["group", "remove-member", "Research", "jack"]).contains("changed"));
    assert_eq!(
        json(&["group", "show", added["id"].as_str().unwrap()])["members"],
        json!(["jane"])
    );
    assert_eq!(table(&["group", "list"]).lines().count(), 3);
    assert_eq!(
        json(&["group", "list", "--filter", "displayName eq \"RESEARCH\""])
            .as_array()
            .unwrap()
            .len(),
        1
    );
    for (arguments, code) in [
        (vec!["group", "add", "RESEARCH"], 3),
        (vec!["group", "add", "x", "--gid", "5000"], 3),
        (vec!["group", "add-member", "Research", "nobody"], 3),
        (vec!["group", "add-member", "nothing", "jane"], 3),
        (vec!["group", "add-member", "Research"], 2),
        (vec!["group", "delete", "nothing"], 3),
    ] {
        assert_eq!(rollcall.command(&arguments).code, code, "{arguments:?}");
    }
    assert_eq!(json(&["group", "delete", "Research", "--yes"])["retired_gid"], 5000);
    assert_eq!(
        rollcall.command(&["group", "add", "again", "--gid", "5000"]).code,
        3,
        "a retired gid is never given again"
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn groups_in_a_group_are_shown_by_name() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    rollcall.command(&["user", "add", "jane"]).succeeded();
    let inner = scim
        .post("/Groups", &crate::scim::group("Inner lab", &[]))
        .await
        .expect(201);
    scim.post("/Groups", &crate::scim::group("Outer", &[inner.id()]))
        .await
        .expect(201);
    rollcall.command(&["group", "add-member", "Outer", "jane"]).succeeded();
    let shown = rollcall
        .command(&["group", "show", "outer", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(
        (&shown["members"], &shown["groups"]),
        (&json!(["jane"]), &json!(["Inner lab"]))
    );
    let table = rollcall.command(&["group", "show", "outer"]).succeeded().stdout;
    assert!(table.contains("Inner lab") && !table.contains(inner.id()), "{table}");
    rollcall.finish().await;
}

#[tokio::test]
async fn a_list_that_is_cut_says_so() {
    let rollcall = Rollcall::start().await;
    for name in ["one", "two"] {
        rollcall.command(&["user", "add", name]).succeeded();
        rollcall.command(&["group", "add", &format!("of-{name}")]).succeeded();
    }
    for what in ["user", "group"] {
        let cut = rollcall
            .command(&[what, "list", "--limit", "1", "--output", "json"])
            .succeeded();
        assert_eq!(cut.json().as_array().unwrap().len(), 1);
        assert!(cut.stderr.contains("only the first 1 are shown"), "{}", cut.stderr);
        let whole = rollcall.command(&[what, "list", "--limit", "2"]).succeeded();
        assert_eq!(whole.stderr, "");
    }
    rollcall.finish().await;
}

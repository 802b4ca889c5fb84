//! Which searches an index serves (DESIGN: `userName`, `externalId`, `emails.value`, `displayName`, `id`,
//! `meta.lastModified`, `posixUserName`, `posixUserId`, `members.value`).

use rollcall::db::search::{Order, Parameters, condition};
use rollcall::scim::filter;
use rollcall::scim::schema::ResourceType;
use tokio_postgres::Client;

use super::group;
use crate::harness::Rollcall;
use crate::harness::database::{Database, Role};

/// The plan of the statement that a search sends.
async fn plan(client: &Client, kind: ResourceType, text: &str, tail: &str) -> String {
    let parsed = filter::parse(kind, text).unwrap();
    let mut parameters = Parameters::default();
    let condition = condition(&parsed, kind, &mut parameters);
    let view = match kind {
        ResourceType::User => "api.users",
        ResourceType::Group => "api.groups",
    };
    let sql = format!("explain select r.id, r.doc from {view} r where ({condition}) {tail}");
    let rows = client.query(&sql, &parameters.as_parameters()).await.unwrap();
    rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect()
}

#[tokio::test]
async fn searches_by_the_usual_attributes_never_scan_the_users() {
    let rollcall = Rollcall::start_unlimited(&[]).await;
    let ids = rollcall.database.populate(5_000).await;
    let scim = rollcall.scim();
    let few: Vec<&str> = ids.iter().take(20).map(String::as_str).collect();
    for n in 0..30 {
        scim.post("/Groups", &group(&format!("team {n}"), &few))
            .await
            .expect(201);
    }
    let owner = rollcall.database.connect(Role::Superuser).await;
    owner.batch_execute("analyze").await.unwrap();
    let client = rollcall.database.connect(Role::App).await;
    let by_default = Order::new(None, ResourceType::User).order_by();
    let page = format!("order by {by_default} limit 100");
    let id = &ids[4_000];
    for (text, tail) in [
        ("userName eq \"member-77@example.org\"", &*page),
        ("userName eq \"a\" or userName eq \"b\" or userName eq \"c\"", &page),
        ("externalId eq \"ext-77\"", &page),
        ("displayName eq \"member 77\"", &page),
        ("emails.value eq \"member-77@example.org\"", &page),
        ("emails[value eq \"member-77@example.org\"]", &page),
        ("emails eq \"member-77@example.org\"", &page),
        (&format!("id eq \"{id}\""), &page),
        (
            "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User:posixUserName eq \"member-77\"",
            &page,
        ),
        (
            "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User:posixUserId eq 100077",
            &page,
        ),
        ("userName eq \"member-77@example.org\" and active eq true", &page),
        (
            "meta.lastModified gt \"2100-01-01T00:00:00Z\"",
            "order by r.last_modified, r.id limit 100",
        ),
        ("meta.lastModified gt \"2100-01-01T00:00:00Z\"", &page),
        ("userName sw \"member-77\"", &page),
    ] {
        let shown = plan(&client, ResourceType::User, text, tail).await;
        assert!(!shown.contains("Seq Scan on users"), "{text}:\n{shown}");
        assert!(shown.contains("Index"), "{text}:\n{shown}");
    }
    for text in [
        format!("members.value eq \"{}\"", ids[3]),
        format!("members eq \"{}\"", ids[3]),
        format!("members[value eq \"{}\"]", ids[3]),
    ] {
        let shown = plan(&client, ResourceType::Group, &text, "order by r.id limit 100").await;
        assert!(!shown.contains("Seq Scan on memberships"), "{text}:\n{shown}");
    }
    for sort in ["r.id", "r.user_name_key, r.id"] {
        let shown = plan(
            &client,
            ResourceType::User,
            "id pr",
            &format!("order by {sort} limit 100"),
        )
        .await;
        assert!(!shown.contains("Seq Scan on users"), "{sort}:\n{shown}");
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn a_search_that_needs_too_much_work_is_refused_and_not_a_defect() {
    // The limit belongs to the role, so it must be there before the service connects.
    let database = Database::create().await;
    let limit = "do $$ begin execute format('alter role rollcall_app in database %I set statement_timeout = 100', current_database()); end $$";
    let owner = database.connect(Role::Superuser).await;
    owner.batch_execute(limit).await.unwrap();
    let service = Rollcall::replica(&database, &[]);
    let rollcall = Rollcall { database, service };
    let scim = rollcall.scim();
    rollcall.database.populate(20_000).await;
    let terms: Vec<String> = (0..190)
        .map(|n| format!("addresses.formatted co \"needle{n}\""))
        .collect();
    let search = serde_json::json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                                    "filter": terms.join(" or ")});
    let answer = scim.post("/Users/.search", &search).await;
    answer.expect_error(400, "tooMany");
    scim.get("/Users?count=1").await.expect(200);
    rollcall.finish().await;
}

//! Statements kept prepared on their connections (`database-prepared-statements`).

use serde_json::json;

use crate::harness::Rollcall;
use crate::harness::database::Role;

/// What a migration may do: the same function gives one column more.
const REPLACED: &str = "
    alter function api.user_get(uuid, boolean) rename to user_get_before;
    create function api.user_get(p_id uuid, p_with_groups boolean)
    returns table (id uuid, posix_name text, uid bigint, primary_gid bigint, home text, shell text, admin boolean,
                   locked boolean, created timestamptz, last_modified timestamptz, version bigint,
                   last_sign_in timestamptz, doc jsonb, groups jsonb, one_more int)
    language sql stable security definer set search_path = pg_catalog, pg_temp
    as $$ select b.*, 1 from api.user_get_before(p_id, p_with_groups) b $$;
    grant execute on function api.user_get(uuid, boolean) to public;";

#[tokio::test]
async fn a_statement_that_a_migration_has_changed_is_prepared_anew() {
    let settings = [("database-prepared-statements", "1"), ("database-pool-size", "1")];
    let rollcall = Rollcall::start_with(&settings).await;
    let scim = rollcall.scim();
    let user = scim.post("/Users", &json!({"userName": "anna"})).await.expect(201);
    let path = format!("/Users/{}", user.id());
    for _ in 0..3 {
        assert_eq!(scim.get(&path).await.expect(200).body["userName"], "anna");
    }
    let owner = rollcall.database.connect(Role::Superuser).await;
    owner.batch_execute(REPLACED).await.unwrap();
    for _ in 0..3 {
        assert_eq!(scim.get(&path).await.expect(200).body["userName"], "anna");
    }
    rollcall.finish().await;
}

/// Gives the number of statements that are prepared on the connection at hand as everybody's POSIX name.
const COUNTED: &str = "
    create or replace function api.user_get(p_id uuid, p_with_groups boolean)
    returns table (id uuid, posix_name text, uid bigint, primary_gid bigint, home text, shell text, admin boolean,
                   locked boolean, created timestamptz, last_modified timestamptz, version bigint,
                   last_sign_in timestamptz, doc jsonb, groups jsonb)
    language sql stable security definer set search_path = pg_catalog, pg_temp
    as $$ select u.id, (select count(*)::text from pg_prepared_statements), u.uid, u.primary_gid, u.home, u.shell, u.admin,
                 u.locked, u.created, u.last_modified, u.version, null::timestamptz, u.doc, '[]'::jsonb
          from store.users u where u.id = p_id $$";

#[tokio::test]
async fn filters_without_number_do_not_fill_the_server_with_statements() {
    let settings = [("database-prepared-statements", "1"), ("database-pool-size", "1")];
    let rollcall = Rollcall::start_with(&settings).await;
    let scim = rollcall.scim();
    let user = scim.post("/Users", &json!({"userName": "anna"})).await.expect(201);
    for n in 0..230 {
        // Another number of terms is another statement.
        let filter = vec!["title pr"; n % 115 + 1].join(if n < 115 { " or " } else { " and " });
        scim.query("/Users", &[("filter", &filter)]).await.expect(200);
    }
    let superuser = rollcall.database.connect(Role::Superuser).await;
    superuser.batch_execute(COUNTED).await.unwrap();
    let shown = scim.get(&format!("/Users/{}", user.id())).await.expect(200);
    let prepared = &shown.body["urn:rstudio:params:scim:schemas:extension:workbench:1.0:User"]["posixUserName"];
    let prepared: u32 = prepared.as_str().unwrap().parse().unwrap();
    // db/call.rs, MAX_PREPARED.
    assert!((100..=200).contains(&prepared), "{prepared}");
    rollcall.finish().await;
}

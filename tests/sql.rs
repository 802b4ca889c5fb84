//! The database by itself: its functions, migrations, schema and invariants.

mod allocation;
mod brake;
mod invariants;
mod migrations;
mod repetition;
mod schema;
mod timeline;

use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

/// The settings of a site, as a replica hands them to the functions.
fn options(changes: &Value) -> Value {
    let mut options = json!({
        "uid_start": 1000, "uid_max": 60000, "gid_start": 1000, "gid_max": 60000, "collision": "reject",
        "protected": "root", "home_root": "/home", "removal_limit": 0,
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        options[name] = value.clone();
    }
    options
}

/// Creates a user by the SQL function; `extra` goes into the draft. Gives uid and gid, or the SQLSTATE.
async fn create_user(
    client: &Client,
    id: Uuid,
    name: &str,
    extra: &Value,
    options: &Value,
) -> Result<(i64, i64), String> {
    let mut draft = json!({"id": id, "user_name_key": name, "posix_name_derived": name, "key_version": 1,
                           "doc": {"userName": name}, "doc_key": {"userName": name}, "emails": []});
    for (key, value) in extra.as_object().into_iter().flatten() {
        draft[key] = value.clone();
    }
    let audit = json!({"actor": "test", "path": "scim"});
    let row = client
        .query_one(
            "select uid, primary_gid from api.user_create($1, $2, $3)",
            &[&draft, options, &audit],
        )
        .await;
    match row {
        Ok(row) => Ok((row.get(0), row.get(1))),
        Err(error) => Err(error
            .code()
            .map_or_else(|| error.to_string(), |code| code.code().to_owned())),
    }
}

/// Creates a group by the SQL function. Gives its gid, or the SQLSTATE.
async fn create_group(client: &Client, name: &str, gid: Option<i64>, options: &Value) -> Result<i64, String> {
    let draft = json!({"id": Uuid::new_v4(), "display_name_key": name, "posix_name_derived": name, "key_version": 1, "gid": gid,
                       "doc": {"displayName": name}, "doc_key": {"displayName": name}});
    let audit = json!({"actor": "test", "path": "scim"});
    let row = client
        .query_one(
            "select gid from api.group_create($1, '{}'::uuid[], $2, $3)",
            &[&draft, options, &audit],
        )
        .await;
    match row {
        Ok(row) => Ok(row.get(0)),
        Err(error) => Err(error
            .code()
            .map_or_else(|| error.to_string(), |code| code.code().to_owned())),
    }
}

/// Deletes a user by the SQL function.
async fn delete_user(client: &Client, id: Uuid) {
    let audit = json!({"actor": "test", "path": "scim"});
    client
        .execute(
            "select api.user_delete($1, null, $2, $3)",
            &[&id, &options(&Value::Null), &audit],
        )
        .await
        .unwrap();
}

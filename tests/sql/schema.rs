//! The committed dump of the schema is true.

use std::path::Path;
use std::process::Command;

use crate::harness::database::{Database, Role};
use crate::harness::postgres::{Postgres, SUPERUSER, TEMPLATE};

/// Set by `make schema`: the dump is written instead of compared.
const WRITE: &str = "WRITE_SCHEMA";

/// The line that says which major version has printed the dump.
fn version(dump: &str) -> &str {
    dump.lines().nth(1).unwrap_or_default()
}

/// What another major version prints the same way.
fn objects(dump: &str) -> Vec<&str> {
    dump.lines().filter(|line| line.starts_with("CREATE ")).collect()
}

#[test]
fn the_committed_schema_is_what_migrations_make() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dump = Command::new(root.join("sql/dump"))
        .arg(Postgres::shared().uri(SUPERUSER, TEMPLATE))
        .output()
        .unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let made = String::from_utf8(dump.stdout).unwrap();
    let file = root.join("sql/schema.sql");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(file, made).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(file).unwrap();
    if version(&made) != version(&committed) {
        assert_eq!(objects(&made), objects(&committed), "sql/schema.sql: run `make schema`");
        return;
    }
    let pairs = made.lines().zip(committed.lines());
    let different = pairs.take_while(|(made, committed)| made == committed).count() + 1;
    assert!(
        made == committed,
        "sql/schema.sql differs from line {different} on: run `make schema`"
    );
}

#[tokio::test]
async fn a_name_is_looked_up_by_its_own_index_while_nothing_is_known_about_the_table() {
    let database = Database::create().await;
    let client = database.connect(Role::Superuser).await;
    for column in ["user_name_key", "posix_name"] {
        let sql = format!("explain select from store.users where {column} = 'jane' and deleted_at is null");
        let plan: Vec<String> = client
            .query(&sql, &[])
            .await
            .unwrap()
            .iter()
            .map(|row| row.get(0))
            .collect();
        let index = format!("users_{column}");
        assert!(plan.iter().any(|line| line.contains(&index)), "{plan:#?}");
    }
    database.finish().await;
}

//! The committed dump of the schema is true.

use std::path::Path;
use std::process::Command;

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

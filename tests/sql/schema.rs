//! The committed dump of the schema is true.

use std::path::Path;
use std::process::Command;

use crate::harness::postgres::{Postgres, SUPERUSER, TEMPLATE};

#[test]
fn the_committed_schema_is_what_migrations_make() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dump = Command::new(root.join("sql/dump"))
        .arg(Postgres::shared().uri(SUPERUSER, TEMPLATE))
        .output()
        .unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let committed = std::fs::read_to_string(root.join("sql/schema.sql")).unwrap();
    let made = String::from_utf8(dump.stdout).unwrap();
    let different = made
        .lines()
        .zip(committed.lines())
        .position(|(made, committed)| made != committed);
    assert!(
        made == committed,
        "sql/schema.sql is not what migrations make, first in line {:?}: run `make schema`",
        different.map(|line| line + 1)
    );
}

//! A database and files to import into it.

use std::path::PathBuf;

use serde_json::Value;

use crate::harness::command::{Outcome, run};
use crate::harness::database::Database;

/// A database and a folder for files, without a service.
pub struct Desk {
    pub database: Database,
    folder: PathBuf,
}

impl Desk {
    pub async fn open() -> Self {
        let database = Database::create().await;
        let folder = std::env::temp_dir().join(format!("rollcall-import-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).unwrap();
        Self { database, folder }
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn rollcall(&self, arguments: &[&str]) -> Outcome {
        let environment = self.database.environment();
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        run(arguments, &environment)
    }

    pub fn import(&self, what: &str, format: &str, file: &str, more: &[&str]) -> (i32, Value) {
        let arguments = [&[what, "import", "--format", format, file, "--output", "json"], more].concat();
        let outcome = self.rollcall(&arguments);
        assert!(!outcome.stdout.is_empty(), "{}", outcome.stderr);
        (outcome.code, outcome.json())
    }

    /// The file, imported without a conflict; what was reported.
    pub fn imported(&self, what: &str, format: &str, file: &str) -> Value {
        let (code, report) = self.import(what, format, file, &[]);
        assert_eq!(code, 0, "{report}");
        report
    }

    pub fn exported(&self, what: &str, format: &str) -> String {
        self.rollcall(&[what, "export", "--format", format]).succeeded().stdout
    }

    /// The conflicts as (line, attribute, reason), and nothing is written.
    pub fn conflicts(&self, what: &str, format: &str, content: impl AsRef<[u8]>) -> Vec<(u64, String, String)> {
        let before = self.exported(what, "json");
        let file = self.file("bad", content);
        let (code, report) = self.import(what, format, &file, &[]);
        assert_eq!(code, 3, "{report}");
        assert_eq!(report["created"], 0);
        assert_eq!(self.exported(what, "json"), before, "nothing is half-imported");
        let faults = report["faults"].as_array().unwrap();
        assert_eq!(report["conflicts"], faults.len());
        let word = |fault: &Value, key: &str| fault[key].as_str().unwrap_or_default().to_owned();
        faults
            .iter()
            .map(|fault| {
                (
                    fault["line"].as_u64().unwrap(),
                    word(fault, "attribute"),
                    word(fault, "reason"),
                )
            })
            .collect()
    }

    pub async fn close(self) {
        std::fs::remove_dir_all(&self.folder).unwrap();
        self.database.finish().await;
    }
}

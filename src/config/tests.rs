//! Unit tests of the settings: every rule of precedence, spelling and combination.

mod combinations;
mod files;
mod precedence;
mod table;
mod values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::sources::{ConfigFile, Origin};
use super::{Config, ConfigError, Sources, Warning};

/// Sources that load: a private database on this machine, and no file.
fn sources() -> Sources {
    Sources {
        flags: BTreeMap::from([("data-dir".to_owned(), "/var/lib/rollcall".to_owned())]),
        environment: Vec::new(),
        file: ConfigFile {
            path: PathBuf::from("/nonexistent/rollcall.conf"),
            named_at: Origin::Default,
        },
    }
}

/// [`sources`] with these flags on top.
fn flags(given: &[(&str, &str)]) -> Sources {
    let mut sources = sources();
    sources.flags.extend(
        given
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned())),
    );
    sources
}

/// [`sources`] with these environment variables.
fn variables(given: &[(&str, &str)]) -> Sources {
    let environment = given
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    Sources {
        environment,
        ..sources()
    }
}

fn load(sources: &Sources) -> Result<Config, ConfigError> {
    Config::load(sources).map(|(config, _)| config)
}

fn error(sources: &Sources) -> String {
    Config::load(sources).unwrap_err().to_string()
}

/// A file that is removed at the end of the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(content: impl AsRef<[u8]>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "rollcall-config-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = super::temporary_folder().join(name);
        std::fs::write(&path, content).unwrap();
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

/// [`sources`] with a configuration file of that content.
fn with_file(content: &str) -> (Scratch, Sources) {
    let file = Scratch::new(content);
    let named = ConfigFile {
        path: file.path().to_owned(),
        named_at: Origin::Flag("config".to_owned()),
    };
    (
        file,
        Sources {
            file: named,
            ..sources()
        },
    )
}

fn warnings(sources: &Sources) -> Vec<Warning> {
    Config::load(sources).unwrap().1
}

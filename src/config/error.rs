//! What can be wrong with the settings, each told with its place and its mend.

use std::fmt;
use std::path::PathBuf;

use super::sources::Origin;

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file could not be read.
    #[error("{origin}: cannot read {path}: {reason}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Where it is named.
        origin: Origin,
        /// What the system says.
        reason: std::io::Error,
    },
    /// A line of the file is neither blank, a comment, nor `key=value`.
    #[error("{origin}: expected key=value, a comment beginning with #, or a blank line")]
    Syntax {
        /// File and line; what stands there is not repeated, it may be half a secret.
        origin: Origin,
    },
    /// A key stands twice in the file.
    #[error("{second}: {name} is set a second time; the first is at {first}")]
    Duplicate {
        /// The key.
        name: String,
        /// Where it stands first.
        first: Origin,
        /// Where it stands again.
        second: Origin,
    },
    /// A name that is not ours, but nearly.
    #[error("{origin}: unknown setting {name}; did you mean {nearest}?")]
    Misspelt {
        /// Where it stands.
        origin: Origin,
        /// The name as written.
        name: String,
        /// The nearest of ours, in the same spelling.
        nearest: String,
    },
    /// A value that its setting does not take.
    #[error("{origin}: {name} = {shown}: expected {expected}")]
    Value {
        /// Where it stands.
        origin: Origin,
        /// The setting.
        name: &'static str,
        /// The value as given, or a placeholder for a secret.
        shown: String,
        /// What would be right.
        expected: String,
    },
    /// A secret is given both by itself and by a file, at one level of precedence.
    #[error("{second}: {name} and {name}-file are both set; the other is at {first}. Keep one")]
    TwoSecrets {
        /// The secret.
        name: &'static str,
        /// Where one stands.
        first: Origin,
        /// Where the other stands.
        second: Origin,
    },
    /// The file of a secret holds nothing, too much, or more than text.
    #[error("{origin}: the file {path} that should hold {name} {fault}", path = path.display())]
    SecretFile {
        /// Where the file is named.
        origin: Origin,
        /// The file.
        path: PathBuf,
        /// The secret.
        name: &'static str,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// Settings that are right by themselves, but not together.
    #[error("{origin}: {fault}")]
    Contradiction {
        /// Where the decisive one stands.
        origin: Origin,
        /// What does not fit, and what to change.
        fault: String,
    },
    /// Something needed is not set.
    #[error("{0}")]
    Missing(String),
}

/// Something the operator should know, though the service starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Names that are not Rollcall's: an `rserver.conf` holds many, or it is a misspelling beyond recognition.
    Ignored {
        /// Each name with its place.
        names: Vec<(String, Origin)>,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Ignored { names } = self;
        write!(
            formatter,
            "ignored {} that Rollcall does not know:",
            plural(names.len())
        )?;
        for (index, (name, origin)) in names.iter().enumerate() {
            write!(formatter, "{} {name} ({origin})", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

fn plural(count: usize) -> String {
    if count == 1 {
        "1 setting".to_owned()
    } else {
        format!("{count} settings")
    }
}

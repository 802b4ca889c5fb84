//! One row of the table of settings, and the macro that states a section's rows and its typed struct together.

/// What a setting's text must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `0` or `1` (also `false`/`true`, `no`/`yes`, `off`/`on`).
    Switch,
    /// A whole number within the setting's bounds.
    Number,
    /// A span of time in seconds, decimals allowed, within the setting's bounds.
    Seconds,
    /// Free text on one line.
    Text,
    /// Texts separated by commas.
    TextList,
    /// The path of a file or folder.
    Path,
    /// Paths separated by commas.
    PathList,
    /// `address:port`.
    SocketAddress,
    /// An absolute http or https address.
    Url,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Text that is never shown; may also come from a file named by `<name>-file`.
    Secret,
}

/// One setting: its name in all three spellings follows from `name` by one mechanical rule.
#[derive(Debug)]
pub struct Setting {
    /// The name: lower-case words joined by hyphens; the key in the file.
    pub name: &'static str,
    /// What its text must look like.
    pub kind: Kind,
    /// Its text when no source gives it; empty means not set.
    pub default: &'static str,
    /// Smallest and largest number, for [`Kind::Number`] and [`Kind::Seconds`].
    pub bounds: Option<(u64, u64)>,
    /// What it does, line by line as written above its field; [`Setting::doc`] joins them.
    pub(super) lines: &'static [&'static str],
    /// The section it belongs to, in words.
    pub section: &'static str,
}

/// What `<name>-file` adds to the name of a secret.
pub(super) const FILE_SUFFIX: &str = "-file";

/// What every environment variable of ours begins with.
pub(super) const ENVIRONMENT_PREFIX: &str = "ROLLCALL_";

impl Setting {
    /// What it does, in a sentence or two.
    pub fn doc(&self) -> String {
        self.lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
    }

    /// Whether its value must never be shown.
    pub fn is_secret(&self) -> bool {
        self.kind == Kind::Secret
    }

    /// The name of the setting that holds the path of a file with this secret, for secrets only.
    pub fn file_name(&self) -> Option<String> {
        self.is_secret().then(|| format!("{}{FILE_SUFFIX}", self.name))
    }

    /// Its environment variable: `ROLLCALL_USER_HOMEDIR_PATH` for `user-homedir-path`.
    pub fn variable(&self) -> String {
        variable(self.name)
    }

    /// What a value must be, in words that complete "expected …".
    pub fn expectation(&self) -> String {
        let base = match self.kind {
            Kind::Switch => "0 or 1".to_owned(),
            Kind::Number => "a whole number".to_owned(),
            Kind::Seconds => "a number of seconds".to_owned(),
            Kind::Text | Kind::Secret => "text that is not empty".to_owned(),
            Kind::TextList => "texts separated by commas".to_owned(),
            Kind::Path => "a path".to_owned(),
            Kind::PathList => "paths separated by commas".to_owned(),
            Kind::SocketAddress => "an address and port, as 127.0.0.1:8080 or [::1]:8080".to_owned(),
            Kind::Url => "an http or https URL without query, fragment and trailing slash".to_owned(),
            Kind::Choice(words) => format!("one of {}", words.join(", ")),
        };
        match self.bounds {
            Some((least, most)) => format!("{base} from {least} to {most}"),
            None => base,
        }
    }
}

/// The environment variable of a name.
pub(super) fn variable(name: &str) -> String {
    format!("{ENVIRONMENT_PREFIX}{}", name.to_ascii_uppercase().replace('-', "_"))
}

/// States a section: a documented struct whose fields are settings.
///
/// Each field reads `/// doc` then `field: Type = "setting-name", default "text", within least..=most;` where default
/// and bounds may be missing. Makes the struct, the section's `SETTINGS` and `read`, which takes the values collected
/// from all sources and raises the first that does not parse.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        struct $name:ident, $title:literal {
            $( $(#[doc = $doc:literal])+
               $field:ident : $type:ty = $setting:literal $(, default $default:literal)? $(, within $least:literal ..= $most:literal)? ; )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $field: $type, )+
        }

        /// The rows of this section, in the order in which they are documented.
        pub(super) static SETTINGS: &[$crate::config::setting::Setting] = &[
            $( $crate::config::setting::Setting {
                name: $setting,
                kind: <$type as $crate::config::value::Value>::KIND,
                default: $crate::config::setting::or_empty(&[$($default)?]),
                bounds: $crate::config::setting::or_none(&[$(($least, $most))?]),
                lines: &[$($doc),+],
                section: $title,
            }, )+
        ];

        impl $name {
            pub(super) fn read(
                values: &$crate::config::sources::Values,
            ) -> Result<Self, $crate::config::ConfigError> {
                Ok(Self { $( $field: values.get($setting)?, )+ })
            }
        }
    };
}
pub(super) use section;

/// The one default given, or the empty text.
pub(super) const fn or_empty(given: &[&'static str]) -> &'static str {
    match given {
        [text, ..] => text,
        [] => "",
    }
}

/// The one pair of bounds given, or none.
pub(super) const fn or_none(given: &[(u64, u64)]) -> Option<(u64, u64)> {
    match given {
        [pair, ..] => Some(*pair),
        [] => None,
    }
}

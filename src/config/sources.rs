//! Flags, environment and file: where values come from, which one wins, and which names are refused.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::environment::{self, CONFIG_VARIABLE, WORKBENCH_TOKEN_PATH};
use super::error::{ConfigError, Warning};
use super::file;
use super::nearest::nearest;
use super::secret::HIDDEN;
use super::setting::{ENVIRONMENT_PREFIX, FILE_SUFFIX, Setting, variable};
use super::value::Value;
use super::workbench;

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: it is the default.
    Default,
    /// A line of the configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from one.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// A flag, named without its hyphens.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File { path, line } => write!(formatter, "{}:{line}", path.display()),
            Self::Environment(name) => write!(formatter, "environment {name}"),
            Self::Flag(name) => write!(formatter, "flag --{name}"),
        }
    }
}

/// The configuration file, and who named it: only the default one may be absent.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// The file.
    pub path: PathBuf,
    /// `Origin::Default` when nobody named it.
    pub named_at: Origin,
}

/// What settings are read from; a test gives all three, the program uses [`Sources::of_process`].
#[derive(Clone, Debug)]
pub struct Sources {
    /// Flags by name without hyphens, as the command line took them.
    pub flags: BTreeMap<String, String>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// The configuration file.
    pub file: ConfigFile,
}

/// A value as text, with its place.
#[derive(Clone)]
pub(super) struct Given {
    pub text: String,
    pub origin: Origin,
}

/// The winning text of each setting that any source gives.
pub(super) struct Values(BTreeMap<&'static str, Given>);

type Layer = BTreeMap<String, Given>;

impl Sources {
    /// The given flags (by name, without hyphens), this process's environment, and the file they name.
    pub fn of_process(flags: BTreeMap<String, String>, config: Option<PathBuf>) -> Self {
        Self {
            flags,
            environment: environment::variables(),
            file: environment::config_file(config),
        }
    }

    /// Every setting that is given, from the source of highest precedence, with what is worth a warning.
    pub(super) fn collect(&self) -> Result<(Values, Vec<Warning>), ConfigError> {
        let mut ignored = Vec::new();
        let layers = [
            self.flag_layer(),
            self.environment_layer(&mut ignored)?,
            self.file_layer(&mut ignored)?,
        ];
        let mut values = BTreeMap::new();
        for setting in super::settings() {
            for layer in &layers {
                if let Some(given) = pick(setting, layer)? {
                    values.insert(setting.name, given);
                    break;
                }
            }
        }
        let warnings = if ignored.is_empty() {
            Vec::new()
        } else {
            vec![Warning::Ignored { names: ignored }]
        };
        Ok((Values(values), warnings))
    }

    /// The value of one environment variable of another product.
    pub(super) fn foreign_variable(&self, name: &str) -> Option<&str> {
        self.environment
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn flag_layer(&self) -> Layer {
        let given = |(name, text): (&String, &String)| {
            (
                name.clone(),
                Given {
                    text: text.clone(),
                    origin: Origin::Flag(name.clone()),
                },
            )
        };
        self.flags.iter().map(given).collect()
    }

    fn environment_layer(&self, ignored: &mut Vec<(String, Origin)>) -> Result<Layer, ConfigError> {
        let mut layer = Layer::new();
        for (name, text) in &self.environment {
            let Some(rest) = name.strip_prefix(ENVIRONMENT_PREFIX) else {
                continue;
            };
            if name == CONFIG_VARIABLE {
                continue;
            }
            let origin = Origin::Environment(name.clone());
            let key = rest.to_ascii_lowercase().replace('_', "-");
            if variable(&key) == *name && is_ours(&key) {
                layer.insert(
                    key,
                    Given {
                        text: text.clone(),
                        origin,
                    },
                );
            } else if workbench::is_service_link(rest) {
                // Kubernetes announces every Service to every pod of its namespace in this way.
            } else if let Some(near) = nearest(&key, names().iter().map(String::as_str)) {
                return Err(ConfigError::Misspelt {
                    origin,
                    name: name.clone(),
                    nearest: variable(near),
                });
            } else {
                ignored.push((name.clone(), origin));
            }
        }
        Ok(layer)
    }

    fn file_layer(&self, ignored: &mut Vec<(String, Origin)>) -> Result<Layer, ConfigError> {
        let ConfigFile { path, named_at } = &self.file;
        let text = match file::read(path, named_at) {
            Ok(text) => text,
            Err(ConfigError::Unreadable { reason, .. })
                if *named_at == Origin::Default && reason.kind() == std::io::ErrorKind::NotFound =>
            {
                return Ok(Layer::new());
            }
            Err(error) => return Err(error),
        };
        let mut layer = Layer::new();
        for (key, line) in file::parse(&text, path)? {
            if is_ours(&key) {
                layer.insert(
                    key,
                    Given {
                        text: line.value,
                        origin: line.origin,
                    },
                );
            } else if let Some(near) = misspelt(&key) {
                return Err(ConfigError::Misspelt {
                    origin: line.origin,
                    name: key,
                    nearest: near,
                });
            } else {
                ignored.push((key, line.origin));
            }
        }
        Ok(layer)
    }
}

/// Every name a source may use: the settings, and `<name>-file` for each secret.
fn names() -> Vec<String> {
    super::settings()
        .flat_map(|setting| [Some(setting.name.to_owned()), setting.file_name()])
        .flatten()
        .collect()
}

fn is_ours(name: &str) -> bool {
    super::setting(name).is_some()
        || name
            .strip_suffix(FILE_SUFFIX)
            .and_then(super::setting)
            .is_some_and(Setting::is_secret)
}

/// The name of ours that `key` misspells, unless Workbench has an option of exactly that name.
fn misspelt(key: &str) -> Option<String> {
    if workbench::is_option(key) {
        return None;
    }
    nearest(&key.to_ascii_lowercase(), names().iter().map(String::as_str)).map(str::to_owned)
}

/// The text of `setting` in one layer, by itself or from the file that `<name>-file` names.
fn pick(setting: &'static Setting, layer: &Layer) -> Result<Option<Given>, ConfigError> {
    let direct = layer.get(setting.name);
    let Some(named) = setting.file_name().and_then(|name| layer.get(&name)) else {
        return Ok(direct.cloned());
    };
    if let Some(first) = direct {
        return Err(ConfigError::TwoSecrets {
            name: setting.name,
            first: first.origin.clone(),
            second: named.origin.clone(),
        });
    }
    let text = secret_of_file(setting.name, Path::new(&named.text), &named.origin)?;
    Ok(Some(Given {
        text,
        origin: named.origin.clone(),
    }))
}

/// The content of a secret's file, one trailing newline removed.
fn secret_of_file(name: &'static str, path: &Path, origin: &Origin) -> Result<String, ConfigError> {
    let text = file::read(path, origin)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    let fault = |fault| {
        Err(ConfigError::SecretFile {
            origin: origin.clone(),
            path: path.to_owned(),
            name,
            fault,
        })
    };
    match text {
        "" => fault("is empty"),
        _ if text.contains(['\n', '\r', '\0']) => fault("holds more than one line"),
        _ => Ok(text.to_owned()),
    }
}

impl Values {
    /// The text in force of `setting`, with its place.
    pub(super) fn given(&self, setting: &Setting) -> Given {
        let default = || Given {
            text: setting.default.to_owned(),
            origin: Origin::Default,
        };
        self.0.get(setting.name).cloned().unwrap_or_else(default)
    }

    /// Where the value of the setting called `name` came from.
    pub(super) fn origin(&self, name: &str) -> Origin {
        self.0.get(name).map_or(Origin::Default, |given| given.origin.clone())
    }

    /// The value in force of the setting called `name`; raises `Value` when its text is not what it takes.
    pub(super) fn get<T: Value>(&self, name: &'static str) -> Result<T, ConfigError> {
        let Some(setting) = super::setting(name) else {
            return Err(ConfigError::Missing(format!("{name} is not in the table of settings")));
        };
        let given = self.given(setting);
        let parsed = if given.text.contains(char::is_control) {
            None
        } else {
            T::parse(&given.text, setting)
        };
        parsed.ok_or_else(|| ConfigError::Value {
            origin: given.origin,
            name,
            shown: if setting.is_secret() {
                HIDDEN.to_owned()
            } else {
                format!("{:?}", given.text)
            },
            expected: setting.expectation(),
        })
    }

    /// The error that `fault` makes together with the place of `name`.
    pub(super) fn contradiction(&self, name: &str, fault: impl Into<String>) -> ConfigError {
        ConfigError::Contradiction {
            origin: self.origin(name),
            fault: fault.into(),
        }
    }
}

/// The extra token file that Workbench's own variable names, if it does.
pub(super) fn workbench_token_path(sources: &Sources) -> Option<PathBuf> {
    sources
        .foreign_variable(WORKBENCH_TOKEN_PATH)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

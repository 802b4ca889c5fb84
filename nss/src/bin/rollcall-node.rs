//! `rollcall-node`: the node agent's command line.

use rollcall_nss::account::{CannotKnow, account};
use rollcall_nss::agent::{End, Options, run, status};
use rollcall_nss::ask::{Reply, ask};
use rollcall_nss::config::{CONFIG_MAX, Config, SafeFileError, parse, read_safe};
use rollcall_nss::foreign::end_on_signals;
use rollcall_nss::home::{Made, make};
use rollcall_nss::map::{AGENT_SILENT_MS, Former, MAP_FILE, Map};
use serde_json::json;
use std::io::Write;
use std::process::ExitCode;

const USAGE: &str = "\
rollcall-node: keeps the users of Rollcall on this node

  rollcall-node [run]     serve; ends when the configuration changes or goes, to be started again
  rollcall-node status    what the agent and its map know (key value lines; --prometheus for a textfile collector)
  rollcall-node check     read the configuration and both tokens, and tell what of them is not used
  rollcall-node clear     take the map away, when the agent will not run here any more
  rollcall-node authorized-keys USER
                          the SSH keys of a user, for sshd's AuthorizedKeysCommand; none for who is unknown, locked, deleted or local
  rollcall-node make-home [USER]
                          make the home directory of a user (PAM_USER without one) unless it is there; as root

  --config PATH           [/etc/rstudio/workbench-nss.conf]
  --run-dir PATH          map and socket [/run/rollcall]; the module looks nowhere else
  --cache-dir PATH        copy for a start without network [/var/cache/rollcall]
  --output json           status, check, clear, authorized-keys, make-home: an object instead of text

Exit status: 0 well; 1 failed; 2 wrong usage; status: 3 the service does not answer, 4 no agent; authorized-keys, make-home: 3 a user that this
node has no business with, 4 nobody can tell now (authorized-keys: 0 and no key for the former).
";

/// How long `status` waits for the agent, ms.
const STATUS_LIMIT_MS: u64 = 1000;
/// An agent whose last sign of life is older is not there, s.
const SILENT_S: u64 = AGENT_SILENT_MS / 1000;

fn main() -> ExitCode {
    // The module's silent hook may be linked in; a program may say why it dies.
    drop(std::panic::take_hook());
    let mut options = Options::default();
    let mut command = None;
    let mut user = None;
    let mut form = Form::Text;
    let mut output = String::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        // As getopt_long(3) has it: an option's value behind it, or behind an equals sign.
        let (name, given) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (argument.as_str(), None),
        };
        let place = match name {
            "--config" => &mut options.config_path,
            "--run-dir" => &mut options.run_dir,
            "--cache-dir" => &mut options.cache_dir,
            "--output" => &mut output,
            "--prometheus" if given.is_none() => {
                form = Form::Prometheus;
                continue;
            }
            "--help" | "-h" if given.is_none() => {
                print(USAGE);
                return ExitCode::SUCCESS;
            }
            "--version" if given.is_none() => {
                print(concat!("rollcall-node ", env!("CARGO_PKG_VERSION"), "\n"));
                return ExitCode::SUCCESS;
            }
            "run" | "status" | "check" | "clear" | "authorized-keys" | "make-home" if command.is_none() => {
                command = Some(argument);
                continue;
            }
            name if takes_user(command.as_deref()) && user.is_none() && !name.starts_with('-') => {
                user = Some(argument);
                continue;
            }
            _ => return wrong_usage(&argument),
        };
        let Some(value) = given.or_else(|| arguments.next()) else {
            return wrong_usage(&argument);
        };
        *place = value;
    }
    match output.as_str() {
        "" | "text" => {}
        "json" if form == Form::Text => form = Form::Json,
        other => return wrong_usage(other),
    }
    // What a command has no answer in is not passed over: somebody would wait for it.
    match (command.as_deref(), form) {
        (None | Some("run"), Form::Json) => return wrong_usage("--output"),
        (Some("status"), _) | (_, Form::Text | Form::Json) => {}
        (_, Form::Prometheus) => return wrong_usage("--prometheus"),
    }
    match (command.as_deref(), user) {
        (Some("status"), _) => show_status(&options, form),
        (Some("check"), _) => check(&options, form),
        (Some("clear"), _) => clear(&options, form),
        (Some("authorized-keys"), Some(user)) => authorized_keys(&options, &user, form),
        (Some("make-home"), user) => match user.or_else(|| std::env::var("PAM_USER").ok()) {
            Some(user) => make_home(&options, &user, form),
            None => wrong_usage("make-home"),
        },
        (Some("authorized-keys"), None) => wrong_usage("authorized-keys"),
        _ => serve(options),
    }
}

/// The form of an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Json,
    Prometheus,
}

impl Form {
    /// Prints `value` as JSON, or `text`.
    fn print(self, value: &serde_json::Value, text: &str) {
        if self == Self::Json {
            print(&format!("{value}\n"));
        } else {
            print(text);
        }
    }
}

fn takes_user(command: Option<&str>) -> bool {
    matches!(command, Some("authorized-keys" | "make-home"))
}

/// Status 0 whenever the answer is known: sshd takes any other one for a failure, and logs it.
fn authorized_keys(options: &Options, user: &str, form: Form) -> ExitCode {
    let Ok(account) = account(&options.run_dir, user) else {
        complain(
            "nobody can tell now who may sign in: there is no map, or it does not know the user and no agent answers",
        );
        return ExitCode::from(4);
    };
    let keys = account.map(|account| account.ssh_keys).unwrap_or_default();
    let text: String = keys.iter().flat_map(|key| [key.as_str(), "\n"]).collect();
    form.print(&json!({"user": user, "keys": keys}), &text);
    ExitCode::SUCCESS
}

fn make_home(options: &Options, user: &str, form: Form) -> ExitCode {
    let account = match account(&options.run_dir, user) {
        Ok(Some(account)) => account,
        Ok(None) => {
            complain(&format!("{user:?} is no user of Rollcall who may sign in here"));
            return ExitCode::from(3);
        }
        Err(CannotKnow) => {
            complain("nobody can tell now who that is");
            return ExitCode::from(4);
        }
    };
    // A file that may not be used leaves the defaults; one that is not there too.
    let config = Config::load(&options.config_path).unwrap_or_default();
    match make(&account, &config) {
        Ok(made) => {
            let is_new = made == Made::New;
            let text = if is_new {
                format!("{} is made\n", account.home)
            } else {
                String::new()
            };
            form.print(&json!({"user": user, "home": account.home, "made": is_new}), &text);
            ExitCode::SUCCESS
        }
        Err(fault) => {
            complain(&fault);
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "rollcall-node: {text}");
}

fn wrong_usage(argument: &str) -> ExitCode {
    complain(&format!(
        "{argument:?} is not understood, or lacks its value; see --help"
    ));
    ExitCode::from(2)
}

fn serve(options: Options) -> ExitCode {
    end_on_signals();
    let config_path = options.config_path.clone();
    match run(options) {
        End::NoConfiguration => {
            complain(&format!("there is no {config_path}: this node has nothing to serve"));
            ExitCode::SUCCESS
        }
        End::NewConfiguration => {
            complain("the configuration has changed: starting again with it");
            ExitCode::SUCCESS
        }
        End::Failed(reason) => {
            complain(&reason);
            ExitCode::FAILURE
        }
    }
}

fn show_status(options: &Options, form: Form) -> ExitCode {
    let map_path = format!("{}/{MAP_FILE}", options.run_dir);
    let text = match ask(&format!("{}/node.sock", options.run_dir), b"t", STATUS_LIMIT_MS) {
        Reply::Body(body) => String::from_utf8_lossy(&body).into_owned(),
        _ => Map::open(&map_path).map_or_else(|_| String::new(), |map| status::of_map(&map)),
    };
    if form == Form::Prometheus {
        print(&status::metrics::exposition(&text));
    } else {
        let pairs = text.lines().filter_map(|line| line.split_once(' '));
        let value = pairs.map(|(key, value)| (key.to_owned(), json!(value))).collect();
        form.print(&serde_json::Value::Object(value), &text);
    }
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    let beat = value("last_beat_seconds")
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(u64::MAX);
    match value("service") {
        _ if beat > SILENT_S => ExitCode::from(4),
        Some("up") => ExitCode::SUCCESS,
        _ => ExitCode::from(3),
    }
}

/// Something that is not as it must be; without a line it is about the whole file.
fn finding(file: &str, line: usize, message: &str) -> serde_json::Value {
    let place = if line == 0 { String::new() } else { format!(":{line}") };
    complain(&format!("{file}{place}: {message}"));
    json!({"file": file, "line": (line > 0).then_some(line), "message": message})
}

fn check(options: &Options, form: Form) -> ExitCode {
    let path = &options.config_path;
    let mut findings = Vec::new();
    match read_safe(path, CONFIG_MAX) {
        Ok(text) => {
            let (config, faults) = parse(&String::from_utf8_lossy(&text));
            findings.extend(faults.iter().map(|fault| finding(path, fault.line, &fault.message)));
            for (token, key) in [
                (&config.admin_token_path, "admin-token-path"),
                (&config.user_token_path, "user-token-path"),
            ] {
                let fault = match read_safe(token, CONFIG_MAX) {
                    Ok(text) if !text.trim_ascii().is_empty() => continue,
                    // Root's alone, as it should be.
                    Err(SafeFileError::Denied) if key == "admin-token-path" => continue,
                    Ok(_) => format!("{key}: it is empty"),
                    Err(error) => format!("{key}: {}", words(error)),
                };
                findings.push(finding(token, 0, &fault));
            }
        }
        Err(error) => findings.push(finding(path, 0, words(error))),
    }
    form.print(&json!({"file": path, "findings": findings}), "");
    if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Why a file is not used, for people.
fn words(error: SafeFileError) -> &'static str {
    match error {
        SafeFileError::Missing => "there is no such file",
        SafeFileError::Denied => "it may not be read",
        SafeFileError::Unsafe => "it must be a file of root's that nobody else can write, no link, and not too large",
        SafeFileError::Transient => "it cannot be read now",
    }
}

fn clear(options: &Options, form: Form) -> ExitCode {
    let former = Former::open(&options.run_dir);
    let removed = std::fs::remove_file(format!("{}/{MAP_FILE}", options.run_dir));
    if let Some(former) = former {
        former.retire();
    }
    match removed {
        Ok(()) => {
            form.print(&json!({"cleared": true}), "");
            ExitCode::SUCCESS
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            form.print(&json!({"cleared": false}), "");
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

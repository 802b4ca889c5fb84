//! The real command line.

use std::process::{Command, Stdio};

use serde_json::Value;

/// What a command left behind.
#[derive(Debug)]
pub struct Outcome {
    /// Its arguments, for messages.
    arguments: String,
    /// Its exit code; -1 when a signal ended it.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it said besides.
    pub stderr: String,
}

impl Outcome {
    /// Itself, when it ended well; fails the test otherwise.
    pub fn succeeded(self) -> Self {
        assert_eq!(
            self.code, 0,
            "rollcall {}: {}{}",
            self.arguments, self.stdout, self.stderr
        );
        self
    }

    /// What it printed, as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

/// The program under test, without any setting of the machine it runs on.
pub const ROLLCALL: &str = env!("CARGO_BIN_EXE_rollcall");

/// Runs `rollcall` with these arguments to its end.
pub fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    run_program(ROLLCALL, arguments, environment)
}

/// Like [`run`], from another binary.
pub fn run_program(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    let mut command = Command::new(program);
    without_settings(&mut command)
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    Outcome {
        arguments: arguments.join(" "),
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Takes every setting of the surrounding environment away.
pub fn without_settings(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ROLLCALL_") || name == "WORKBENCH_USER_SERVICE_AUTH_TOKEN_PATH" {
            command.env_remove(name);
        }
    }
    // A file that is named and empty keeps /etc/rollcall/rollcall.conf of this machine out.
    command.env("ROLLCALL_CONFIG", "/dev/null")
}

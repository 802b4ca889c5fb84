//! What is done to the service while it is under load: commands, each at its time.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::Instant;

use anyhow::Context;

use crate::profile::Event;

/// Commands by the names of events, as `--on` gives them.
#[derive(Debug, Default)]
pub struct Commands(BTreeMap<String, String>);

impl Commands {
    /// From arguments as `failover=COMMAND`. Raises what has another form.
    pub fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let pair = |argument: &String| {
            let (name, command) = argument
                .split_once('=')
                .with_context(|| format!("{argument}: expected NAME=COMMAND"))?;
            Ok((name.to_owned(), command.to_owned()))
        };
        Ok(Self(arguments.iter().map(pair).collect::<anyhow::Result<_>>()?))
    }

    /// Runs each event's command by a shell when it is due, on a thread; its outcome is what joining it gives. Raises an
    /// event without a command.
    pub fn start(&self, events: &[Event], began: Instant) -> anyhow::Result<JoinHandle<anyhow::Result<()>>> {
        let command = |event: &Event| {
            let command = self.0.get(&event.name);
            let command = command.with_context(|| format!("give a command: --on {}=COMMAND", event.name))?;
            Ok((event.clone(), command.clone()))
        };
        let mut due = events.iter().map(command).collect::<anyhow::Result<Vec<_>>>()?;
        due.sort_by(|a, b| a.0.at_seconds.total_cmp(&b.0.at_seconds));
        Ok(std::thread::spawn(move || {
            for (event, command) in due {
                let at = began + std::time::Duration::from_secs_f64(event.at_seconds);
                std::thread::sleep(at.saturating_duration_since(Instant::now()));
                let status = Command::new("sh")
                    .args(["-c", &command])
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .status()?;
                anyhow::ensure!(status.success(), "{}: the command ended with {status}", event.name);
            }
            Ok(())
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at_seconds: f64) -> Event {
        Event {
            name: "fall".to_owned(),
            at_seconds,
        }
    }

    #[test]
    fn a_command_runs_and_its_failure_is_told() {
        let outcome = |command: &str| {
            let commands = Commands::parse(&[format!("fall={command}")]).unwrap();
            commands.start(&[event(0.0)], Instant::now()).unwrap().join().unwrap()
        };
        assert!(outcome("exit 0").is_ok());
        assert!(outcome("exit 3").unwrap_err().to_string().contains("fall"));
    }

    #[test]
    fn an_event_without_a_command_is_refused_before_anything_runs() {
        assert!(Commands::default().start(&[event(0.0)], Instant::now()).is_err());
        assert!(Commands::parse(&["fall".to_owned()]).is_err());
    }
}

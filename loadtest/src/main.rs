//! Populates, loads and measures a Rollcall service. It knows the service by its contracts alone: SCIM, and the SQL
//! functions of schema `api`.

mod cli;
mod client;
mod closed;
mod cpu;
mod database;
mod directory;
mod latency;
mod memory;
mod nss_module;
mod personas;
mod populate;
mod population;
mod profile;
mod random;
mod ready;
mod report;
mod run;
mod scale;
mod schedule;
mod summary;

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be listening.
            let _ = writeln!(std::io::stderr(), "rollcall-loadtest: {error:#}");
            ExitCode::FAILURE
        }
    }
}

//! The threads of the API, which let those of everything else go first: a flood of SCIM requests leaves nodes' reads their processor.

use super::slice;
use rollcall::config::Role;
use rustix::process::{getpriority_process, setpriority_process};
use tokio::runtime::{Builder, Handle, Runtime};

/// How much nicer than the rest of the process these threads are (setpriority(2)): with 5, threads of the rest get three times
/// their share when all want more than there is, and are woken before them. Nobody needs a privilege to be nice.
const NICER: i32 = 5;

/// The nicest that Linux knows.
const NICEST: i32 = 19;

/// What these threads are called, as `top -H` shows them.
const NAME: &str = "api";

/// Threads for the listeners `api` and `proxy` and all the work behind them; everything else runs on the process' first ones, as
/// all of a replica of role `read` does, which has none of these.
pub(super) struct Workers(Option<Runtime>);

impl Workers {
    /// As many as there are processors, for a replica of `role`.
    pub(super) fn start(role: Role) -> std::io::Result<Self> {
        if role == Role::Read {
            return Ok(Self(None));
        }
        // On Linux this is the priority of the calling thread, which has the process'.
        let own = getpriority_process(None)?;
        let nice = (own + NICER).min(NICEST);
        let runtime = Builder::new_multi_thread()
            .thread_name(NAME)
            .on_thread_start(move || {
                if let Err(error) = setpriority_process(None, nice) {
                    tracing::warn!(%error, "a thread of the API has the priority of those that serve nodes");
                }
                slice::shorten();
            })
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Where to spawn what shall run on them.
    pub(super) fn handle(&self) -> Handle {
        self.0
            .as_ref()
            .map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }
}

impl Drop for Workers {
    /// Ends without waiting: whoever drops them has drained the listeners.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

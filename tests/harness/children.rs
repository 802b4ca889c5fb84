//! Child processes that never outlive the test run, however it ends.

use std::process::{Child, Command};
use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex, PoisonError};

type Job = Box<dyn FnOnce() + Send>;

/// The thread that starts every child: the parent-death signal fires when the starting *thread* ends, and the thread of
/// a test ends with the test.
static STARTER: LazyLock<Mutex<Sender<Job>>> = LazyLock::new(|| {
    let (jobs, inbox) = channel::<Job>();
    std::thread::spawn(move || inbox.into_iter().for_each(|job| job()));
    Mutex::new(jobs)
});

/// A child process; killed, by its id, when dropped.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Sends it a signal, as `TERM`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .arg("-s")
            .arg(name)
            .arg(self.id().to_string())
            .status()
            .unwrap();
        assert!(status.success(), "cannot send {name} to {}", self.id());
    }

    /// Its exit code, if it has ended by itself.
    pub fn exit_code(&mut self) -> Option<i32> {
        self.0.try_wait().unwrap().map(|status| status.code().unwrap_or(-1))
    }

    /// What it writes, for pipes that were asked for.
    pub fn pipes(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A command for `program` that is killed with the test run; add arguments and hand it to [`start`].
pub fn mortal(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// The same, as the account `user`: PostgreSQL refuses to run as root.
pub fn mortal_as(user: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args([
            "--reuid",
            user,
            "--regid",
            user,
            "--init-groups",
            "--pdeathsig",
            "KILL",
            "--",
        ])
        .arg(program);
    command.current_dir("/");
    command
}

/// Starts a command made by [`mortal`] or [`mortal_as`].
pub fn start(mut command: Command) -> Running {
    let (answer, started) = channel();
    let job = Box::new(move || {
        let _ = answer.send(command.spawn());
    });
    STARTER
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send(job)
        .unwrap();
    Running(started.recv().unwrap().expect("a child process starts"))
}

//! Whether the primary answers at all, for whoever would rather be told soon than wait out a failover.

use std::time::{Duration, Instant};

use deadpool_postgres::PoolError;

use super::pool::{self, Database};

/// How long to wait before asking again.
const LOOK: Duration = Duration::from_millis(250);

/// Why the primary could not be asked anything.
struct Fault {
    /// For an administrator; holds no password.
    reason: String,
    /// Whether asking again would tell the same: it lets this role in nowhere, or has no such database.
    is_final: bool,
}

impl Database {
    /// Waits until the primary answers, at most `limit`. Raises why it does not, in words for an administrator.
    pub async fn reach(&self, limit: Duration) -> Result<(), String> {
        let end = Instant::now() + limit;
        let mut reason = "it accepts connections and says nothing".to_owned();
        // What fails at once, as a socket that is not there, never meets the time-out.
        while Instant::now() < end {
            match tokio::time::timeout_at(end.into(), self.ask()).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(fault)) if fault.is_final => return Err(fault.reason),
                Ok(Err(fault)) => reason = fault.reason,
                Err(_) => break,
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(format!("{reason} (tried for {} s)", limit.as_secs()))
    }

    async fn ask(&self) -> Result<(), Fault> {
        let connection = self.primary.get().await.map_err(|error| Fault {
            is_final: matches!(&error, PoolError::Backend(error) if is_final(error)),
            reason: match &error {
                PoolError::Timeout(_) => "no connection could be made in time".to_owned(),
                PoolError::Backend(error) => pool::describe(error),
                other => pool::describe(other),
            },
        })?;
        let asked = connection.query_typed("select", &[]).await;
        asked.map(drop).map_err(|error| Fault {
            reason: pool::describe(&error),
            is_final: false,
        })
    }
}

/// Invalid authorization (class 28) and no such database (3D000); while a server starts it says other things.
fn is_final(error: &tokio_postgres::Error) -> bool {
    let code = error.code().map_or("", |code| code.code());
    code.starts_with("28") || code.starts_with("3D")
}

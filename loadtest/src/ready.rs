//! `ready`: waits for an address to answer 200, and says when it did.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Args;

use crate::client::{Request, Target};

/// How often it is asked: the resolution of a start time.
const EVERY: Duration = Duration::from_millis(2);

/// What to wait for.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The address, as <http://127.0.0.1:9090/readyz>.
    url: String,
    /// Give up after so many seconds.
    #[arg(long, default_value_t = 60)]
    within: u64,
}

/// Prints the time at which the address answered 200, in microseconds since 1970. Raises running out of time.
pub async fn ready(arguments: &Arguments) -> anyhow::Result<()> {
    let target = Target::new(&arguments.url, "none")?;
    let end = Instant::now() + Duration::from_secs(arguments.within);
    let mut connection = target.connection();
    while Instant::now() < end {
        if let Ok(answer) = connection.send(&Request::get("")).await
            && answer.status == 200
        {
            println!("{}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros());
            return Ok(());
        }
        tokio::time::sleep(EVERY).await;
    }
    anyhow::bail!("{} did not answer 200 within {} s", arguments.url, arguments.within)
}

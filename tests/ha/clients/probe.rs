//! The plain probe: a new connection through the balancer and one insert, again and again; the floor for every outage.

use std::time::Duration;

use super::Desk;
use crate::journal::{Action, Entry};
use crate::site::BALANCER;
use crate::site::cluster::connector;
use crate::site::files::{Folder, PASSWORD};
use crate::site::front::PRIMARY_PORT;

/// Longest wait for connecting and inserting.
const PATIENCE: Duration = Duration::from_secs(1);

/// Pause between two probes.
const PAUSE: Duration = Duration::from_millis(100);

/// Inserts until the desk closes.
pub async fn insert(desk: Desk, folder: Folder) {
    let uri = format!(
        "host={BALANCER} port={PRIMARY_PORT} user=postgres password={PASSWORD} dbname=postgres sslmode=require"
    );
    let tls = connector(&folder);
    while let Some(_business) = desk.open().await {
        let mut entry = Entry::begin(&desk.journal, "probe", Action::Probe, "", "");
        let inserting = async {
            let (client, connection) = tokio_postgres::connect(&uri, tls.clone()).await?;
            let connection = tokio::spawn(connection);
            let done = client.batch_execute("insert into probe default values").await;
            drop(client);
            let _ = connection.await;
            done
        };
        if let Ok(Ok(())) = tokio::time::timeout(PATIENCE, inserting).await {
            entry.status = 200;
        }
        desk.journal.note(entry);
        tokio::time::sleep(PAUSE).await;
    }
}

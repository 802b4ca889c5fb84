//! On whose threads a connection lives: its socket, and the task that speaks through it.

use deadpool_postgres::Connect;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::context::TokioContext;

/// Makes connections that live on `threads`, or on those of whoever asks for one.
pub(in crate::db) struct OnThreads {
    pub(in crate::db) tls: MakeRustlsConnect,
    pub(in crate::db) threads: Option<Handle>,
}

impl Connect for OnThreads {
    fn connect(&self, config: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        let (tls, config) = (self.tls.clone(), config.clone());
        let connect = async move {
            let (client, connection) = config.connect(tls).await?;
            let conversation = tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a database connection has ended");
                }
            });
            Ok((client, conversation))
        };
        match &self.threads {
            Some(threads) => TokioContext::new(connect, threads.clone()).boxed(),
            None => connect.boxed(),
        }
    }
}

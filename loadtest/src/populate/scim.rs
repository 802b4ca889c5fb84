//! Populating through SCIM, as an identity provider would: one POST per resource, on several connections.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::Method;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Arguments;
use super::progress::{Kind, Progress};
use crate::client::{Request, Target};
use crate::directory;
use crate::population::Population;

/// What all workers share. `ids` leads from `userName` to `id`, once the users are there.
#[derive(Debug)]
struct Work {
    target: Arc<Target>,
    population: Population,
    kind: Kind,
    users: u64,
    total: u64,
    next: AtomicU64,
    ids: HashMap<String, String>,
}

/// Creates what is missing; what is there already (409) stays. Raises any other refusal.
pub async fn populate(
    target: &Arc<Target>,
    population: &Population,
    arguments: &Arguments,
    mut progress: Progress,
) -> anyhow::Result<()> {
    for (kind, total) in [(Kind::Users, arguments.users), (Kind::Groups, arguments.groups)] {
        if progress.done(kind) >= total {
            continue;
        }
        let ids = match kind {
            Kind::Users => HashMap::new(),
            Kind::Groups => directory::ids_by_user_name(&mut target.connection()).await?,
        };
        let work = Arc::new(Work {
            target: Arc::clone(target),
            population: population.clone(),
            kind,
            users: arguments.users,
            total,
            next: AtomicU64::new(progress.done(kind)),
            ids,
        });
        let (done, mut indices) = mpsc::channel(64);
        let mut workers = JoinSet::new();
        for _ in 0..arguments.connections {
            workers.spawn(create(Arc::clone(&work), done.clone()));
        }
        drop(done);
        while let Some(index) = indices.recv().await {
            progress.add(kind, index, index + 1, total)?;
        }
        while let Some(worker) = workers.join_next().await {
            worker??;
        }
    }
    Ok(())
}

async fn create(work: Arc<Work>, done: mpsc::Sender<u64>) -> anyhow::Result<()> {
    let mut connection = work.target.connection();
    loop {
        let index = work.next.fetch_add(1, Ordering::Relaxed);
        if index >= work.total {
            return Ok(());
        }
        let request = match work.kind {
            Kind::Users => Request::with_body(Method::POST, "/Users", &work.population.user(index).document()),
            Kind::Groups => Request::with_body(Method::POST, "/Groups", &work.group(index)),
        };
        let answer = connection.send(&request).await?;
        if answer.status != 409 {
            answer.json()?;
        }
        if done.send(index).await.is_err() {
            return Ok(());
        }
    }
}

impl Work {
    fn group(&self, index: u64) -> serde_json::Value {
        let group = self.population.group(index, self.users);
        let names = group
            .members
            .iter()
            .map(|member| self.population.user(*member).user_name);
        let members: Vec<String> = names.filter_map(|name| self.ids.get(&name).cloned()).collect();
        group.document(&members)
    }
}

//! What nodes ask the read API (`nss/CONTRACT.md`): records by name and number, groups of a user, the feed, the directory.

use anyhow::Context;

use crate::client::{Connection, Request, escape};
use crate::population::Population;
use crate::random::Random;

/// Records on a page of the directory, as the node agent asks for.
const PAGE: u32 = 2_000;

/// Most pages of a directory that are walked.
const PAGES: usize = 4_000;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// `getpwnam`.
    Name,
    /// `getpwuid`.
    Uid,
    /// `initgroups`.
    Initgroups,
    /// The agent's question of each second.
    Changes,
    /// A page of the directory, as the agent loads it at first.
    Snapshot,
}

/// A node's questions, prepared.
#[derive(Debug)]
pub struct NodeReads {
    question: Question,
    population: Population,
    users: u64,
    start_uid: u64,
    places: Vec<String>,
}

impl NodeReads {
    /// Walks what has to be known beforehand; `sizes`: users and the first uid. Raises what the service refuses.
    pub async fn prepare(
        question: Question,
        population: Population,
        sizes: (u64, u64),
        connection: &mut Connection,
    ) -> anyhow::Result<Self> {
        let (users, start_uid) = sizes;
        let mut places = Vec::new();
        if question == Question::Changes {
            let page = connection.send(&Request::get("/snapshot?limit=1")).await?.json()?;
            let cursor = page["cursor"].as_str().context("a directory without a cursor")?;
            places.push(format!("/changes?since={}&limit={PAGE}", escape(cursor)));
        }
        if question == Question::Snapshot {
            places.push(format!("/snapshot?limit={PAGE}"));
            while places.len() < PAGES {
                let last = places.last().cloned().unwrap_or_default();
                let page = connection.send(&Request::get(last)).await?.json()?;
                let Some(next) = page["next"].as_str() else { break };
                places.push(format!("/snapshot?limit={PAGE}&after={}", escape(next)));
            }
        }
        Ok(Self {
            question,
            population,
            users,
            start_uid,
            places,
        })
    }

    /// Its name in reports.
    pub fn report_name(&self) -> &'static str {
        match self.question {
            Question::Name => "nss-name",
            Question::Uid => "nss-uid",
            Question::Initgroups => "nss-initgroups",
            Question::Changes => "nss-changes",
            Question::Snapshot => "nss-snapshot",
        }
    }

    /// The request of a client's step.
    pub fn request(&self, client: u32, step: u64) -> Request {
        let index = Random::new(u64::from(client) + 2_000, step).below(self.users);
        let name = || escape(&self.population.user(index).posix_name);
        Request::get(match self.question {
            Question::Name => format!("/passwd?name={}", name()),
            Question::Uid => format!("/passwd?uid={}", self.start_uid + index),
            Question::Initgroups => format!("/initgroups?name={}", name()),
            Question::Changes | Question::Snapshot => {
                let turn = (step + u64::from(client) * 17) % self.places.len().max(1) as u64;
                self.places[usize::try_from(turn).unwrap_or_default()].clone()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_asked_for_by_their_posix_names_and_numbers() {
        let reads = |question| NodeReads {
            question,
            population: Population::new(1, ""),
            users: 1,
            start_uid: 20_000,
            places: vec!["/changes?since=x".to_owned()],
        };
        let name = Population::new(1, "").user(0).posix_name;
        let told = |question| reads(question).request(3, 4).path;
        assert_eq!(told(Question::Name), format!("/passwd?name={name}"));
        assert_eq!(told(Question::Uid), "/passwd?uid=20000");
        assert_eq!(told(Question::Initgroups), format!("/initgroups?name={name}"));
        assert_eq!(told(Question::Changes), "/changes?since=x");
    }
}

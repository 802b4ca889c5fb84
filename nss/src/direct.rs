//! The direct mode: a bounded cache in the process (moka), in front of a blocking client of the read API. Complete on its own.

mod cache;

use crate::breaker::Breaker;
use crate::client::{Client, Fault, Outdates, Said};
use crate::clock::now_ms;
use crate::config::Config;
use crate::contract;
use crate::http::{Response, encode};
use crate::plugin::{Answer, Question};
use crate::record::{self, Key, Record};
use cache::{Cache, Entry};
use std::time::Duration;

/// Records a page of an enumeration.
const PAGE: usize = 1000;
/// How long a known but outdated entry waits for its successor before it is handed out, ms.
const REVALIDATE_MS: u64 = 150;

/// What receives records (false) and the next page's cursor (true).
pub type Each<'a> = &'a mut dyn FnMut(bool, &[u8]);

/// The direct mode of one process.
#[derive(Debug)]
pub struct Direct {
    client: Client,
    cache: Cache,
    breaker: Breaker,
    shadow_served: bool,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// Effective uid 0: the administrator's token.
    pub admin: bool,
    /// Only the cache may answer.
    pub offline: bool,
}

impl Direct {
    /// Nothing is opened, and no cache built, before the first answer.
    pub fn new(config: Config) -> Self {
        let shadow_served = crate::token::has_admin_token(&config);
        let cache = Cache::new(&config);
        Self {
            client: Client::new(config, 1, Outdates::AfterTtl),
            cache,
            breaker: Breaker::default(),
            shadow_served,
        }
    }

    /// Answers `question` about `text` or `id`.
    pub fn ask(&self, question: Question, text: &[u8], id: u32, caller: Caller, each: Each<'_>) -> Answer {
        let key = match question {
            Question::UserName => Key::UserName(text),
            Question::Uid => Key::Uid(id),
            Question::GroupName => Key::GroupName(text),
            Question::Gid => Key::Gid(id),
            Question::Shadow => return self.shadow(text, caller, each),
            Question::Users | Question::Groups => return self.page(question, text, caller, each),
        };
        self.by_key(&key, caller, each)
    }

    fn by_key(&self, key: &Key<'_>, caller: Caller, each: Each<'_>) -> Answer {
        let now = now_ms();
        let known = self.cache.get(key);
        if let Some(entry) = known.as_ref().filter(|entry| entry.is_fresh(now)) {
            return give(entry, each);
        }
        let stale = known.filter(|entry| entry.is_usable(now));
        if caller.offline || self.breaker.is_open(now) {
            return stale.map_or(Answer::Unknown, |entry| give(&entry, each));
        }
        let limit = self.client.config().request_timeout_ms;
        let limit = Duration::from_millis(if stale.is_some() {
            limit.min(REVALIDATE_MS)
        } else {
            limit
        });
        let etag = stale.as_ref().and_then(|entry| entry.etag.as_deref());
        let fetched = self.client.get(&target(key), caller.admin, etag, limit);
        match fetched.and_then(|said| self.store(key, said, stale.as_deref())) {
            Ok(entry) => {
                self.breaker.close();
                give(&entry, each)
            }
            Err(fault) => {
                if matches!(fault, Fault::TimedOut | Fault::Failed) {
                    self.breaker.open(now_ms() + self.client.config().breaker_retry_ms);
                }
                match (stale, fault) {
                    (Some(entry), _) => give(&entry, each),
                    (None, Fault::Unconfigured) => Answer::Unconfigured,
                    (None, Fault::Local) => Answer::Local,
                    (None, Fault::TimedOut | Fault::Failed) => Answer::Unknown,
                }
            }
        }
    }

    /// Turns an answer into an entry and keeps it, with the groups that came along.
    fn store(&self, key: &Key<'_>, said: Said, stale: Option<&Entry>) -> Result<std::sync::Arc<Entry>, Fault> {
        let ids = self.client.config().ids;
        match said {
            Said::None(response) => Ok(self.cache.put_negative(key, &response)),
            Said::Unchanged(response) => {
                let record = stale.and_then(|entry| entry.record.clone()).ok_or(Fault::Failed)?;
                Ok(self.cache.put(&[*key], record, &response))
            }
            Said::Gone => Err(Fault::Failed),
            Said::Yes(response) if matches!(key, Key::UserName(_) | Key::Uid(_)) => {
                let user = contract::user(&response.body, key, ids).map_err(|_| Fault::Failed)?;
                let record = record::user(&user, self.shadow_served).ok_or(Fault::Failed)?;
                for group in &user.groups {
                    self.keep_group(group, &response);
                }
                let keys = [Key::Uid(user.uid), Key::UserName(user.name.as_bytes())];
                let keys = if user.by_uid_only { keys.get(..1) } else { keys.get(..) };
                Ok(self.cache.put(keys.unwrap_or(&[]), record.into(), &response))
            }
            Said::Yes(response) => {
                let group = contract::group(&response.body, key, ids).map_err(|_| Fault::Failed)?;
                self.keep_group(&group, &response).ok_or(Fault::Failed)
            }
        }
    }

    fn keep_group(&self, group: &contract::Group, response: &Response) -> Option<std::sync::Arc<Entry>> {
        let record = record::group(group)?;
        let keys = [Key::Gid(group.gid), Key::GroupName(group.name.as_bytes())];
        Some(self.cache.put(&keys, record.into(), response))
    }

    /// Shadow entries are asked for each time and never kept: the process may drop its privileges later.
    fn shadow(&self, name: &[u8], caller: Caller, each: Each<'_>) -> Answer {
        if caller.offline || !caller.admin {
            return Answer::Unknown;
        }
        if !self.shadow_served {
            return Answer::Unconfigured;
        }
        let said = self.get(&format!("/shadow?name={}", encode(name)), caller);
        match said {
            Ok(Said::Yes(response)) => {
                let shadow = contract::shadow(&response.body, name).ok();
                match shadow.and_then(|shadow| record::shadow(&shadow)) {
                    Some(record) => {
                        each(false, &record);
                        Answer::Found
                    }
                    None => Answer::Unknown,
                }
            }
            Ok(Said::None(_)) => Answer::None,
            Ok(Said::Unchanged(_) | Said::Gone) => Answer::Unknown,
            Err(answer) => answer,
        }
    }

    fn page(&self, question: Question, after: &[u8], caller: Caller, each: Each<'_>) -> Answer {
        if caller.offline {
            return Answer::Unknown;
        }
        let ids = self.client.config().ids;
        let list = if question == Question::Users { "passwd" } else { "group" };
        let after = if after.is_empty() {
            String::new()
        } else {
            format!("&after={}", encode(after))
        };
        let response = match self.get(&format!("/{list}?limit={PAGE}{after}"), caller) {
            Ok(Said::Yes(response)) => response,
            Ok(_) => return Answer::Unknown,
            Err(answer) => return answer,
        };
        let page = if question == Question::Users {
            contract::entries_of_users(&response.body, ids).map(|(users, next)| {
                // By name the retired do not exist, so they are not listed either.
                let listed = users.iter().filter(|user| !user.by_uid_only);
                let records: Vec<_> = listed
                    .filter_map(|user| record::user(user, self.shadow_served))
                    .collect();
                (records, next)
            })
        } else {
            contract::entries_of_groups(&response.body, ids)
                .map(|(groups, next)| (groups.iter().filter_map(record::group).collect(), next))
        };
        let Ok((records, next)) = page else {
            return Answer::Unknown;
        };
        for record in records {
            each(false, &record);
        }
        if let Some(next) = next {
            each(true, next.as_bytes());
        }
        Answer::Found
    }

    fn get(&self, target: &str, caller: Caller) -> Result<Said, Answer> {
        if self.breaker.is_open(now_ms()) {
            return Err(Answer::Unknown);
        }
        let limit = Duration::from_millis(self.client.config().request_timeout_ms);
        self.client
            .get(target, caller.admin, None, limit)
            .map_err(|fault| match fault {
                Fault::Unconfigured => Answer::Unconfigured,
                Fault::Local => Answer::Local,
                Fault::TimedOut | Fault::Failed => {
                    self.breaker.open(now_ms() + self.client.config().breaker_retry_ms);
                    Answer::Unknown
                }
            })
    }
}

/// Path and query of the question about `key`: for users the login bundle, so that a login is one round trip.
pub fn target(key: &Key<'_>) -> String {
    match *key {
        Key::UserName(name) => format!("/user?name={}", encode(name)),
        Key::Uid(uid) => format!("/user?uid={uid}"),
        Key::GroupName(name) => format!("/group?name={}", encode(name)),
        Key::Gid(gid) => format!("/group?gid={gid}"),
    }
}

fn give(entry: &Entry, each: Each<'_>) -> Answer {
    match &entry.record {
        Some(record) if Record::parse(record).is_some() => {
            each(false, record);
            Answer::Found
        }
        Some(_) => Answer::Unknown,
        None => Answer::None,
    }
}

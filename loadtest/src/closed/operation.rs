//! The operations of a closed loop: what they need before, what each client sends, and which answer counts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::{Args, ValueEnum};
use hyper::Method;
use hyper::header::HeaderValue;
use serde_json::{Value, json};

use super::filter::{By, Filters};
use super::login::{Change, Logins};
use super::nss::{NodeReads, Question};
use crate::client::{Answer, Connection, Request, Target, escape};
use crate::directory;
use crate::population::{GROUP_SCHEMA, Population};
use crate::random::Random;

/// RFC 7644 §3.5.2.
const PATCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Which operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// POST of a new user.
    Create,
    /// `GET /Users?filter=userName eq "…"`, each time another of the first `--users` users.
    Lookup,
    /// The first page of `--count` users.
    Page,
    /// The first page by cursor and the last full one of `--users` people, in turn.
    CursorPages,
    /// PATCH that adds one member and PATCH that removes it, on groups of `--members` members in turn.
    PatchMember,
    /// `POST /logins` of `--users` people with the claim of last time; `--scim` is the address of `/api/v1`.
    LoginUnchanged,
    /// The same with two groups more and two fewer each time.
    LoginChurn,
    /// The same with a new user each time.
    LoginFirst,
    /// `GET /Users?filter=…` or `GET /Groups?filter=…` by the attribute `--by`, each time another of the population.
    Filter,
    /// What a node asks by name; `--scim` is the address of `/nss/v1`.
    NssName,
    /// The same by uid; users have numbers from `--start-uid` on.
    NssUid,
    /// All groups of a user.
    NssInitgroups,
    /// The change feed, when nothing has changed.
    NssChanges,
    /// Pages of 2,000 records of the whole directory, in turn.
    NssSnapshot,
    /// `GET /verify` with the cookies of `--cookie-file`; `--scim` is the address of `/auth`.
    Verify,
}

/// Which operation, and on what.
#[derive(Debug, Args)]
#[group(id = "operation")]
pub struct Arguments {
    /// The operation.
    #[arg(value_enum)]
    kind: Kind,
    /// Seed of the population that the service holds.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of its users.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    users: u64,
    /// Resources on a page.
    #[arg(long, default_value_t = 100)]
    count: u32,
    /// Sizes of the groups that are patched.
    #[arg(long, value_delimiter = ',', default_value = "10")]
    members: Vec<usize>,
    /// What `filter` looks for.
    #[arg(long, value_enum, default_value = "user-name")]
    by: By,
    /// Number of even groups that the population has (`populate --files`).
    #[arg(long, default_value_t = 0)]
    groups: u64,
    /// The number of the first user.
    #[arg(long, default_value_t = 1_879_048_192)]
    start_uid: u64,
    /// File with cookies of sessions, one a line, as NAME=VALUE.
    #[arg(long)]
    cookie_file: Option<PathBuf>,
}

/// An operation, prepared.
#[derive(Debug)]
pub enum Operation {
    /// See [`Kind::Create`]. The population is a fresh one for each run.
    Create { population: Population, next: AtomicU64 },
    /// See [`Kind::Lookup`].
    Lookup { population: Population, users: u64 },
    /// See [`Kind::Page`].
    Page { count: u32 },
    /// See [`Kind::CursorPages`].
    CursorPages { count: u32, last: String },
    /// See [`Kind::PatchMember`]: size and id of each group, and one user outside of them for each client.
    PatchMember {
        groups: Vec<(usize, String)>,
        outsiders: Vec<String>,
    },
    /// See [`Kind::LoginUnchanged`], [`Kind::LoginChurn`] and [`Kind::LoginFirst`].
    Login(Logins),
    /// See [`Kind::Filter`].
    Filter(Filters),
    /// See [`Kind::NssName`] and those behind it.
    Node(NodeReads),
    /// See [`Kind::Verify`].
    Verify { cookies: Vec<HeaderValue> },
}

impl Operation {
    /// Finds or makes what the operation needs. Raises what the service refuses, and too few users.
    pub async fn prepare(arguments: &Arguments, target: &Arc<Target>, clients: u32) -> anyhow::Result<Self> {
        let mut connection = target.connection();
        Ok(match arguments.kind {
            Kind::Create => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
                Self::Create {
                    population: Population::new(u64::try_from(now)?, &format!("{now:x}")),
                    next: AtomicU64::new(0),
                }
            }
            Kind::Lookup => Self::Lookup {
                population: Population::new(arguments.seed, ""),
                users: arguments.users,
            },
            Kind::Page => Self::Page { count: arguments.count },
            Kind::CursorPages => Self::CursorPages {
                count: arguments.count,
                last: directory::last_cursor(&mut connection, arguments.count, arguments.users).await?,
            },
            Kind::PatchMember => patch_member(&mut connection, &arguments.members, clients).await?,
            Kind::LoginUnchanged | Kind::LoginChurn | Kind::LoginFirst => {
                let change = match arguments.kind {
                    Kind::LoginUnchanged => Change::None,
                    Kind::LoginChurn => Change::Churn,
                    _ => Change::First,
                };
                Self::Login(Logins::prepare(change, arguments.users, clients, &mut connection).await?)
            }
            Kind::Filter => {
                let population = Population::new(arguments.seed, "");
                let sizes = (arguments.users, arguments.groups, arguments.start_uid);
                Self::Filter(Filters::prepare(arguments.by, population, sizes, &mut connection).await?)
            }
            Kind::NssName | Kind::NssUid | Kind::NssInitgroups | Kind::NssChanges | Kind::NssSnapshot => {
                let question = match arguments.kind {
                    Kind::NssName => Question::Name,
                    Kind::NssUid => Question::Uid,
                    Kind::NssInitgroups => Question::Initgroups,
                    Kind::NssChanges => Question::Changes,
                    _ => Question::Snapshot,
                };
                let population = Population::new(arguments.seed, "");
                let sizes = (arguments.users, arguments.start_uid);
                Self::Node(NodeReads::prepare(question, population, sizes, &mut connection).await?)
            }
            Kind::Verify => Self::Verify {
                cookies: cookies(arguments.cookie_file.as_deref())?,
            },
        })
    }

    /// Its name in reports.
    pub fn name(&self) -> String {
        match self {
            Self::Create { .. } => "create",
            Self::Lookup { .. } => "lookup",
            Self::Page { .. } => "page",
            Self::CursorPages { .. } => "cursor-pages",
            Self::PatchMember { .. } => "patch-member",
            Self::Login(logins) => logins.report_name(),
            Self::Filter(filters) => return filters.report_name(),
            Self::Node(reads) => reads.report_name(),
            Self::Verify { .. } => "verify",
        }
        .to_owned()
    }

    /// The names of the variants that it measures apart.
    pub fn variants(&self) -> Vec<String> {
        match self {
            Self::CursorPages { .. } => vec!["first".to_owned(), "last".to_owned()],
            Self::PatchMember { groups, .. } => groups.iter().map(|(size, _)| size.to_string()).collect(),
            _ => vec![self.name()],
        }
    }

    /// The request of a client's step, and which variant it is.
    pub fn request(&self, client: u32, step: u64) -> (usize, Request) {
        match self {
            Self::Create { population, next } => {
                let user = population.user(next.fetch_add(1, Ordering::Relaxed));
                (0, Request::with_body(Method::POST, "/Users", &user.document()))
            }
            Self::Lookup { population, users } => {
                let index = Random::new(u64::from(client), step).below(*users);
                let filter = escape(&format!("userName eq \"{}\"", population.user(index).user_name));
                (
                    0,
                    Request::get(format!("/Users?filter={filter}&startIndex=1&count=100")),
                )
            }
            Self::Page { count } => (0, Request::get(format!("/Users?startIndex=1&count={count}"))),
            Self::CursorPages { count, last } => {
                let variant = turn(step, 2);
                let cursor = if variant == 0 { "" } else { last };
                (variant, Request::get(format!("/Users?count={count}&cursor={cursor}")))
            }
            Self::PatchMember { groups, outsiders } => {
                let variant = turn(step / 2, groups.len());
                let id = &outsiders[turn(u64::from(client), outsiders.len())];
                let operation = if step.is_multiple_of(2) {
                    json!({"op": "add", "path": "members", "value": [{"value": id}]})
                } else {
                    json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")})
                };
                let body = json!({"schemas": [PATCH_SCHEMA], "Operations": [operation]});
                let path = format!("/Groups/{}", groups[variant].1);
                (variant, Request::with_body(Method::PATCH, path, &body))
            }
            Self::Login(logins) => (0, logins.request(client, step)),
            Self::Filter(filters) => (0, filters.request(client, step)),
            Self::Node(reads) => (0, reads.request(client, step)),
            Self::Verify { cookies } => {
                let cookie = cookies[turn(u64::from(client), cookies.len())].clone();
                let request = Request::get("/verify");
                (
                    0,
                    Request {
                        cookie: Some(cookie),
                        ..request
                    },
                )
            }
        }
    }

    /// Whether an answer counts: the status always; the content where a wrong one would flatter the service, of a
    /// client's first answers only where looking costs more than asking. Raises the fault in a few words.
    pub fn judge(&self, step: u64, answer: anyhow::Result<Answer>) -> Result<(), String> {
        let answer = answer.map_err(|error| format!("{error:#}"))?;
        let expected: &[u16] = match self {
            Self::Create { .. } => &[201],
            Self::PatchMember { .. } => &[200, 204],
            _ => &[200],
        };
        if !expected.contains(&answer.status) {
            return Err(format!("status {}", answer.status));
        }
        match self {
            Self::Lookup { .. } => (total_results(&answer.body) == Some(1))
                .then_some(())
                .ok_or_else(|| "the user was not found".to_owned()),
            Self::Login(logins) => logins.judge(&answer),
            Self::Filter(filters) => filters.judge(total_results(&answer.body)),
            Self::Page { count } | Self::CursorPages { count, .. } if step < 4 => {
                let page: Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
                let found = page["Resources"].as_array().map_or(0, Vec::len);
                (found == *count as usize)
                    .then_some(())
                    .ok_or_else(|| format!("{found} resources on a page of {count}"))
            }
            _ => Ok(()),
        }
    }

    /// Removes what [`Self::prepare`] made. Users that were created stay. Raises what the service refuses.
    pub async fn clean_up(&self, connection: &mut Connection) -> anyhow::Result<()> {
        if let Self::PatchMember { groups, .. } = self {
            for (_, id) in groups {
                let request = Request {
                    method: Method::DELETE,
                    ..Request::get(format!("/Groups/{id}"))
                };
                connection.send(&request).await?;
            }
        }
        Ok(())
    }
}

/// The cookies of a file. Raises a file without any.
fn cookies(file: Option<&Path>) -> anyhow::Result<Vec<HeaderValue>> {
    let file = file.context("verify needs --cookie-file")?;
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let cookies: Vec<HeaderValue> = text.lines().map(HeaderValue::from_str).collect::<Result<_, _>>()?;
    anyhow::ensure!(!cookies.is_empty(), "{} has no cookie", file.display());
    Ok(cookies)
}

async fn patch_member(connection: &mut Connection, sizes: &[usize], clients: u32) -> anyhow::Result<Operation> {
    let largest = sizes.iter().copied().max().unwrap_or_default();
    let needed = largest + clients as usize;
    let users = directory::users(connection, needed).await?;
    anyhow::ensure!(
        users.len() >= needed,
        "{needed} users are needed, {} are there",
        users.len()
    );
    let ids: Vec<String> = users.into_iter().map(|(id, _)| id).collect();
    let mut groups = Vec::new();
    for size in sizes {
        let name = format!("Measured {size}");
        let id = match directory::group_named(connection, &name).await? {
            Some(id) => id,
            None => {
                let members: Vec<Value> = ids[..*size].iter().map(|id| json!({"value": id})).collect();
                let body = json!({"schemas": [GROUP_SCHEMA], "displayName": name, "members": members});
                let request = Request::with_body(Method::POST, "/Groups?excludedAttributes=members", &body);
                let group = connection.send(&request).await?.json()?;
                group["id"].as_str().context("a group without id")?.to_owned()
            }
        };
        groups.push((*size, id));
    }
    Ok(Operation::PatchMember {
        groups,
        outsiders: ids[largest..].to_vec(),
    })
}

fn turn(step: u64, of: usize) -> usize {
    usize::try_from(step % of.max(1) as u64).unwrap_or_default()
}

/// `totalResults` of a list (RFC 7644 §3.4.2), without parsing all of it.
fn total_results(body: &[u8]) -> Option<u64> {
    const KEY: &[u8] = b"\"totalResults\"";
    let at = body.windows(KEY.len()).position(|window| window == KEY)?;
    let rest = body[at + KEY.len()..].iter().copied();
    let digits: Vec<u8> = rest
        .skip_while(|byte| byte.is_ascii_whitespace() || *byte == b':')
        .take_while(u8::is_ascii_digit)
        .collect();
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn total_results_are_found_wherever_they_stand() {
        assert_eq!(total_results(br#"{"totalResults":1,"Resources":[]}"#), Some(1));
        assert_eq!(total_results(br#"{"Resources":[], "totalResults" : 12 }"#), Some(12));
        assert_eq!(total_results(b"{}"), None);
    }

    #[test]
    fn an_answer_with_the_wrong_content_does_not_count() {
        let operation = Operation::Lookup {
            population: Population::new(1, ""),
            users: 10,
        };
        let answer = |status, body: &'static str| {
            Ok(Answer {
                status,
                body: body.into(),
            })
        };
        assert!(operation.judge(0, answer(200, r#"{"totalResults":1}"#)).is_ok());
        assert!(operation.judge(0, answer(200, r#"{"totalResults":0}"#)).is_err());
        assert!(operation.judge(0, answer(429, "")).is_err());
        let page = Operation::Page { count: 2 };
        assert!(page.judge(0, answer(200, r#"{"Resources":[1]}"#)).is_err());
    }

    #[test]
    fn a_member_is_added_and_removed_on_each_group_in_turn() {
        let operation = Operation::PatchMember {
            groups: vec![(10, "a".into()), (50_000, "b".into())],
            outsiders: vec!["x".into(), "y".into()],
        };
        let told: Vec<(usize, bool)> = (0..5)
            .map(|step| {
                let (variant, request) = operation.request(1, step);
                let body = String::from_utf8(request.body.unwrap().to_vec()).unwrap();
                assert!(body.contains('y'));
                (variant, body.contains("\"add\""))
            })
            .collect();
        assert_eq!(told, [(0, true), (0, false), (1, true), (1, false), (0, true)]);
    }
}

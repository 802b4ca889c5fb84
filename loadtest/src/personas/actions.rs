//! What a persona does at one arrival: one request, or a few that belong together.

use anyhow::Context;
use hyper::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Persona, Shapes};
use crate::client::{Answer, Connection, Request};
use crate::directory;
use crate::nss_module::NssModule;
use crate::population::groups::Group;
use crate::population::{Population, User};
use crate::random::Random;

/// Groups in the claim of a sign-in.
const GROUPS_OF_A_LOGIN: u64 = 20;

/// Most members of a group that a full sync sends.
const MEMBERS_OF_A_SYNC: u64 = 200;

/// Users and groups that actions pick from; a larger service is known in part only.
const KNOWN: usize = 20_000;

/// What happens at an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The connection test.
    TestConnection,
    /// Looks for a user who exists.
    LookUp,
    /// Looks for a new user, then creates him: what a sync does for each.
    SyncUser,
    /// Creates a new group and adds its members.
    SyncGroup,
    /// Changes the title.
    Update,
    /// Takes access away and gives it back.
    Deactivate,
    /// Reads a page of users, somewhere in the list.
    Page,
    /// Reads a group.
    ReadGroup,
    /// Adds a member to a group and takes him out again.
    ChangeMember,
    /// A first sign-in with 20 groups, handed in by a trusted front end.
    Login,
    /// `getpwnam` through the NSS module of this machine.
    PasswdByName,
    /// `getpwuid` through the NSS module of this machine.
    PasswdByUid,
    /// `initgroups` through the NSS module of this machine.
    Initgroups,
}

impl Action {
    /// Whether only a node does this.
    pub fn is_of_a_node(self) -> bool {
        matches!(self, Self::PasswdByName | Self::PasswdByUid | Self::Initgroups)
    }

    /// Whether it changes something, so that it needs the primary.
    pub fn is_write(self) -> bool {
        matches!(
            self,
            Self::SyncUser | Self::SyncGroup | Self::Update | Self::Deactivate | Self::ChangeMember | Self::Login
        )
    }
}

/// What actions need to know of the service.
#[derive(Debug)]
pub struct Stage {
    users: Vec<(String, String)>,
    groups: Vec<(String, String)>,
    accounts: Vec<(String, u32)>,
    module: Option<NssModule>,
    fresh: Population,
    seed: u64,
}

/// One arrival's performance, over one connection.
#[derive(Debug)]
pub struct Performer<'a> {
    connection: &'a mut Connection,
    stage: &'a Stage,
    random: Random,
    number: u64,
}

impl Stage {
    /// Reads what `actions` need from the service. Raises an empty service when they need something.
    pub async fn set(
        connection: &mut Connection,
        actions: &[Action],
        module: Option<NssModule>,
        seed: u64,
        series: &str,
    ) -> anyhow::Result<Self> {
        let needs = |wanted: &[Action]| actions.iter().any(|action| wanted.contains(action));
        let for_users = needs(&[
            Action::LookUp,
            Action::Update,
            Action::Deactivate,
            Action::Page,
            Action::ChangeMember,
            Action::SyncGroup,
        ]);
        let for_groups = needs(&[Action::ReadGroup, Action::ChangeMember]);
        let for_nodes = actions.iter().any(|action| action.is_of_a_node());
        anyhow::ensure!(
            module.is_some() || !for_nodes,
            "nodes look up through a module: give --module"
        );
        Ok(Self {
            users: directory::users(connection, if for_users { KNOWN } else { 0 }).await?,
            groups: directory::groups(connection, if for_groups { KNOWN } else { 0 }).await?,
            accounts: directory::accounts(connection, if for_nodes { KNOWN } else { 0 }).await?,
            module,
            fresh: Population::new(seed, series),
            seed,
        })
    }
}

impl<'a> Performer<'a> {
    /// A performer for the arrival of this number, whose choices follow from it.
    pub fn new(connection: &'a mut Connection, stage: &'a Stage, number: u64) -> Self {
        Self {
            connection,
            random: Random::new(stage.seed, number),
            stage,
            number,
        }
    }

    /// Performs. Raises the first answer that was not as expected.
    pub async fn perform(&mut self, persona: Persona, action: Action) -> anyhow::Result<()> {
        if action.is_of_a_node() {
            return self.look_up_on_this_node(action).await;
        }
        let shapes = persona.shapes()?;
        let fresh = self.stage.fresh.user(self.number);
        match action {
            Action::TestConnection => self.ask(shapes.test_connection()).await.map(drop),
            Action::LookUp => {
                let (_, name) = self.user();
                let list = self.ask(shapes.look_up(&name)).await?.json()?;
                anyhow::ensure!(list["totalResults"] == 1, "the user was not found");
                Ok(())
            }
            Action::SyncUser => {
                self.ask(shapes.look_up(&fresh.user_name)).await?;
                let request = Request::with_body(Method::POST, "/Users", &shapes.create(&fresh));
                self.ask(request).await.map(drop)
            }
            Action::SyncGroup => self.sync_group(shapes).await,
            Action::Update => {
                let (id, name) = self.user();
                let title = format!("Scientist {}", self.number);
                self.ask(shapes.update(&id, &existing(fresh, name), &title))
                    .await
                    .map(drop)
            }
            Action::Deactivate => {
                let (id, name) = self.user();
                let user = existing(fresh, name);
                self.ask(shapes.set_active(&id, &user, false)).await?;
                self.ask(shapes.set_active(&id, &user, true)).await.map(drop)
            }
            Action::Page => {
                let start = 1 + self.random.below(self.stage.users.len() as u64);
                self.ask(shapes.page(start)).await.map(drop)
            }
            Action::ReadGroup => {
                let group = self.group();
                self.ask(shapes.read_group(&group)).await.map(drop)
            }
            Action::ChangeMember => {
                let (group, (user, _)) = (self.group(), self.user());
                self.ask(shapes.add_members(&group, std::slice::from_ref(&user)))
                    .await?;
                self.ask(shapes.remove_member(&group, &user)).await.map(drop)
            }
            Action::Login => self.login(&fresh).await,
            Action::PasswdByName | Action::PasswdByUid | Action::Initgroups => Ok(()),
        }
    }

    /// On a thread of its own: when map and agent are gone, the module may ask the service, for up to a second.
    async fn look_up_on_this_node(&mut self, action: Action) -> anyhow::Result<()> {
        let module = self.stage.module.context("there is no module")?;
        let (name, uid) = self.random.pick(&self.stage.accounts).clone();
        let call = move || match action {
            Action::PasswdByName => module.passwd_by_name(&name).map(|found| found == uid),
            Action::PasswdByUid => module.passwd_by_uid(uid).map(|found| found == uid),
            _ => module.initgroups(&name, uid).map(|_| true),
        };
        anyhow::ensure!(
            tokio::task::spawn_blocking(call).await??,
            "the module told of somebody else"
        );
        Ok(())
    }

    async fn sync_group(&mut self, shapes: &dyn Shapes) -> anyhow::Result<()> {
        let group: Group = self.stage.fresh.group(100 + self.number, MEMBERS_OF_A_SYNC);
        let request = Request::with_body(Method::POST, "/Groups", &group.document(&[]));
        let created = self.ask(request).await?.json()?;
        let id = created["id"].as_str().unwrap_or_default().to_owned();
        let members: Vec<String> = group.members.iter().map(|_| self.user().0).collect();
        self.ask(shapes.add_members(&id, &members)).await.map(drop)
    }

    async fn login(&mut self, user: &User) -> anyhow::Result<()> {
        let groups: Vec<Value> = (0..GROUPS_OF_A_LOGIN)
            .map(|_| format!("Team {}", self.random.below(2_000)).into())
            .collect();
        let body = json!({
            "provider": "loadtest",
            "userName": user.user_name,
            "subject": user.external_id,
            "displayName": user.display_name(),
            "email": user.email,
            "groups": groups,
        });
        self.ask(Request::with_body(Method::POST, "/api/v1/logins", &body))
            .await
            .map(drop)
    }

    async fn ask(&mut self, request: Request) -> anyhow::Result<Answer> {
        let answer = self.connection.send(&request).await?;
        anyhow::ensure!(
            (200..300).contains(&answer.status),
            "{} answered {}",
            request.method,
            answer.status
        );
        Ok(answer)
    }

    fn user(&mut self) -> (String, String) {
        self.random.pick(&self.stage.users).clone()
    }

    fn group(&mut self) -> String {
        self.random.pick(&self.stage.groups).0.clone()
    }
}

/// A made-up profile for a user of the service, whose name stays.
fn existing(made_up: User, user_name: String) -> User {
    User { user_name, ..made_up }
}

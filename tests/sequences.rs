//! Any sequence of operations leaves the database whole, and a model agrees on who exists and which uid he has.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};

use crate::harness::Rollcall;
use crate::harness::client::Scim;

/// People and groups that the operations are about.
const PEOPLE: usize = 6;
const GROUPS: usize = 3;

/// Sequences that are tried, and how long each is.
const SEQUENCES: u32 = 16;
const LENGTH: usize = 40;

#[derive(Clone, Debug)]
enum Operation {
    Create { person: usize, external: bool },
    Put { person: usize, title: u8 },
    Activate { person: usize, active: bool },
    Rename { person: usize, to: usize },
    Delete { person: usize },
    CreateGroup { group: usize, members: Vec<usize> },
    Add { group: usize, members: Vec<usize> },
    Remove { group: usize, members: Vec<usize> },
    Replace { group: usize, members: Vec<usize> },
    DeleteGroup { group: usize },
    BulkSwap { gone: usize, new: usize, group: usize },
}

fn operation() -> impl Strategy<Value = Operation> {
    let (person, group) = (0..PEOPLE, 0..GROUPS);
    let members = || prop::collection::vec(0..PEOPLE, 0..4);
    prop_oneof![
        4 => (person.clone(), any::<bool>()).prop_map(|(person, external)| Operation::Create { person, external }),
        1 => (person.clone(), 0..4_u8).prop_map(|(person, title)| Operation::Put { person, title }),
        1 => (person.clone(), any::<bool>()).prop_map(|(person, active)| Operation::Activate { person, active }),
        1 => (person.clone(), 0..2_usize).prop_map(|(person, to)| Operation::Rename { person, to }),
        2 => person.clone().prop_map(|person| Operation::Delete { person }),
        2 => (group.clone(), members()).prop_map(|(group, members)| Operation::CreateGroup { group, members }),
        2 => (group.clone(), members()).prop_map(|(group, members)| Operation::Add { group, members }),
        1 => (group.clone(), members()).prop_map(|(group, members)| Operation::Remove { group, members }),
        1 => (group.clone(), members()).prop_map(|(group, members)| Operation::Replace { group, members }),
        1 => group.clone().prop_map(|group| Operation::DeleteGroup { group }),
        1 => (person.clone(), person, group).prop_map(|(gone, new, group)| Operation::BulkSwap { gone, new, group }),
    ]
}

#[derive(Clone, Debug)]
struct Person {
    id: String,
    uid: i64,
    name: String,
    external: Option<String>,
    title: Option<String>,
    active: bool,
}

/// What must be there.
#[derive(Default)]
struct Model {
    case: usize,
    people: BTreeMap<usize, Person>,
    groups: BTreeMap<usize, (String, BTreeSet<usize>)>,
    /// Numbers that somebody has or had.
    issued: BTreeSet<i64>,
    /// Whose numbers come back: by name and external id.
    retired: BTreeMap<(String, String), i64>,
}

impl Model {
    fn name(&self, person: usize) -> String {
        format!("case{}-u{person}", self.case)
    }

    fn body(&self, person: usize, external: bool) -> Value {
        let name = self.name(person);
        let mut body = json!({"userName": name});
        if external {
            body["externalId"] = format!("E-{name}").into();
        }
        body
    }

    /// Notes a creation, of which the number must be the old one or a new one.
    fn born(&mut self, person: usize, external: bool, answer: &Value) {
        let name = self.name(person);
        let uid = answer["urn:rstudio:params:scim:schemas:extension:workbench:1.0:User"]["posixUserId"]
            .as_i64()
            .unwrap();
        let external = external.then(|| format!("E-{name}"));
        let old = external
            .clone()
            .and_then(|external| self.retired.remove(&(name.clone(), external)));
        match old {
            Some(old) => assert_eq!(uid, old, "{name} comes back to his number"),
            None => assert!(self.issued.insert(uid), "{uid} was issued before"),
        }
        let id = answer["id"].as_str().unwrap().to_owned();
        let born = Person {
            id,
            uid,
            name,
            external,
            title: None,
            active: true,
        };
        self.people.insert(person, born);
    }

    fn gone(&mut self, person: usize) {
        let Some(gone) = self.people.remove(&person) else {
            return;
        };
        if let Some(external) = gone.external {
            self.retired.insert((gone.name, external), gone.uid);
        }
        for (_, members) in self.groups.values_mut() {
            members.remove(&person);
        }
    }

    /// The members among `wanted` who live, and the JSON that names all of them.
    fn members(&self, wanted: &[usize]) -> (BTreeSet<usize>, Value) {
        let living: BTreeSet<usize> = wanted
            .iter()
            .copied()
            .filter(|person| self.people.contains_key(person))
            .collect();
        let list = living
            .iter()
            .map(|person| json!({"value": self.people[person].id}))
            .collect();
        (living, list)
    }

    async fn apply(&mut self, scim: &Scim, operation: &Operation) {
        match operation {
            Operation::Create { person, external } => {
                let answer = scim.post("/Users", &self.body(*person, *external)).await;
                let original = self.name(*person);
                if self.people.values().any(|other| other.name == original) {
                    answer.expect_error(409, "uniqueness");
                } else if self.people.contains_key(person) {
                    // Renamed: his POSIX name is still taken.
                    answer.expect_error(409, "uniqueness");
                } else {
                    self.born(*person, *external, &answer.expect(201).body);
                }
            }
            Operation::Put { person, title } => {
                let title = format!("title {title}");
                let Some(known) = self.people.get_mut(person) else {
                    return;
                };
                let body = json!({"userName": known.name, "externalId": known.external, "title": title});
                let answer = scim.put(&format!("/Users/{}", known.id), &body).await.expect(200);
                assert_eq!(*answer.workbench("posixUserId"), known.uid);
                known.title = Some(title);
            }
            Operation::Activate { person, active } => {
                let Some(known) = self.people.get_mut(person) else {
                    return;
                };
                let change = json!([{"op": "replace", "path": "active", "value": active}]);
                scim.patch(&format!("/Users/{}", known.id), &change).await.expect(200);
                known.active = *active;
            }
            Operation::Rename { person, to } => {
                let name = format!("case{}-renamed{to}", self.case);
                let Some(known) = self.people.get(person).cloned() else {
                    return;
                };
                let change = json!([{"op": "replace", "path": "userName", "value": name}]);
                let answer = scim.patch(&format!("/Users/{}", known.id), &change).await;
                if self
                    .people
                    .iter()
                    .any(|(other, taken)| other != person && taken.name == name)
                {
                    answer.expect_error(409, "uniqueness");
                } else {
                    answer.expect(200);
                    self.people.get_mut(person).unwrap().name = name;
                }
            }
            Operation::Delete { person } => {
                if let Some(known) = self.people.get(person) {
                    scim.delete(&format!("/Users/{}", known.id)).await.expect(204);
                    self.gone(*person);
                }
            }
            Operation::BulkSwap { gone, new, group } => self.swap(scim, *gone, *new, *group).await,
            other => self.apply_to_groups(scim, other).await,
        }
    }

    async fn apply_to_groups(&mut self, scim: &Scim, operation: &Operation) {
        match operation {
            Operation::CreateGroup { group, members } => {
                let (living, list) = self.members(members);
                let body = json!({"displayName": format!("case{}-g{group}", self.case), "members": list});
                let answer = scim.post("/Groups", &body).await;
                if self.groups.contains_key(group) {
                    answer.expect_error(409, "uniqueness");
                } else {
                    self.groups.insert(*group, (answer.expect(201).id().to_owned(), living));
                }
            }
            Operation::Add { group, members }
            | Operation::Remove { group, members }
            | Operation::Replace { group, members } => {
                let (living, list) = self.members(members);
                let Some((id, held)) = self.groups.get_mut(group) else {
                    return;
                };
                let op = match operation {
                    Operation::Add { .. } => "add",
                    Operation::Remove { .. } => "remove",
                    _ => "replace",
                };
                if living.is_empty() && op != "replace" {
                    return;
                }
                let change = json!([{"op": op, "path": "members", "value": list}]);
                scim.patch(&format!("/Groups/{id}"), &change).await.expect(204);
                match op {
                    "add" => held.extend(living),
                    "remove" => held.retain(|person| !living.contains(person)),
                    _ => *held = living,
                }
            }
            Operation::DeleteGroup { group } => {
                if let Some((id, _)) = self.groups.remove(group) {
                    scim.delete(&format!("/Groups/{id}")).await.expect(204);
                }
            }
            _ => {}
        }
    }

    /// One bulk request: somebody goes, somebody else comes and joins a group, if all of that can be.
    async fn swap(&mut self, scim: &Scim, gone: usize, new: usize, group: usize) {
        let (Some(leaving), Some((team, _))) = (self.people.get(&gone), self.groups.get(&group)) else {
            return;
        };
        if self.people.contains_key(&new) {
            return;
        }
        let operations = json!([
            {"method": "PATCH", "path": format!("/Groups/{team}"), "data":
                {"Operations": [{"op": "add", "path": "members", "value": [{"value": "bulkId:new"}]}]}},
            {"method": "DELETE", "path": format!("/Users/{}", leaving.id)},
            {"method": "POST", "path": "/Users", "bulkId": "new", "data": self.body(new, true)},
        ]);
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
        let answer = scim.post("/Bulk", &body).await.expect(200);
        let statuses: Vec<&str> = answer.body["Operations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|o| o["status"].as_str().unwrap())
            .collect();
        assert_eq!(statuses, ["204", "204", "201"], "{}", answer.body);
        let location = answer.body["Operations"][2]["location"].as_str().unwrap();
        let id = location.rsplit('/').next().unwrap();
        let created = scim.get(&format!("/Users/{id}")).await.expect(200);
        self.gone(gone);
        self.born(new, true, &created.body);
        self.groups.get_mut(&group).unwrap().1.insert(new);
    }

    async fn check(&self, scim: &Scim) {
        let prefix = format!("case{}-", self.case);
        let found = scim
            .query("/Users", &[("filter", &format!("userName sw \"{prefix}\""))])
            .await
            .expect(200);
        assert_eq!(found.body["totalResults"], self.people.len());
        for known in self.people.values() {
            let user = scim.get(&format!("/Users/{}", known.id)).await.expect(200);
            assert_eq!(*user.workbench("posixUserId"), known.uid);
            assert_eq!(user.body["userName"], known.name.as_str());
            assert_eq!(user.body["active"], known.active);
            assert_eq!(user.body["title"].as_str(), known.title.as_deref());
            assert_eq!(user.body["externalId"].as_str(), known.external.as_deref());
        }
        let groups = scim
            .query("/Groups", &[("filter", &format!("displayName sw \"{prefix}\""))])
            .await
            .expect(200);
        assert_eq!(groups.body["totalResults"], self.groups.len());
        for (id, members) in self.groups.values() {
            let group = scim.get(&format!("/Groups/{id}")).await.expect(200);
            let held: BTreeSet<&str> = group.body["members"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|m| m["value"].as_str().unwrap())
                .collect();
            let expected: BTreeSet<&str> = members.iter().map(|person| self.people[person].id.as_str()).collect();
            assert_eq!(held, expected);
        }
    }
}

#[test]
fn any_sequence_of_operations_agrees_with_a_model() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let rollcall = runtime.block_on(Rollcall::start_unlimited(&[]));
    let scim = rollcall.scim();
    let mut runner = TestRunner::new(Config {
        cases: SEQUENCES,
        max_shrink_iters: 60,
        failure_persistence: None,
        ..Config::default()
    });
    let case = std::cell::Cell::new(0);
    let outcome = runner.run(&prop::collection::vec(operation(), LENGTH), |operations| {
        case.set(case.get() + 1);
        let run = std::panic::AssertUnwindSafe(|| {
            runtime.block_on(async {
                let mut model = Model {
                    case: case.get(),
                    ..Model::default()
                };
                for operation in &operations {
                    model.apply(&scim, operation).await;
                }
                model.check(&scim).await;
                assert_eq!(rollcall.database.violations().await, Vec::<String>::new());
            });
        });
        std::panic::catch_unwind(run).map_err(|_| TestCaseError::fail("the service and the model differ"))
    });
    outcome.unwrap();
    runtime.block_on(rollcall.finish());
}

//! Splits a PATCH of a group into attribute changes and membership changes that need no read of the group.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::super::error::{ScimError, quoted, without_strings};
use super::super::filter::{Filter, matches};
use super::super::group::{MemberRef, members_from};
use super::super::limits::MEMBERS;
use super::super::path::Path;
use super::super::schema::{AttributePath, ResourceType, Target};
use super::request::label;
use super::{Op, Operation, Patch};

/// A PATCH of a group, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupPatch {
    /// The operations on anything but members, in order, for [`super::apply`].
    pub attributes: Patch,
    /// The change of the membership.
    pub members: MembersChange,
}

/// The net effect of the operations on members.
#[derive(Debug, Clone, PartialEq)]
pub enum MembersChange {
    /// Add and remove; empty lists when the request says nothing about members.
    Delta(MembersDelta),
    /// The whole list, later operations included.
    Replace(Vec<MemberRef>),
    /// A filter on something else than `value` was used: the members must be read, see [`MembersChange::resolve`].
    Steps(Vec<MemberStep>),
}

/// Members to add and to remove. No id is in both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MembersDelta {
    /// Members to add, in the order of the request; adding one that is there changes nothing.
    pub add: Vec<MemberRef>,
    /// Ids to remove; removing one that is not there changes nothing.
    pub remove: Vec<String>,
}

/// One operation on members.
#[derive(Debug, Clone, PartialEq)]
pub enum MemberStep {
    /// Adds members.
    Add(Vec<MemberRef>),
    /// Removes members by id.
    Remove(Vec<String>),
    /// Makes the list exactly this.
    Replace(Vec<MemberRef>),
    /// Removes the members that satisfy the filter.
    RemoveMatching(Filter),
}

impl MembersChange {
    /// Whether nothing is said about members.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Delta(delta) if delta.add.is_empty() && delta.remove.is_empty())
    }

    /// The ids that steps put in, of which a filter in a later step may want to know what they are.
    pub fn put_in(&self) -> impl Iterator<Item = &str> {
        let steps = match self {
            Self::Steps(steps) => steps.as_slice(),
            Self::Delta(_) | Self::Replace(_) => &[],
        };
        let members = steps.iter().flat_map(|step| match step {
            MemberStep::Add(members) | MemberStep::Replace(members) => members.as_slice(),
            MemberStep::Remove(_) | MemberStep::RemoveMatching(_) => &[],
        });
        members.map(|member| member.id.as_str())
    }

    /// The change relative to the members the group has now. Only needed for [`MembersChange::Steps`]. `kind_of` says what an id of
    /// [`Self::put_in`] is, whatever the client says that it is; `None` for nothing of ours.
    pub fn resolve(self, current: &[MemberRef], kind_of: impl Fn(&str) -> Option<ResourceType>) -> MembersDelta {
        let steps = match self {
            Self::Delta(delta) => return delta,
            Self::Replace(members) => vec![MemberStep::Replace(members)],
            Self::Steps(steps) => steps,
        };
        let known = |member: MemberRef| MemberRef {
            kind: kind_of(&member.id),
            ..member
        };
        let mut present = Ordered::new(current.iter().map(|member| (member.id.clone(), member.clone())));
        for step in steps {
            match step {
                MemberStep::Add(members) => {
                    for member in members {
                        if !present.contains(&member.id) {
                            present.insert(member.id.clone(), known(member));
                        }
                    }
                }
                MemberStep::Remove(ids) => ids.iter().for_each(|id| present.remove(id)),
                MemberStep::Replace(members) => {
                    present = Ordered::new(members.into_iter().map(|member| (member.id.clone(), known(member))));
                }
                MemberStep::RemoveMatching(filter) => present.retain(|member| !matches(&filter, &element(member))),
            }
        }
        let before: HashSet<&str> = current.iter().map(|member| member.id.as_str()).collect();
        MembersDelta {
            remove: current
                .iter()
                .filter(|member| !present.contains(&member.id))
                .map(|m| m.id.clone())
                .collect(),
            add: present
                .into_values()
                .filter(|member| !before.contains(member.id.as_str()))
                .collect(),
        }
    }
}

/// Takes the PATCH of a group apart. Cost follows the request, never the size of the group.
///
/// Raises 400: `invalidValue` for a member without an id and for more than [`MEMBERS`] members; `mutability` for a
/// change inside a member; `noTarget` for `replace` at members that a filter selects.
pub fn compile_group(patch: Patch) -> Result<GroupPatch, ScimError> {
    let mut attributes = Patch::default();
    let mut steps = Vec::new();
    for (index, operation) in patch.operations.into_iter().enumerate() {
        let rest = split(operation, &mut steps).map_err(|error| error.within(&label(index)))?;
        attributes.operations.extend(rest);
    }
    let named: usize = steps
        .iter()
        .map(|step| match step {
            MemberStep::Add(members) | MemberStep::Replace(members) => members.len(),
            MemberStep::Remove(ids) => ids.len(),
            MemberStep::RemoveMatching(_) => 1,
        })
        .sum();
    if named > MEMBERS {
        return Err(ScimError::invalid_value(format!(
            "The request names more than {MEMBERS} members."
        )));
    }
    Ok(GroupPatch {
        attributes,
        members: net(steps),
    })
}

/// Moves what an operation says about members to `steps` and returns what is left of it.
fn split(operation: Operation, steps: &mut Vec<MemberStep>) -> Result<Option<Operation>, ScimError> {
    let Operation { op, path, value } = operation;
    match (path, value) {
        (Path::Attribute(path), value) if is_members(path) => {
            if path.sub.is_some() {
                return Err(immutable(path));
            }
            steps.extend(step(op, value)?);
            Ok(None)
        }
        (Path::Element { path, filter, sub }, value) if is_members(path) => {
            steps.extend(filtered_step(op, path, filter, sub.map(|sub| sub.name), value)?);
            Ok(None)
        }
        (Path::Resource, Some(Value::Object(entries))) => {
            let mut rest = Map::with_capacity(entries.len());
            for (key, value) in entries {
                match ResourceType::Group.resolve(&key) {
                    Some(Target::Attribute(path)) if is_members(path) && path.sub.is_none() => {
                        steps.extend(step(op, Some(value))?);
                    }
                    _ => {
                        rest.insert(key, value);
                    }
                }
            }
            let value = Some(Value::Object(rest));
            Ok(Some(Operation {
                op,
                path: Path::Resource,
                value,
            }))
        }
        (path, value) => Ok(Some(Operation { op, path, value })),
    }
}

fn is_members(path: AttributePath) -> bool {
    path.extension.is_none() && path.attribute.name == "members"
}

fn immutable(path: AttributePath) -> ScimError {
    ScimError::mutability(format!(
        "\"{path}\" cannot be changed; remove the member and add another."
    ))
}

fn step(op: Op, value: Option<Value>) -> Result<Option<MemberStep>, ScimError> {
    let ids = |members: Vec<MemberRef>| members.into_iter().map(|member| member.id).collect();
    Ok(match (op, value) {
        (Op::Remove, None | Some(Value::Null)) => Some(MemberStep::Replace(Vec::new())),
        // Entra, JumpCloud and authentik list the members to remove; reading the path alone would empty the group.
        (Op::Remove, Some(value)) => Some(MemberStep::Remove(ids(members_from(value, true)?))),
        (Op::Add, value) => Some(MemberStep::Add(members_from(value.unwrap_or_default(), false)?)),
        (Op::Replace, value) => Some(MemberStep::Replace(members_from(value.unwrap_or_default(), false)?)),
    })
}

fn filtered_step(
    op: Op,
    path: AttributePath,
    filter: Filter,
    sub: Option<&'static str>,
    value: Option<Value>,
) -> Result<Option<MemberStep>, ScimError> {
    match (op, sub) {
        // A member's display name is the name of the resource it points at.
        (_, Some("display")) => Ok(None),
        (_, Some(_)) => Err(immutable(path)),
        (Op::Remove, None) => Ok(Some(match filter.value_alternatives() {
            Some(ids) => MemberStep::Remove(ids),
            None => MemberStep::RemoveMatching(filter),
        })),
        (Op::Add, None) => Ok(Some(MemberStep::Add(members_from(value.unwrap_or_default(), false)?))),
        (Op::Replace, None) => Err(ScimError::no_target(format!(
            "\"members[{}]\" cannot be replaced; remove the member and add another.",
            quoted(&without_strings(&filter.to_string()))
        ))),
    }
}

/// The element of `members` as filters see it.
fn element(member: &MemberRef) -> Map<String, Value> {
    let mut element = Map::new();
    element.insert("value".to_owned(), member.id.as_str().into());
    if let Some(kind) = member.kind {
        element.insert("type".to_owned(), kind.name().into());
    }
    element
}

fn net(steps: Vec<MemberStep>) -> MembersChange {
    if steps.iter().any(|step| matches!(step, MemberStep::RemoveMatching(_))) {
        return MembersChange::Steps(steps);
    }
    let mut replaced = false;
    // `None` marks a removal.
    let mut net: Ordered<Option<MemberRef>> = Ordered::new([]);
    for step in steps {
        match step {
            MemberStep::Add(members) => {
                for member in members {
                    if !matches!(net.get(&member.id), Some(Some(_))) {
                        net.insert(member.id.clone(), Some(member));
                    }
                }
            }
            MemberStep::Remove(ids) => {
                for id in ids {
                    if replaced {
                        net.remove(&id);
                    } else {
                        net.insert(id, None);
                    }
                }
            }
            MemberStep::Replace(members) => {
                replaced = true;
                net = Ordered::new(members.into_iter().map(|member| (member.id.clone(), Some(member))));
            }
            MemberStep::RemoveMatching(_) => {}
        }
    }
    if replaced {
        return MembersChange::Replace(net.into_values().flatten().collect());
    }
    let mut delta = MembersDelta::default();
    for (id, member) in net.into_entries() {
        match member {
            Some(member) => delta.add.push(member),
            None => delta.remove.push(id),
        }
    }
    MembersChange::Delta(delta)
}

/// A map that keeps the order of insertion; an id inserted again moves to the end, the first of two keys wins in `new`.
struct Ordered<T> {
    entries: Vec<Option<(String, T)>>,
    places: HashMap<String, usize>,
}

impl<T> Ordered<T> {
    fn new(entries: impl IntoIterator<Item = (String, T)>) -> Self {
        let mut ordered = Self {
            entries: Vec::new(),
            places: HashMap::new(),
        };
        for (id, value) in entries {
            if !ordered.contains(&id) {
                ordered.insert(id, value);
            }
        }
        ordered
    }

    fn contains(&self, id: &str) -> bool {
        self.places.contains_key(id)
    }

    fn get(&self, id: &str) -> Option<&T> {
        let place = *self.places.get(id)?;
        self.entries.get(place)?.as_ref().map(|(_, value)| value)
    }

    fn insert(&mut self, id: String, value: T) {
        self.remove(&id);
        self.places.insert(id.clone(), self.entries.len());
        self.entries.push(Some((id, value)));
    }

    fn remove(&mut self, id: &str) {
        if let Some(place) = self.places.remove(id) {
            self.entries[place] = None;
        }
    }

    fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        for entry in &mut self.entries {
            if let Some((id, _)) = entry.take_if(|(_, value)| !keep(value)) {
                self.places.remove(&id);
            }
        }
    }

    fn into_entries(self) -> impl Iterator<Item = (String, T)> {
        self.entries.into_iter().flatten()
    }

    fn into_values(self) -> impl Iterator<Item = T> {
        self.into_entries().map(|(_, value)| value)
    }
}

//! Entries of an LDAP directory as users and groups (RFC 2307 and RFC 2307bis, Active Directory's names beside them).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::accounts::verbatim_gecos;
use super::distinguished_name::{first, key};
use super::fault::Faults;
use super::record::number;
use super::{Entry, Fault, Group, Member, Name, Rules, User};
use crate::scim::schema::{POSIX_GROUP, POSIX_USER, ResourceType, SSH_PUBLIC_KEYS, WORKBENCH_USER};

/// Object classes of groups whose members are named by distinguished name, besides `posixGroup`.
const GROUP_CLASSES: [&str; 5] = [
    "posixgroup",
    "groupofnames",
    "groupofuniquenames",
    "groupofmembers",
    "group",
];

/// Why a value is refused that cannot be kept as text.
pub(super) const NOT_TEXT: &str = "it is not UTF-8, or holds a NUL byte";

/// Attributes that hold members by distinguished name.
const DN_MEMBERS: [&str; 2] = ["member", "uniquemember"];

/// Attributes that name a user in a distinguished name.
const USER_NAMES: [&str; 3] = ["uid", "userid", "samaccountname"];

/// What is read of a user.
const OF_USERS: [&str; 12] = [
    "uid",
    "samaccountname",
    "uidnumber",
    "gidnumber",
    "homedirectory",
    "unixhomedirectory",
    "loginshell",
    "sshpublickey",
    "gecos",
    "cn",
    "displayname",
    "mail",
];

/// What is read of a group.
const OF_GROUPS: [&str; 6] = [
    "cn",
    "samaccountname",
    "gidnumber",
    "memberuid",
    "member",
    "uniquemember",
];

/// What is read of a user whom groups may name.
const OF_NAMES: [&str; 2] = ["uid", "samaccountname"];

/// An entry: its distinguished name and its values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// The distinguished name, as the directory writes it.
    pub dn: String,
    values: BTreeMap<String, Vec<String>>,
    /// Values that are no text: photographs and certificates are in order, names and homes are not.
    unreadable: Vec<Unreadable>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Unreadable {
    line: u64,
    name: String,
    value: String,
}

impl Attributes {
    /// An entry without values.
    pub fn of(dn: String) -> Self {
        Self { dn, ..Self::default() }
    }

    /// Adds a value; `name` in lower case.
    pub fn add(&mut self, name: String, value: String) {
        self.values.entry(name).or_default().push(value);
    }

    /// Adds a value that is not UTF-8: a fault if anything depends on it. `value` is what a report shows of it.
    pub fn add_unreadable(&mut self, line: u64, name: String, value: String) {
        self.unreadable.push(Unreadable { line, name, value });
    }

    fn is_unreadable(&self, name: &str) -> bool {
        self.unreadable.iter().any(|bad| bad.name.eq_ignore_ascii_case(name))
    }

    /// Tells a fault for every value of the attributes `used` that is no text.
    fn check_text(&self, used: &[&str], faults: &mut Faults) {
        let is_used = |bad: &&Unreadable| used.iter().any(|name| bad.name.eq_ignore_ascii_case(name));
        for bad in self.unreadable.iter().filter(is_used) {
            faults.keep::<()>(Err(Fault::of_value(bad.line, &bad.name, &bad.value, NOT_TEXT)));
        }
    }

    fn all(&self, name: &str) -> &[String] {
        self.values.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    fn first(&self, names: &[&str]) -> Option<&str> {
        let mut values = names.iter().filter_map(|name| self.all(name).first());
        values.next().map(String::as_str).filter(|value| !value.is_empty())
    }

    fn is_any(&self, classes: &[&str]) -> bool {
        let mut own = self.all("objectclass").iter();
        own.any(|class| classes.iter().any(|wanted| class.eq_ignore_ascii_case(wanted)))
    }
}

/// What an entry is; `None` when it is neither a user nor a group. A user without `uidNumber` is none.
pub(super) fn entry(rules: &Rules, line: u64, attributes: &Attributes, faults: &mut Faults) -> Option<Entry> {
    attributes.check_text(&["objectclass"], faults);
    let is_user = attributes.first(&["uidnumber"]).is_some() || attributes.is_unreadable("uidnumber");
    let is_group = !is_user && attributes.is_any(&GROUP_CLASSES);
    match (rules.resource, is_user, is_group) {
        (ResourceType::User, true, _) => user(rules, line, attributes, faults),
        (ResourceType::Group, _, true) => group(rules, line, attributes, faults),
        // Groups name their members by what users are called, which may not be what their dn begins with.
        (ResourceType::Group, true, _) => {
            attributes.check_text(&OF_NAMES, faults);
            let name = attributes.first(&OF_NAMES)?.to_owned();
            Some(Entry::Name(Name {
                dn: key(&attributes.dn),
                is_group: false,
                name,
            }))
        }
        _ => None,
    }
}

fn user(rules: &Rules, line: u64, attributes: &Attributes, faults: &mut Faults) -> Option<Entry> {
    attributes.check_text(&OF_USERS, faults);
    let uid = attributes
        .first(&["uidnumber"])
        .and_then(|text| faults.keep(number(line, "posixUserId", text)));
    if rules.passes_over(uid) {
        return Some(Entry::PassedOver);
    }
    let gid = attributes.first(&["gidnumber"]);
    let gid = gid.map(|text| faults.keep(number(line, "posixGroupId", text)));
    let Some(name) = attributes.first(&["uid", "samaccountname"]) else {
        return faults.keep(Err(Fault::of_value(line, "dn", &attributes.dn, "the entry has no uid")));
    };
    let mut workbench = json!({"posixUserName": name});
    if let Some(uid) = uid {
        workbench["posixUserId"] = uid.into();
    }
    if let Some(home) = attributes.first(&["homedirectory", "unixhomedirectory"]) {
        workbench["homeDirectory"] = home.into();
    }
    let mut body = Map::from_iter([
        ("userName".to_owned(), Value::String(rules.user_name(name))),
        (WORKBENCH_USER.id.to_owned(), workbench),
    ]);
    let mut posix = Map::new();
    if let Some(shell) = attributes.first(&["loginshell"]) {
        posix.insert("loginShell".to_owned(), shell.into());
    }
    let keys = attributes.all("sshpublickey");
    if !keys.is_empty() {
        let keys = keys.iter().map(|key| json!({"value": key.trim()})).collect();
        posix.insert(SSH_PUBLIC_KEYS.to_owned(), Value::Array(keys));
    }
    body.insert(POSIX_USER.id.to_owned(), Value::Object(posix));
    // sssd and nslcd show gecos, else cn.
    let gecos = attributes.first(&["gecos"]);
    let full_name = gecos.map(|gecos| gecos.split(',').next().unwrap_or_default());
    if let Some(name) = attributes
        .first(&["displayname"])
        .or(full_name)
        .or(attributes.first(&["cn"]))
    {
        body.insert("displayName".to_owned(), name.into());
    }
    if let Some(address) = attributes.first(&["mail"]) {
        body.insert("emails".to_owned(), json!([{"value": address, "primary": true}]));
    }
    let gecos = gecos.or(attributes.first(&["cn"])).unwrap_or_default();
    let gecos = faults.keep(verbatim_gecos(line, gecos));
    let mut user = User::from_body(rules, line, body, faults)?;
    user.draft.gecos = gecos;
    // Without one of its numbers nothing can be said of his private group.
    user.private_group = (uid.is_none() || gid == Some(None)).then_some(false);
    user.gid = gid.flatten();
    user.dn = Some(key(&attributes.dn));
    Some(Entry::User(Box::new(user)))
}

fn group(rules: &Rules, line: u64, attributes: &Attributes, faults: &mut Faults) -> Option<Entry> {
    attributes.check_text(&OF_GROUPS, faults);
    let gid = attributes
        .first(&["gidnumber"])
        .and_then(|text| faults.keep(number(line, "posixGroupId", text)));
    if rules.passes_over(gid) {
        return Some(Entry::PassedOver);
    }
    let Some(name) = attributes.first(&["cn", "samaccountname"]) else {
        return faults.keep(Err(Fault::of_value(line, "dn", &attributes.dn, "the entry has no cn")));
    };
    let mut extension = json!({"posixGroupName": name});
    if let Some(gid) = gid {
        extension["posixGroupId"] = gid.into();
    }
    let body = Map::from_iter([
        ("displayName".to_owned(), name.trim().into()),
        (POSIX_GROUP.id.to_owned(), extension),
    ]);
    let mut group = Group::from_body(line, body, faults)?;
    group.members = attributes.all("memberuid").iter().cloned().map(Member::User).collect();
    let named = DN_MEMBERS.iter().flat_map(|name| attributes.all(name));
    for dn in named.filter(|dn| !dn.trim().is_empty()) {
        let none = || Fault::of_value(line, "members", dn, "it is no distinguished name");
        group.members.extend(faults.keep(member(dn).ok_or_else(none)));
    }
    group.dn = Some(key(&attributes.dn));
    Some(Entry::Group(Box::new(group)))
}

/// A member by distinguished name: `uid=jane,…` is the user jane and `cn=staff,…` the group staff, unless the directory
/// has an entry of that name that says otherwise; a name with both pairs is a user's, and one with neither nobody's.
fn member(dn: &str) -> Option<Member> {
    let pairs = first(dn)?;
    let of = |names: &[&str]| {
        let mut pairs = pairs.iter();
        let pair = pairs.find(|(attribute, _)| names.iter().any(|name| attribute.eq_ignore_ascii_case(name)));
        pair.map(|(_, value)| value.clone())
    };
    let user = of(&USER_NAMES);
    let group = of(&["cn"]).filter(|_| user.is_none());
    Some(Member::Dn(Name {
        dn: key(dn),
        is_group: group.is_some(),
        name: user.or(group).unwrap_or_default(),
    }))
}

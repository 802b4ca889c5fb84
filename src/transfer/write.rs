//! Users and groups as files: the same formats that are read.

mod left_out;

use std::io::Write;

use serde_json::{Map, Value, json};
use uuid::Uuid;

pub use left_out::LeftOut;

use super::Format;
use super::csv::{GROUP_COLUMNS, USER_COLUMNS, quote};
use crate::scim::schema::{POSIX_GROUP, POSIX_USER, ResourceType, SSH_PUBLIC_KEYS, WORKBENCH_USER};

/// A user as a file shows him.
#[derive(Debug, Clone)]
pub struct UserLine {
    /// SCIM id.
    pub id: Uuid,
    /// The client-owned document.
    pub doc: Map<String, Value>,
    /// POSIX name.
    pub posix_name: String,
    /// POSIX user id.
    pub uid: i64,
    /// POSIX id of the primary group.
    pub gid: i64,
    /// Whether that is a group of his own.
    pub private_group: bool,
    /// Home directory.
    pub home: String,
    /// Login shell; `None` for the site's default.
    pub shell: Option<String>,
    /// The gecos field.
    pub gecos: String,
    /// Whether he is an administrator of Workbench.
    pub admin: bool,
    /// Whether he is locked.
    pub locked: bool,
}

/// A group as a file shows it, without its members.
#[derive(Debug, Clone)]
pub struct GroupLine {
    /// SCIM id.
    pub id: Uuid,
    /// The client-owned document; empty for the private group of a user.
    pub doc: Map<String, Value>,
    /// POSIX name.
    pub posix_name: String,
    /// POSIX group id.
    pub gid: i64,
}

/// A member as a file shows it.
#[derive(Debug, Clone)]
pub struct MemberName {
    /// SCIM id.
    pub id: Uuid,
    /// POSIX name.
    pub name: String,
    /// POSIX user or group id.
    pub number: i64,
    /// Whether it is a group.
    pub is_group: bool,
}

/// Writes one file. Call `begin`, then `user`, or `group`, `members` and `group_end`, for each, then `end`.
#[derive(Debug)]
pub struct Writer<W> {
    format: Format,
    resource: ResourceType,
    /// The shell of those who have none of their own.
    default_shell: String,
    out: W,
    is_first: bool,
    is_first_member: bool,
    left_out: LeftOut,
}

impl<W: Write> Writer<W> {
    /// A writer of `format`; `Ldif` is read alone and written as JSON.
    pub fn new(format: Format, resource: ResourceType, default_shell: &str, out: W) -> Self {
        Self {
            format,
            resource,
            default_shell: default_shell.to_owned(),
            out,
            is_first: true,
            is_first_member: true,
            left_out: LeftOut::default(),
        }
    }

    /// What stands before the first record.
    pub fn begin(&mut self) -> std::io::Result<()> {
        match self.format {
            Format::Passwd | Format::Group => Ok(()),
            Format::Csv if self.resource == ResourceType::User => writeln!(self.out, "{}", USER_COLUMNS.join(",")),
            Format::Csv => writeln!(self.out, "{}", GROUP_COLUMNS.join(",")),
            Format::Json | Format::Ldif => {
                let urn = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
                write!(self.out, "{{\"schemas\":[\"{urn}\"],\"Resources\":[")
            }
        }
    }

    /// One user.
    pub fn user(&mut self, user: &UserLine) -> std::io::Result<()> {
        self.left_out.user(self.format, user);
        match self.format {
            Format::Passwd | Format::Group => {
                let shell = user.shell.as_deref().unwrap_or(&self.default_shell);
                writeln!(
                    self.out,
                    "{}:x:{}:{}:{}:{}:{shell}",
                    user.posix_name, user.uid, user.gid, user.gecos, user.home
                )
            }
            Format::Csv => writeln!(self.out, "{}", user_fields(user).map(|field| quote(&field)).join(",")),
            Format::Json | Format::Ldif => {
                self.separate()?;
                serde_json::to_writer(&mut self.out, &user_document(user)).map_err(Into::into)
            }
        }
    }

    /// The beginning of one group.
    pub fn group(&mut self, group: &GroupLine) -> std::io::Result<()> {
        self.left_out.group(self.format, group);
        self.is_first_member = true;
        match self.format {
            Format::Passwd | Format::Group => write!(self.out, "{}:x:{}:", group.posix_name, group.gid),
            Format::Csv => {
                let fields = [
                    text(&group.doc, "displayName"),
                    group.posix_name.clone(),
                    group.gid.to_string(),
                    text(&group.doc, "externalId"),
                ];
                write!(self.out, "{},\"", fields.map(|field| quote(&field)).join(","))
            }
            Format::Json | Format::Ldif => {
                self.separate()?;
                let mut document = Map::from_iter([("id".to_owned(), Value::String(group.id.to_string()))]);
                document.extend(group.doc.clone());
                let extension = json!({"posixGroupName": group.posix_name, "posixGroupId": group.gid});
                document.insert(POSIX_GROUP.id.to_owned(), extension);
                let mut head = Value::Object(with_schemas(ResourceType::Group, document)).to_string();
                head.pop();
                write!(self.out, "{head},\"members\":[")
            }
        }
    }

    /// Some of the members of the group that was begun.
    pub fn members(&mut self, members: &[MemberName]) -> std::io::Result<()> {
        for member in members {
            if !std::mem::take(&mut self.is_first_member) {
                self.out.write_all(b",")?;
            }
            match self.format {
                Format::Passwd | Format::Group => write!(self.out, "{}", member.name)?,
                Format::Csv => {
                    let mark = if member.is_group { "@" } else { "" };
                    write!(self.out, "{mark}{}", member.name.replace('"', "\"\""))?;
                }
                Format::Json | Format::Ldif => {
                    let kind = if member.is_group { "Group" } else { "User" };
                    write!(self.out, "{{\"value\":\"{}\",\"type\":\"{kind}\"}}", member.id)?;
                }
            }
        }
        Ok(())
    }

    /// The end of the group that was begun.
    pub fn group_end(&mut self) -> std::io::Result<()> {
        match self.format {
            Format::Passwd | Format::Group => self.out.write_all(b"\n"),
            Format::Csv => self.out.write_all(b"\"\n"),
            Format::Json | Format::Ldif => self.out.write_all(b"]}"),
        }
    }

    /// What stands behind the last record. Gives what the format could not hold.
    pub fn end(mut self) -> std::io::Result<LeftOut> {
        if matches!(self.format, Format::Json | Format::Ldif) {
            self.out.write_all(b"\n]}\n")?;
        }
        self.out.flush()?;
        Ok(self.left_out)
    }

    fn separate(&mut self) -> std::io::Result<()> {
        let mark: &[u8] = if std::mem::take(&mut self.is_first) {
            b"\n"
        } else {
            b",\n"
        };
        self.out.write_all(mark)
    }
}

fn user_fields(user: &UserLine) -> [String; 12] {
    let emails: Vec<&str> = addresses(&user.doc).filter(|address| fits_in_csv(address)).collect();
    let flags: Vec<&str> = [(user.admin, "admin"), (user.locked, "locked")]
        .into_iter()
        .filter_map(|(is_set, name)| is_set.then_some(name))
        .collect();
    [
        text(&user.doc, "userName"),
        user.posix_name.clone(),
        user.uid.to_string(),
        user.gid.to_string(),
        if user.private_group { "yes" } else { "no" }.to_owned(),
        user.home.clone(),
        user.shell.clone().unwrap_or_default(),
        user.gecos.clone(),
        text(&user.doc, "displayName"),
        emails.join(" "),
        text(&user.doc, "externalId"),
        flags.join(" "),
    ]
}

/// The values of `emails`.
fn addresses(doc: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let emails = doc.get("emails").and_then(Value::as_array).into_iter().flatten();
    emails.filter_map(|email| email.get("value")?.as_str())
}

/// Whether an address is still one where blanks separate addresses.
fn fits_in_csv(address: &str) -> bool {
    !address.is_empty() && !address.contains(char::is_whitespace)
}

fn user_document(user: &UserLine) -> Value {
    let mut document = Map::from_iter([("id".to_owned(), Value::String(user.id.to_string()))]);
    document.extend(user.doc.clone());
    document.insert("active".to_owned(), (!user.locked).into());
    document.insert(
        WORKBENCH_USER.id.to_owned(),
        json!({
            "admin": user.admin, "posixUserName": user.posix_name, "posixUserId": user.uid, "homeDirectory": user.home,
        }),
    );
    let mut posix = json!({"posixGroupId": user.gid, "privateGroup": user.private_group, "gecos": user.gecos});
    if let Some(shell) = &user.shell {
        posix["loginShell"] = shell.as_str().into();
    }
    if let Some(keys) = user.doc.get(POSIX_USER.id).and_then(|posix| posix.get(SSH_PUBLIC_KEYS)) {
        posix[SSH_PUBLIC_KEYS] = keys.clone();
    }
    document.insert(POSIX_USER.id.to_owned(), posix);
    Value::Object(with_schemas(ResourceType::User, document))
}

fn with_schemas(resource: ResourceType, document: Map<String, Value>) -> Map<String, Value> {
    let extensions = resource.extensions().iter().map(|schema| schema.id);
    let used = extensions.filter(|id| document.contains_key(*id));
    let schemas: Value = std::iter::once(resource.core().id)
        .chain(used)
        .map(Value::from)
        .collect();
    let mut whole = Map::from_iter([("schemas".to_owned(), schemas)]);
    whole.extend(document);
    whole
}

fn text(document: &Map<String, Value>, attribute: &str) -> String {
    document
        .get(attribute)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

//! Posit Workbench's User extension, under its documented names, with the other spellings its documentation uses.

use super::{Attribute, Schema};

/// Posit Workbench's User extension.
pub static WORKBENCH_USER: Schema = Schema {
    id: "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User",
    name: "WorkbenchUser",
    description: "Posit Workbench User",
    attributes: &[
        Attribute::boolean("admin", "Whether the user is a Workbench administrator."),
        Attribute::string("posixUserName", "The POSIX name under which sessions start.")
            .case_exact()
            .unique(),
        Attribute::integer("posixUserId", "The POSIX user id.").unique(),
        Attribute::string("homeDirectory", "The home directory, an absolute path.").case_exact(),
        Attribute::boolean("locked", "Whether the user is locked; the opposite of active.").read_only(),
        Attribute::date_time("lastSignIn", "When the user last signed in.").read_only(),
    ],
    aliases: &[("posixName", "posixUserName"), ("posixUid", "posixUserId")],
};

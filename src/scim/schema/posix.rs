//! Rollcall's own extensions: the POSIX attributes for which Workbench has no name.

use super::{Attribute, Schema};

/// The attribute of [`POSIX_USER`] with OpenSSH public keys.
pub const SSH_PUBLIC_KEYS: &str = "sshPublicKeys";

const SSH_KEYS: &[Attribute] = &[
    Attribute::string("value", "The key as a line of authorized_keys.").case_exact(),
    Attribute::string("display", "A name for people, as the machine it is from."),
];

/// POSIX attributes of a user beyond Workbench's.
pub static POSIX_USER: Schema = Schema {
    id: "urn:rollcall:params:scim:schemas:extension:posix:1.0:User",
    name: "PosixUser",
    description: "POSIX User",
    attributes: &[
        Attribute::string("loginShell", "The login shell, an absolute path.").case_exact(),
        Attribute::integer("posixGroupId", "The POSIX id of the user's primary group.").read_only(),
        Attribute::complex(
            SSH_PUBLIC_KEYS,
            "OpenSSH public keys that may sign in as the user on nodes.",
            SSH_KEYS,
        )
        .multi_valued(),
    ],
    aliases: &[],
};

/// POSIX attributes of a group.
pub static POSIX_GROUP: Schema = Schema {
    id: "urn:rollcall:params:scim:schemas:extension:posix:1.0:Group",
    name: "PosixGroup",
    description: "POSIX Group",
    attributes: &[
        Attribute::string("posixGroupName", "The POSIX name of the group.")
            .case_exact()
            .unique(),
        Attribute::integer("posixGroupId", "The POSIX group id.").unique(),
    ],
    aliases: &[],
};

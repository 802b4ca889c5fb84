//! The command line: every verb, for people and for scripts.

mod answers;
mod bootstrap;
mod completions;
#[cfg(feature = "saml")] // its certificates are made with OpenSSL
mod doctor;
mod groups;
mod guards;
mod history;
mod ids;
mod imports;
mod no_database;
mod resume;
mod settings;
mod tokens;
mod tools;
mod usage;
mod users;

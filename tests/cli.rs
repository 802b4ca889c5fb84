//! The command line: every verb, for people and for scripts.

mod groups;
mod imports;
mod settings;
mod tokens;
mod tools;
mod users;

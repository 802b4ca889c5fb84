//! The command line: every verb, for people and for scripts.

mod doctor;
mod groups;
mod guards;
mod history;
mod imports;
mod resume;
mod settings;
mod tokens;
mod tools;
mod users;

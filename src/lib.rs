//! Rollcall: the user service of Posit Workbench and the Linux clusters around it, on PostgreSQL.
//!
//! The layers, from the outside in; each uses only those below it:
//!
//! | Module | Responsibility |
//! |---|---|
//! | `cli` | the command line: one file per subcommand, `serve` among them |
//! | [`http`] | routes and listeners: extract, one call, respond |
//! | [`login`] | from an outside assertion to a provisioned user and a session |
//! | [`db`] | one Rust function per SQL function of the schema `api`; pools, retries |
//! | [`private_postgres`] | a PostgreSQL of its own for one machine |
//! | [`scim`] | the SCIM language, without I/O |
//! | [`bootstrap`] | the bootstrap file, read and checked, without I/O |
//! | [`transfer`] | files of users and groups, read and written, without I/O of its own |
//! | [`posix`], [`ssh_key`], [`fold`], [`config`], [`telemetry`], [`https_client`], [`error`] | leaves |

pub mod bootstrap;
pub mod config;
pub mod db;
pub mod error;
pub mod fold;
pub mod http;
pub mod https_client;
pub mod login;
pub mod posix;
pub mod private_postgres;
pub mod scim;
pub mod ssh_key;
pub mod telemetry;
pub mod tokens;
pub mod transfer;

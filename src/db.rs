//! The database: one Rust function per SQL function of the schema `api`, over a pool for writes and one for reads.
//!
//! Every statement is sent unnamed (`query_typed`), so that it runs behind a transaction pooler; the work is inside
//! PL/pgSQL functions, whose plans PostgreSQL keeps. Which error may be retried is decided in `call` alone.

mod admin_group;
pub mod admin_pages;
mod audit;
mod bootstrap;
pub mod brake;
mod call;
mod connect;
mod deadline;
mod exports;
mod freshest;
mod gather;
pub mod groups;
pub mod id_blocks;
pub mod imports;
mod login_calls;
pub mod logins;
pub mod memberships;
pub mod migrate;
pub mod nodes;
pub mod nss;
mod options;
mod pages;
mod pool;
mod primary;
mod reach;
pub mod requests;
pub mod search;
pub mod sessions;
mod sqlstate;
mod statement;
pub mod status;
pub mod tokens;
pub mod trail;
mod user_calls;
pub mod users;

pub use audit::{AuditEntry, AuditFilter, HistoryEntry, Origin};
pub use bootstrap::Turn;
pub use call::Repeat;
pub use connect::Address;
pub use exports::Moment;
pub use options::Options;
pub use pages::Page;
pub use pool::{Database, Settings};

//! Compiles filters, orders and cursors into SQL over the read views; every value is a bind parameter.
//!
//! The views are `api.users` and `api.groups`, the main relation under the alias `r`, beside them `api.user_emails`
//! and `api.memberships`. Names that appear in the SQL are constants of the schema definitions; nothing that a client
//! sent is ever part of the text.

mod attributes;
mod bound;
mod condition;
mod operand;
mod order;

pub use bound::{Parameters, SqlValue};
pub use condition::condition;
pub use order::Order;

#[cfg(test)]
mod tests;

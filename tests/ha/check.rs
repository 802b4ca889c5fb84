//! The checker: what clients were told against what the database and its audit log hold.

mod evidence;
pub mod register;
#[cfg(test)]
mod tests;
mod verdict;

pub use evidence::Evidence;
pub use verdict::judge;

//! Populates, loads and measures a Rollcall service.
fn main() {}

//! The read API for nodes.

mod contract;

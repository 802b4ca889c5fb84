//! The read API for nodes.

mod conf;
mod contract;
mod enumeration;
mod followers;
mod nodes;

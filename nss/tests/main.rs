//! The read API's client side against a contract server that can fail in every way: direct mode, agent, map.
#![expect(clippy::unwrap_used, reason = "tests")]

mod harness {
    //! What the tests need: the server, and a node set up in a temporary folder.
    pub mod node;
    #[expect(
        dead_code,
        reason = "shared with the contract server as a program, which uses the rest"
    )]
    pub mod server;
    #[expect(dead_code, reason = "likewise")]
    pub mod store;
}

mod accounts;
mod agent;
mod commands;
mod direct;
mod manual;
mod status;

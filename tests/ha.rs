//! High availability, proven by breaking it: a Patroni cluster, balancers and replicas in a network of their own, clients that
//! write down what they were told, faults, and a checker that compares. Run it with `make ha`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, unused_imports, reason = "the actors serve the integration tests as well")]
mod harness;

mod ha {
    pub mod check;
    pub mod clients;
    pub mod faults;
    pub mod isolation;
    pub mod journal;
    pub mod report;
    pub mod run;
    pub mod site;
    pub mod watch;
}

use ha::isolation::Isolation;
use ha::{check, clients, faults, isolation, journal, report, run, site, watch};

/// The test that everything here serves; it starts itself again inside the isolation.
const TEST: &str = "the_promises_hold_under_every_fault";

#[test]
#[ignore = "a suite of its own: make ha"]
fn the_promises_hold_under_every_fault() {
    match isolation::enter(TEST) {
        Isolation::Inside => run::run(),
        Isolation::Outside { passed } => assert!(passed, "a promise was broken: see above"),
        Isolation::Refused(reason) => println!("skipped: high availability: {reason}"),
    }
}

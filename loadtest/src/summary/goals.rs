//! The goals: what is compared with what, and which result is good enough.

use std::fmt;

/// A goal.
#[derive(Debug, Clone, Copy)]
pub struct Goal {
    /// Its name in measurements.
    pub name: &'static str,
    /// What it says.
    pub about: &'static str,
    /// Whether the result is a ratio to another side.
    pub has_base: bool,
    /// The unit of each side.
    pub unit: &'static str,
    /// When it holds.
    pub bound: Bound,
}

/// When a goal holds.
#[derive(Debug, Clone, Copy)]
pub enum Bound {
    /// The result is not smaller.
    AtLeast(f64),
    /// The result is not larger.
    AtMost(f64),
}

impl fmt::Display for Bound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(formatter, "≥ {least}"),
            Self::AtMost(most) => write!(formatter, "≤ {most}"),
        }
    }
}

const fn ratio(name: &'static str, about: &'static str, unit: &'static str, bound: Bound) -> Goal {
    Goal {
        name,
        about,
        has_base: true,
        unit,
        bound,
    }
}

const fn absolute(name: &'static str, about: &'static str, unit: &'static str, bound: Bound) -> Goal {
    Goal {
        name,
        about,
        has_base: false,
        unit,
        bound,
    }
}

const PAGE: Bound = Bound::AtLeast(20.0);
const LOOKUP: Bound = Bound::AtLeast(10.0);

/// All of them, in the order of the table.
pub const GOALS: [Goal; 27] = [
    ratio(
        "create-16",
        "create user, 16 clients ÷ floor4",
        "ops/s",
        Bound::AtLeast(0.4),
    ),
    ratio(
        "create-64",
        "create user, 64 clients ÷ floor4",
        "ops/s",
        Bound::AtLeast(0.4),
    ),
    ratio(
        "patch-size",
        "one-member PATCH, 50,000 members ÷ 10 (p50)",
        "µs",
        Bound::AtMost(1.2),
    ),
    ratio(
        "lookup-scale",
        "userName eq, large population ÷ 10,000 users (p50)",
        "µs",
        Bound::AtMost(1.3),
    ),
    ratio(
        "cursor-last",
        "last page by cursor ÷ first, large population (p50)",
        "µs",
        Bound::AtMost(1.3),
    ),
    ratio(
        "page-scim2-server-1000",
        "page of 100, 1,000 users ÷ scim2-server",
        "ops/s",
        PAGE,
    ),
    ratio(
        "page-scim2-server-10000",
        "page of 100, 10,000 users ÷ scim2-server",
        "ops/s",
        PAGE,
    ),
    ratio(
        "page-scimmy-1000",
        "page of 100, 1,000 users ÷ scimmy-routers",
        "ops/s",
        PAGE,
    ),
    ratio(
        "page-scimmy-10000",
        "page of 100, 10,000 users ÷ scimmy-routers",
        "ops/s",
        PAGE,
    ),
    ratio(
        "page-keycloak-1000",
        "page of 100, 1,000 users ÷ Keycloak",
        "ops/s",
        PAGE,
    ),
    ratio(
        "page-keycloak-10000",
        "page of 100, 10,000 users ÷ Keycloak",
        "ops/s",
        PAGE,
    ),
    ratio(
        "lookup-scim2-server-1000",
        "userName eq, 1,000 users ÷ scim2-server",
        "ops/s",
        LOOKUP,
    ),
    ratio(
        "lookup-scim2-server-10000",
        "userName eq, 10,000 users ÷ scim2-server",
        "ops/s",
        LOOKUP,
    ),
    ratio(
        "lookup-scimmy-1000",
        "userName eq, 1,000 users ÷ scimmy-routers",
        "ops/s",
        LOOKUP,
    ),
    ratio(
        "lookup-scimmy-10000",
        "userName eq, 10,000 users ÷ scimmy-routers",
        "ops/s",
        LOOKUP,
    ),
    ratio(
        "lookup-keycloak-1000",
        "userName eq, 1,000 users ÷ Keycloak",
        "ops/s",
        LOOKUP,
    ),
    ratio(
        "lookup-keycloak-10000",
        "userName eq, 10,000 users ÷ Keycloak",
        "ops/s",
        LOOKUP,
    ),
    ratio(
        "login-unchanged-16",
        "unchanged sign-in, 16 clients ÷ point query",
        "ops/s",
        Bound::AtLeast(0.4),
    ),
    ratio(
        "login-unchanged-64",
        "unchanged sign-in, 64 clients ÷ point query",
        "ops/s",
        Bound::AtLeast(0.4),
    ),
    absolute(
        "login-unchanged-wal",
        "WAL of an unchanged sign-in; the batched time of the last one is in it",
        "bytes",
        Bound::AtMost(16.0),
    ),
    ratio(
        "login-churn-16",
        "sign-in with 2 groups more and 2 fewer, 16 clients ÷ floor4",
        "ops/s",
        Bound::AtLeast(0.15),
    ),
    ratio(
        "login-churn-64",
        "sign-in with 2 groups more and 2 fewer, 64 clients ÷ floor4",
        "ops/s",
        Bound::AtLeast(0.25),
    ),
    ratio(
        "login-first-16",
        "first sign-in with 20 groups, 16 clients ÷ floor20",
        "ops/s",
        Bound::AtLeast(0.2),
    ),
    absolute("verify", "/auth/verify, 16 clients", "ops/s", Bound::AtLeast(20_000.0)),
    absolute(
        "verify-p99",
        "/auth/verify at 10,000/s (p99)",
        "µs",
        Bound::AtMost(2_000.0),
    ),
    absolute(
        "memory",
        "resident memory at its highest, 100,000 users, under load",
        "MiB",
        Bound::AtMost(64.0),
    ),
    absolute(
        "start",
        "start on a migrated database to ready",
        "s",
        Bound::AtMost(1.0),
    ),
];

//! `CAPACITY.md`: what a site needs, from measured costs per operation.

use std::fmt::Write as _;

use super::figures::{count, figure, plan};
use super::measured::{Cost, Measured};

/// How busy a core may be in a plan: what is above makes queues.
const BUSY: f64 = 0.7;

/// The operations of the table, in its order, and what people call them.
const OPERATIONS: [(&str, &str); 11] = [
    ("login-unchanged", "sign-in, groups as last time"),
    ("login-churn", "sign-in, two groups more and two fewer"),
    ("login-first", "first sign-in with 20 groups"),
    ("create", "SCIM: create a user"),
    ("filter user-name", "SCIM: look a user up"),
    ("patch-member", "SCIM: add or remove one member"),
    ("page", "SCIM: page of 100 users"),
    ("nss-name", "node: user by name"),
    ("nss-initgroups", "node: groups of a user"),
    ("nss-changes", "node: has anything changed?"),
    ("verify", "proxy: is the session valid?"),
];

/// The page.
pub fn markdown(measured: &Measured) -> String {
    let mut text = format!(
        "# Capacity\n\nMade of `scale-results.json` by `rollcall-loadtest report --scale`; its run: {}. Costs are CPU time, which hardly depends on \
         what else runs. Other hardware: run `make scale` there, the page is written anew.\n",
        measured.made()
    );
    costs(&mut text, measured);
    users(&mut text, measured);
    nodes(&mut text, measured);
    ends(&mut text, measured);
    more(&mut text, measured);
    text
}

fn costs(text: &mut String, measured: &Measured) {
    let _ = writeln!(
        text,
        "\n## What an operation costs, and what a core carries\n\n{} users, 16 clients. \"A core of\" is at {} % busy.\n\n\
         | Operation | Service, µs | PostgreSQL, µs | Rows written | Rows read | WAL, bytes | A minute by a core of the service | A minute by a core of \
         PostgreSQL |\n|---|---|---|---|---|---|---|---|",
        count(measured.cost_size),
        BUSY * 100.0
    );
    for (operation, name) in OPERATIONS {
        let Some(cost) = measured.cost.get(operation) else {
            continue;
        };
        let work = cost.database.unwrap_or_default();
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {} | {} |",
            figure(cost.of("service")),
            figure(cost.of("postgres")),
            figure(work.rows_written),
            figure(work.rows_read),
            figure(work.wal_bytes),
            plan(per_minute(cost.of("service"))),
            plan(per_minute(cost.of("postgres")))
        );
    }
    text.push_str(
        "\nReplicas of the service keep no state: their cores add up. Reads add up over standbys as well; writes share the primary.\n",
    );
}

/// Operations in a minute by a core that is as busy as it may be; infinite for one that costs it nothing.
fn per_minute(cpu_us: f64) -> f64 {
    60e6 * BUSY / cpu_us
}

fn of<'a>(measured: &'a Measured, operation: &str) -> Option<&'a Cost> {
    measured.cost.get(operation)
}

fn users(text: &mut String, measured: &Measured) {
    text.push_str("\n## Users\n\n");
    if let Some((size, bytes)) = measured.database_bytes.last_key_value() {
        let each = bytes / (*size).max(1) as f64;
        let _ = writeln!(
            text,
            "- The database takes {} bytes a user with all indexes, his memberships, audit and feed rows: {} GiB at {} users. It is fastest \
             while that fits into memory.",
            figure(each),
            figure(bytes / f64::from(1 << 30)),
            count(*size)
        );
    }
    for memory in measured
        .memory
        .iter()
        .filter(|memory| memory.role == "api" || memory.role == "read")
    {
        let _ = writeln!(
            text,
            "- A replica ({}) holds {} MiB at {} users after everything was done under load: it keeps no directory in memory.",
            memory.role,
            figure(memory.rss_mib),
            count(memory.size)
        );
    }
    let sync = measured.sync.iter().find(|part| part.kind == "users");
    if let Some(sync) = sync {
        let rate = sync.count as f64 / sync.seconds;
        let _ = writeln!(
            text,
            "- An identity provider's first cycle ran at {} users a second on this machine: {} minutes for 100,000, {} for 1,000,000. Real ones send \
             some tens a second.",
            figure(rate),
            figure(100_000.0 / rate / 60.0),
            figure(1_000_000.0 / rate / 60.0)
        );
    }
    if let Some(cost) = of(measured, "login-first") {
        let all = cost.cpu();
        let _ = writeln!(
            text,
            "- The worst morning, 10,000 first sign-ins with 20 groups in a minute, takes {} cores ({} of them PostgreSQL's); the usual one, with \
             unchanged groups, {}.",
            figure(all * 10_000.0 / 60e6 / BUSY),
            figure(cost.of("postgres") * 10_000.0 / 60e6 / BUSY),
            of(measured, "login-unchanged")
                .map_or("–".to_owned(), |cost| figure(cost.cpu() * 10_000.0 / 60e6 / BUSY))
        );
    }
}

fn nodes(text: &mut String, measured: &Measured) {
    text.push_str("\n## Nodes\n\n");
    let followed = measured
        .runs
        .values()
        .find_map(|results| Some((results, results.spread.as_ref()?)));
    match followed {
        Some((results, spread)) => {
            let cores = |name: &str| results.processes.get(name).map_or(0.0, |used| used.cores);
            let (replica, standby) = (cores("replica"), cores("standby"));
            let followers = f64::from(spread.followers);
            let _ = writeln!(
                text,
                "- {} agents that ask once a second took {} cores of a read replica and {} of its standby: {} nodes for a core of the replica, {} for a \
                 core of the standby.\n- A change was with the last of them after {} ms at most; connections: one a node (`max-connections`, 4096 a \
                 listener, is the first limit met).\n- Programs on a node ask the map, not the network: look-ups do not count here.",
                count(spread.followers.into()),
                figure(replica),
                figure(standby),
                plan(followers * BUSY / replica.max(1e-9)),
                plan(followers * BUSY / standby.max(1e-9)),
                figure(spread.all.max_us as f64 / 1_000.0)
            );
        }
        None => text.push_str("- Agents: not measured.\n"),
    }
    if let Some(cost) = of(measured, "nss-changes") {
        let _ = writeln!(
            text,
            "- Asked as fast as possible, the question whether anything has changed costs {} µs of the service and {} µs of PostgreSQL.",
            figure(cost.of("service")),
            figure(cost.of("postgres"))
        );
    }
}

fn ends(text: &mut String, measured: &Measured) {
    text.push_str("\n## Where it stops scaling, and why\n\n");
    if let Some(create) = of(measured, "create") {
        let wal = create.database.map_or(0.0, |work| work.wal_bytes);
        let _ = writeln!(
            text,
            "- **Writes share one primary.** A creation costs it {} µs and {} bytes of log. Sixteen cores at {} % would carry {} a second, {} MiB/s of \
             log: a disk's and a standby's worth before it is a network's. What cannot be shared between cores there is short: a sequence, the \
             ledger's index, one flush of the log for all that wait.",
            figure(create.of("postgres")),
            figure(wal),
            BUSY * 100.0,
            plan(16.0 * per_minute(create.of("postgres")) / 60.0),
            figure(16.0 * per_minute(create.of("postgres")) / 60.0 * wal / f64::from(1 << 20))
        );
    }
    text.push_str(
        "- **One user, one group at a time.** Two changes of the same user or of the same group wait for each other. An identity provider that sends \
         members one by one to one huge group is as fast as one connection.\n\
         - **A synchronous standby** adds its round trip to every commit: to the latency, not to the work; many at once share it.\n\
         - **The feed is read by everybody.** Each node asks every second whether or not something has changed. The cost grows with nodes, not with \
         users; longer periods or more read replicas are the answer.\n\
         - **Searches without an index** (`co`, `ew`) read everything; a statement time-out bounds them.\n\
         - **Whole lists** cost what they hold: a page by cursor is flat, reading a million users takes a million rows' time.\n",
    );
}

fn more(text: &mut String, measured: &Measured) {
    text.push_str("\n## On paper: more standbys, and shards\n\n");
    let reads = of(measured, "filter user-name").zip(of(measured, "create"));
    if let Some((look_up, create)) = reads {
        let _ = writeln!(
            text,
            "- **More standbys** carry reads: nodes' always, SCIM's while no primary answers. Each core of a standby adds {} node look-ups a second. The primary \
             sends each of them its log, {} bytes for a creation, and waits for the synchronous one alone.",
            of(measured, "nss-name").map_or("–".to_owned(), |cost| plan(per_minute(cost.of("postgres")) / 60.0)),
            figure(create.database.map_or(0.0, |work| work.wal_bytes))
        );
        let _ = writeln!(
            text,
            "- A full sync looks up before it creates: {} µs of {} µs of PostgreSQL's time for each new user could move to a standby, if the standby may \
             be behind; it may not, because the answer decides about a creation.",
            figure(look_up.of("postgres")),
            figure(look_up.of("postgres") + create.of("postgres"))
        );
    }
    text.push_str(
        "- **Shards** by the key of the userName would multiply the primaries. What stands against it: numbers must be unique over all of them \
         (a range of ids for each shard would do), group names too (a shard of their own), and a membership joins a user of one shard with a group \
         of another: a first sign-in would need two commits where it needs one, and the promise that it changes all or nothing would be gone. Nothing \
         of this is built: the figures above are those of one primary.\n",
    );
}

#[cfg(test)]
mod tests {
    use super::super::measured::tests::sample;
    use super::*;

    #[test]
    fn what_a_core_carries_follows_from_what_an_operation_costs() {
        let page = markdown(&sample());
        // 500 µs: 60 s × 0.7 ÷ 500 µs.
        let line = page
            .lines()
            .find(|line| line.starts_with("| SCIM: create a user"))
            .unwrap();
        assert!(line.ends_with("| 84,000 | 84,000 |"), "{line}");
        assert!(page.contains("3,000 bytes a user"), "{page}");
    }

    #[test]
    fn a_page_of_nothing_has_no_wrong_figures() {
        let page = markdown(&Measured::default());
        assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
        assert!(page.contains("not measured"));
    }
}

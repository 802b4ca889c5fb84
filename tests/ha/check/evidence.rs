//! What the database holds at the end: users, numbers, audit rows, memberships, violated invariants.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Client;

/// A user as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// His SCIM id.
    pub id: String,
    /// His number.
    pub uid: i64,
    /// His title.
    pub title: Option<String>,
}

/// The end state.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Live users by userName; more than one is a fault.
    pub users: BTreeMap<String, Vec<Stored>>,
    /// Audit rows about users by request id.
    pub audit: BTreeMap<String, usize>,
    /// The owner of each number of the ledger.
    pub owners: BTreeMap<i64, String>,
    /// Groups of each user by userName, those of sign-in.
    pub groups: BTreeMap<String, BTreeSet<String>>,
    /// What `api.check_invariants()` says.
    pub violations: Vec<String>,
}

impl Evidence {
    /// Reads it all from the primary.
    pub async fn gather(client: &Client) -> Self {
        let mut evidence = Self::default();
        let live = "select user_name_key, id::text, uid, doc->>'title' from store.users where deleted_at is null";
        for row in client.query(live, &[]).await.unwrap() {
            evidence.users.entry(row.get(0)).or_default().push(Stored {
                id: row.get(1),
                uid: row.get(2),
                title: row.get(3),
            });
        }
        let audit = "select request_id, count(*) from store.audit where request_id like 'ha-%' and resource = 'user' \
                     group by 1";
        for row in client.query(audit, &[]).await.unwrap() {
            let count = usize::try_from(row.get::<_, i64>(1)).unwrap();
            evidence.audit.insert(row.get(0), count);
        }
        let ledger = "select id, uid_owner::text from store.posix_ids where uid_owner is not null";
        for row in client.query(ledger, &[]).await.unwrap() {
            evidence.owners.insert(row.get(0), row.get(1));
        }
        let groups = "select u.user_name_key, g.display_name_key from store.memberships m \
                      join store.users u on u.id = m.member_id join store.groups g on g.id = m.group_id \
                      where u.deleted_at is null";
        for row in client.query(groups, &[]).await.unwrap() {
            evidence.groups.entry(row.get(0)).or_default().insert(row.get(1));
        }
        let violations = "select violation || ': ' || subject from api.check_invariants()";
        evidence.violations = client
            .query(violations, &[])
            .await
            .unwrap()
            .iter()
            .map(|row| row.get(0))
            .collect();
        evidence
    }
}

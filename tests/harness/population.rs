//! Many users at once, written as the SQL functions would but in a few statements.

use super::database::{Database, Role};

/// The first uid of the population: a soft block, which no allocation touches.
const FIRST_UID: u32 = 100_000;

impl Database {
    /// Adds users `member-1@example.org` … `member-<count>@example.org` and gathers statistics. Returns their ids in that
    /// order.
    pub async fn populate(&self, count: u32) -> Vec<String> {
        let client = self.connect(Role::Superuser).await;
        client
            .batch_execute(&format!(
                r"
create temporary table population as
  select n, md5('member' || n)::uuid as id, 'member-' || n as name, 'member-' || n || '@example.org' as address,
         {FIRST_UID}::bigint + n as uid, 'Member ' || n as display, 'ext-' || n as external_id
  from generate_series(1, {count}) n;
insert into store.users (id, user_name_key, external_id, display_name_key, posix_name, uid, primary_gid, private_group,
                         home, gecos, admin, locked, doc, doc_key, key_version, version, created, last_modified)
  select id, address, external_id, lower(display), name, uid, uid, true, '/home/' || name, display, false, false,
         jsonb_build_object('userName', address, 'displayName', display, 'externalId', external_id,
                            'title', 'Title ' || n % 10,
                            'emails', jsonb_build_array(jsonb_build_object('value', address, 'primary', true))),
         jsonb_build_object('userName', address, 'displayName', lower(display), 'externalId', external_id,
                            'title', 'title ' || n % 10,
                            'emails', jsonb_build_array(jsonb_build_object('value', address, 'primary', true))),
         1, 1, now() - make_interval(secs => {count} - n), now() - make_interval(secs => {count} - n)
  from population;
insert into store.user_emails (key, user_id) select address, id from population;
insert into store.posix_ids (id, uid_owner, gid_owner, asked, issued_at) select uid, id, id, true, now() from population;
insert into store.posix_group_names (name, owner) select name, id from population;
insert into store.audit (at, actor, path, action, resource, subject, detail)
  select now(), 'test', 'import', 'create', 'user', id, '{{}}' from population;
analyze store.users, store.user_emails, store.posix_ids, store.posix_group_names, store.audit;
"
            ))
            .await
            .unwrap();
        let rows = client
            .query("select id::text from population order by n", &[])
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

-- What a service needs to know of its database, and what must always be true in it.

-- Whether this server takes no writes, how far it trails (null: it does not, or it cannot tell), and its time.
create or replace function api.status() returns table (in_recovery boolean, lag interval, at timestamptz, server_version int)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query select pg_is_in_recovery(),
    case when pg_is_in_recovery() and pg_last_wal_receive_lsn() is distinct from pg_last_wal_replay_lsn()
         then clock_timestamp() - pg_last_xact_replay_timestamp() end,
    clock_timestamp(), current_setting('server_version_num')::int;
end $$;

-- What `rollcall doctor` reads from the database in one go.
create or replace function api.doctor() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return jsonb_build_object(
    'server_version', current_setting('server_version_num')::int,
    'in_recovery', pg_is_in_recovery(),
    'now', clock_timestamp(),
    'encoding', getdatabaseencoding(),
    'synchronous_commit', current_setting('synchronous_commit'),
    'synchronous_standby_names', current_setting('synchronous_standby_names'),
    'fsync', current_setting('fsync'),
    'full_page_writes', current_setting('full_page_writes'),
    'audit_default_rows', (select count(*) from (select from store.audit_default limit 1000) d),
    'next_audit_partition', exists (select from pg_catalog.pg_inherits i where i.inhparent = 'store.audit'::regclass
                                    having count(*) > 2),
    'epoch', (select e.epoch from store.id_epoch e),
    'users', (select count(*) from store.users u where u.deleted_at is null),
    'groups', (select count(*) from store.groups g where g.deleted_at is null),
    'nameless_primary_gids', (select count(*) from store.users u where u.deleted_at is null and not u.private_group
                                and not exists (select from store.posix_ids i where i.id = u.primary_gid and i.gid_owner is not null)),
    'retired_primary_gids', (select count(*) from store.users u where u.deleted_at is null
                               and exists (select from store.posix_ids i where i.id = u.primary_gid and i.gid_retired_at is not null)),
    'owner', (select r.rolname from pg_catalog.pg_namespace n join pg_catalog.pg_roles r on r.oid = n.nspowner where n.nspname = 'store'),
    'caller', session_user,
    'caller_can_write_audit', has_table_privilege(session_user, 'store.audit', 'update, delete'));
end $$;

-- Everything that must be true of the data, whatever happened: a row for each violation, none in health.
create or replace function api.check_invariants() returns table (violation text, subject text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select 'live user whose primary gid may be given to another', u.id::text from store.users u
      left join store.posix_ids i on i.id = u.primary_gid where u.deleted_at is null and i.id is null
    union all
    select 'user holds a uid that the ledger gives to another', u.id::text from store.users u
      left join store.posix_ids i on i.id = u.uid where i.uid_owner is distinct from u.id
    union all
    select 'group holds a gid that the ledger gives to another', g.id::text from store.groups g
      left join store.posix_ids i on i.id = g.gid where i.gid_owner is distinct from g.id
    union all
    select 'private group without its gid in the ledger', u.id::text from store.users u
      left join store.posix_ids i on i.id = u.primary_gid where u.private_group and i.gid_owner is distinct from u.id
    union all
    select 'live user with a retired uid', u.id::text from store.users u
      join store.posix_ids i on i.id = u.uid where u.deleted_at is null and i.uid_retired_at is not null
    union all
    select 'live user with a primary gid that nodes refuse', u.id::text from store.users u
      where u.deleted_at is null and (u.primary_gid not between 0 and 4294967294
        or exists (select from store.id_reserved r where r.hard and not r.by_site and r.block @> u.primary_gid))
    union all
    select 'deleted user with a uid that is not retired', u.id::text from store.users u
      join store.posix_ids i on i.id = u.uid where u.deleted_at is not null and i.uid_retired_at is null
    union all
    select 'uid retired and owned by no one''s past', i.id::text from store.posix_ids i
      where i.uid_retired_at is not null and i.uid_owner is null
    union all
    select 'number issued in a hard reserved block', i.id::text from store.posix_ids i
      join store.id_reserved r on r.hard and not r.by_site and r.block @> i.id
    union all
    select 'number that the allocator gave without both sides', i.id::text from store.posix_ids i
      where not i.asked and (i.uid_owner is null or i.gid_owner is null)
    union all
    select 'number claimed by an owner who holds no such number', i.id::text from store.posix_ids i
      where i.uid_retired_at is null and i.uid_owner is not null
        and not exists (select from store.users u where u.id = i.uid_owner and i.id in (u.uid, u.primary_gid))
        and not exists (select from store.groups g where g.id = i.uid_owner)
    union all
    select 'private group name missing or held by another', u.id::text from store.users u
      left join store.posix_group_names n on n.name = u.posix_name
      where u.deleted_at is null and u.private_group and n.owner is distinct from u.id
    union all
    select 'group name missing or held by another', g.id::text from store.groups g
      left join store.posix_group_names n on n.name = g.posix_name
      where g.deleted_at is null and n.owner is distinct from g.id
    union all
    select 'group name held by no one alive', n.name::text from store.posix_group_names n
      where not exists (select from store.users u where u.id = n.owner and u.deleted_at is null and u.posix_name = n.name)
        and not exists (select from store.groups g where g.id = n.owner and g.deleted_at is null and g.posix_name = n.name)
    union all
    select 'membership of a group that does not live', m.group_id::text from store.memberships m
      where not exists (select from store.groups g where g.id = m.group_id and g.deleted_at is null)
    union all
    select 'membership of a member that does not live', m.member_id::text from store.memberships m
      where case when m.is_group then not exists (select from store.groups g where g.id = m.member_id and g.deleted_at is null)
                 else not exists (select from store.users u where u.id = m.member_id and u.deleted_at is null) end
    union all
    -- Two sets compared as a whole: the index has no path from a user to his addresses.
    select 'e-mail index differs from the document', coalesce(d.user_id, k.user_id)::text
      from (select distinct u.id as user_id, e->>'value' collate "C" as key
            from store.users u, jsonb_array_elements(coalesce(u.doc_key->'emails', '[]')) e
            where u.deleted_at is null and e->>'value' is not null) d
      full join store.user_emails k on k.user_id = d.user_id and k.key = d.key
      where d.user_id is null or k.user_id is null
    union all
    select 'e-mail index of a user that does not live', k.user_id::text from store.user_emails k
      where not exists (select from store.users u where u.id = k.user_id and u.deleted_at is null)
    union all
    select 'sign-in state of a user that does not live', l.user_id::text from store.login_state l
      where not exists (select from store.users u where u.id = l.user_id and u.deleted_at is null)
    union all
    select 'open session of a user that is locked or does not live', s.user_id::text from store.sessions s
      where s.ended_at is null and not exists (select from store.users u where u.id = s.user_id and u.deleted_at is null
                                               and not u.locked)
    union all
    select 'live user without a creation in the audit log', u.id::text from store.users u
      where u.deleted_at is null and not exists (select from store.audit a where a.subject = u.id and a.action = 'create');
end $$;

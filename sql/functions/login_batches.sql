-- Applying many assertions at once: what replicas send when people sign in faster than the database commits them one by one.

-- Makes the users among these assertions that are new. p_users: their drafts, null for those who are there. Raises IDDUP
-- when one asks for a number or gets one below p_minimum_uid, and what api.users_create raises.
create or replace function store.logins_create(p_users jsonb[], p_actors text[], p_request_ids text[], p_origins text[],
                                               p_minimum_uid bigint, p_options jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v record;
  v_lowest bigint;
begin
  select array_agg(x.id) as ids, array_agg(x.user_name_key) as keys, min(x.key_version) as key_version,
         array_agg(x.external_id) as external_ids, array_agg(x.display_name_key) as display_name_keys,
         array_agg(coalesce(x.posix_name, x.posix_name_derived)) as names, array_agg(x.home) as homes,
         array_agg(x.shell) as shells, array_agg(x.gecos) as gecos, array_agg(x.admin) as admins,
         array_agg(x.locked) as locked, array_agg(x.doc) as docs, array_agg(x.doc_key) as doc_keys,
         array_agg(d.actor) as actors, array_agg(d.request_id) as request_ids, array_agg(d.origin) as origins,
         bool_or(x.uid is not null) as asks
    into v
    from unnest(p_users, p_actors, p_request_ids, p_origins) as d(doc, actor, request_id, origin),
    lateral jsonb_to_record(d.doc) as x(
      id uuid, user_name_key text, key_version smallint, external_id text, display_name_key text, posix_name text,
      posix_name_derived text, uid bigint, home text, shell text, gecos text, admin boolean, locked boolean, doc jsonb,
      doc_key jsonb)
    where d.doc is not null;
  if v.ids is null then
    return;
  elsif v.asks then
    perform store.one_by_one();
  end if;
  select min(c.uid) into v_lowest from api.users_create(v.ids, v.keys, v.key_version, v.external_ids, v.display_name_keys, v.names, v.homes,
    v.shells, v.gecos, v.admins, v.locked, v.docs, v.doc_keys,
    array(select e from unnest(p_users) d, jsonb_array_elements_text(d->'emails') e),
    array(select (d->>'id')::uuid from unnest(p_users) d, jsonb_array_elements_text(d->'emails') e),
    v.actors, 'login', v.request_ids, v.origins, p_options) c;
  if v_lowest < p_minimum_uid then
    perform store.one_by_one();
  end if;
end $$;

-- Applies the assertions of parallel arrays in one transaction and with few statements: the rows are those that
-- api.login_apply would have written for each. Only for what needs no decision: groups that are there already, fields as
-- they are already, memberships whose provenance stays. Whenever one of them needs more than that (also: a user signs in
-- twice, is locked, is another subject, a later assertion was applied, or he has no row that a rival could wait for),
-- nothing is done for anybody and the caller sends them one by one.
-- p_ids: the user, or the id of a new one; p_users: the draft of a new one, null for one who is there. p_firsts, p_lasts:
-- which of p_group_keys are his. p_actors, p_request_ids, p_origins: of the audit rows of each.
-- Planned as in user_batches.sql; `lateral (… offset 0)` asks an index once per row.
-- Raises IDDUP for that. Locks: the users' rows by id (no key update), as api.users_create, the groups that they join
-- by id (key share), login_state by user: each kind for all of them before the next, in the order of every other writer.
create or replace function api.logins_apply(
  p_ids uuid[], p_user_name_keys text[], p_users jsonb[], p_profiles jsonb[], p_providers text[], p_subjects text[],
  p_ats timestamptz[], p_hashes bytea[], p_firsts int[], p_lasts int[], p_group_keys text[], p_scope text,
  p_minimum_uid bigint, p_required text[], p_actors text[], p_request_ids text[], p_origins text[], p_options jsonb)
returns table (id uuid, posix_name text, uid bigint, primary_gid bigint, home text, shell text, admin boolean,
               locked boolean, admitted boolean, created boolean, added text[], removed text[])
language plpgsql security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off
as $$
#variable_conflict use_column
declare
  v_count constant int := cardinality(p_ids);
  v_here int;
  v_wanted uuid[];
  v_locked uuid[];
  v_plain boolean;
  v_join record;
  v_leave record;
begin
  -- Who is there, locked; whoever is missing here makes the counts differ.
  select count(*) filter (where l.unchanged) into v_here
    from (select not u.locked and u.deleted_at is null and u.user_name_key = x.user_name_key
                 and (x.profile = '{}' or store.login_profile(u, x.profile) is null) as unchanged
          from store.users u join unnest(p_ids, p_user_name_keys, p_users, p_profiles) as x(id, user_name_key, draft, profile)
            on x.id = u.id and x.draft is null
          order by u.id for no key update of u) l;
  if v_here <> cardinality(array_positions(p_users, null))
     or (select count(distinct i) <> v_count or count(distinct k) <> v_count from unnest(p_ids, p_user_name_keys) as x(i, k)) then
    perform store.one_by_one();
  end if;
  -- What can be looked at before numbers are drawn: a batch that gives up has used them up.
  v_wanted := array(select g.id from unnest(p_group_keys) with ordinality as k(key, n),
    lateral (select g.id from store.groups g where g.display_name_key = k.key and g.deleted_at is null offset 0) g
    order by k.n);
  if cardinality(v_wanted) <> cardinality(p_group_keys) or exists (
    select from unnest(p_ids, p_users, p_providers) as x(id, draft, provider)
    where x.draft is null and not exists (
      select from store.login_state l where l.user_id = x.id and l.provider = x.provider)) then
    perform store.one_by_one();
  end if;
  perform store.logins_create(p_users, p_actors, p_request_ids, p_origins, p_minimum_uid, p_options);

  v_locked := array(select distinct w
    from unnest(p_ids, p_firsts, p_lasts) as x(id, first, last),
    lateral (select array(select m.group_id from store.memberships m where m.member_id = x.id) as present offset 0) h,
    unnest(v_wanted[x.first:x.last]) w
    where w <> all (h.present) order by w);
  v_locked := array(select g.id from unnest(v_locked) l,
    lateral (select g.id, g.deleted_at from store.groups g where g.id = l for key share) g
    where g.deleted_at is null order by g.id);
  -- Whoever changes memberships clears the hash first, so a rival is either through or waits here for its turn.
  select count(*) filter (where l.provider = x.provider) = v_here
         and coalesce(bool_and(l.provider <> x.provider
           or (coalesce(l.subject = x.subject, true) and coalesce(l.claims_at <= x.at, true))), true)
    into v_plain
    from (select * from store.login_state l where l.user_id = any (p_ids) order by l.user_id, l.provider for no key update) l
    join unnest(p_ids, p_providers, p_subjects, p_ats) as x(id, provider, subject, at) on x.id = l.user_id;
  if not v_plain then
    perform store.one_by_one();
  end if;

  select coalesce(array_agg(x.id), '{}') as users, coalesce(array_agg(w), '{}') as groups into v_join
    from unnest(p_ids, p_firsts, p_lasts) as x(id, first, last),
    lateral (select array(select m.group_id from store.memberships m where m.member_id = x.id) as present offset 0) h,
    unnest(v_wanted[x.first:x.last]) w
    where w <> all (h.present);
  select coalesce(array_agg(m.member_id) filter (where m.leaves), '{}') as users,
         coalesce(array_agg(m.group_id) filter (where m.leaves), '{}') as groups,
         coalesce(bool_or(case when m.wanted then m.provenance & 2 = 0
                               else p_scope = 'login' and m.provenance & 2 = 2 and m.provenance <> 2 end), false) as marks
    into v_leave
    from (select m.member_id, m.group_id, m.provenance, w.wanted,
                 not w.wanted and (p_scope = 'all' or m.provenance = 2) and m.group_id is distinct from
                   (select a.group_id from store.admin_group a join store.users u on u.id = x.id and u.admin) as leaves
          from unnest(p_ids, p_firsts, p_lasts) as x(id, first, last)
          join store.memberships m on m.member_id = x.id,
          lateral (select m.group_id = any (v_wanted[x.first:x.last]) as wanted) w) m;
  if v_leave.marks or not v_join.groups <@ v_locked then
    perform store.one_by_one();
  end if;

  delete from store.memberships m using unnest(v_leave.users, v_leave.groups) as x(user_id, group_id)
    where m.group_id = x.group_id and m.member_id = x.user_id;
  insert into store.memberships (group_id, member_id, is_group, provenance)
    select x.group_id, x.user_id, false, 2 from unnest(v_join.groups, v_join.users) as x(group_id, user_id)
    order by x.group_id, x.user_id;
  update store.login_state l set claims_hash = null
    from unnest(p_ids, p_providers) as x(id, provider)
    where l.user_id = x.id and l.provider <> x.provider and l.claims_hash is not null
      and (x.id = any (v_join.users) or x.id = any (v_leave.users));
  insert into store.change_feed (xid, at, kind, subject, members)
    select pg_current_xact_id(), api.now(), 'group', x.group_id, array_agg(x.user_id)
    from unnest(v_join.users || v_leave.users, v_join.groups || v_leave.groups) as x(user_id, group_id) group by x.group_id;
  insert into store.login_state as l (user_id, provider, subject, claims_hash, claims_at)
    select x.id, x.provider, x.subject, x.hash, coalesce(x.at, api.now())
    from unnest(p_ids, p_providers, p_subjects, p_hashes, p_ats) as x(id, provider, subject, hash, at)
    on conflict (user_id, provider) do update
      set subject = coalesce(l.subject, excluded.subject), claims_hash = excluded.claims_hash,
          claims_at = greatest(l.claims_at, excluded.claims_at);

  return query
    with change as (
      select x.*, array(select j.group_id from unnest(v_join.users, v_join.groups) as j(user_id, group_id)
                        where j.user_id = x.id) as joined,
             array(select j.group_id from unnest(v_leave.users, v_leave.groups) as j(user_id, group_id)
                   where j.user_id = x.id) as gone
      from unnest(p_ids, p_providers, p_users, p_actors, p_request_ids, p_origins)
        as x(id, provider, draft, actor, request_id, origin)),
    audit as (
      insert into store.audit (at, actor, path, action, resource, subject, request_id, origin, detail)
      select api.now(), c.actor, 'login', 'login', 'user', c.id, c.request_id, c.origin,
             jsonb_strip_nulls(jsonb_build_object('provider', c.provider, 'added', store.audit_ids(c.joined),
                                                  'removed', store.audit_ids(c.gone)))
      from change c where c.joined <> '{}' or c.gone <> '{}')
    select u.id, u.posix_name, u.uid, u.primary_gid, u.home, u.shell, u.admin, u.locked,
           cardinality(p_required) = 0 or store.login_admitted(u.id, p_required), c.draft is not null,
           store.login_group_names(c.joined), store.login_group_names(c.gone)
    from change c join store.users u on u.id = c.id;
end $$;

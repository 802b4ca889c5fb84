-- From an assertion to a provisioned user: the probe of an unchanged sign-in, and the one transaction of any other.
--
-- p_login: user_name_key, provider, subject, at (of the assertion; null: now), hash (hex), scope ('all' | 'login'),
-- register, required (group names that admit), minimum_uid, profile (claimed fields only: display_name,
-- display_name_key, gecos, email, email_key, posix_name, uid, home).
-- The groups of the claim travel as parallel arrays without duplicates, ordered by key: key, name as sent, derived POSIX
-- name; null keys: the claim says nothing about groups.
-- Lock order: the user's row, groups, login_state, memberships; each by id.

-- Whether the user is a member of one of the groups, by folded or POSIX name; nobody is asked for none.
create or replace function store.login_admitted(p_user uuid, p_required text[]) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  return cardinality(p_required) = 0 or exists (
    select from store.memberships m join store.groups g on g.id = m.group_id
    where m.member_id = p_user and (g.display_name_key = any (p_required) or g.posix_name = any (p_required)));
end $$;

-- For each of the sign-ins: the user of that name key, and whether the hash is what his last applied assertion of that
-- provider said. number: its place in the arrays; none when there is no such user. Writes and locks nothing: all that an
-- unchanged sign-in costs. Planned as in user_batches.sql.
create or replace function api.login_probes(p_user_name_keys text[], p_providers text[], p_hashes bytea[], p_required text[])
returns table (number bigint, id uuid, posix_name text, uid bigint, primary_gid bigint, home text, shell text, admin boolean,
               locked boolean, unchanged boolean, admitted boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off
as $$
begin
  return query
    select p.number, u.id, u.posix_name, u.uid, u.primary_gid, u.home, u.shell, u.admin, u.locked,
           coalesce((select l.claims_hash = p.hash from store.login_state l
                     where l.user_id = u.id and l.provider = p.provider), false),
           cardinality(p_required) = 0 or store.login_admitted(u.id, p_required)
    from unnest(p_user_name_keys, p_providers, p_hashes) with ordinality as p(user_name_key, provider, hash, number)
    join store.users u on u.user_name_key = p.user_name_key and u.deleted_at is null;
end $$;

-- The ids of the groups with these keys; creates those that are missing, in key order. Those of which p_user is no member
-- yet come back in locked too: they cannot be deleted before this transaction ends. The others need no lock: whoever
-- deletes such a group takes its members out himself, and locking twenty rows that everybody shares is dear.
-- Locks: advisory (12, hash of the key) for each missing one, by lock number, so that two sign-ins never wait for each
-- other in a circle; then rows by id (key share).
create or replace function store.login_groups(p_user uuid, p_keys text[], p_names text[], p_posix text[], p_options jsonb,
                                              p_audit jsonb, out ids uuid[], out locked uuid[], out created int)
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_new uuid[];
  v_missing int[];
  v_group int;
begin
  created := 0;
  for v_attempt in 1..20 loop
    -- `lateral (… offset 0)` asks the index once per key, whatever is known about the table when this is planned.
    ids := array(select g.id from unnest(p_keys) k,
      lateral (select g.id from store.groups g where g.display_name_key = k and g.deleted_at is null offset 0) g order by g.id);
    if cardinality(ids) = cardinality(p_keys) then
      v_new := array(select i from unnest(ids) i
                     where i <> all (array(select m.group_id from store.memberships m where m.member_id = p_user)));
      locked := array(select g.id from store.groups g where g.id = any (v_new) and g.deleted_at is null order by g.id for key share);
      if cardinality(locked) = cardinality(v_new) then
        return;
      end if;
      -- One was deleted meanwhile: the next turn makes it anew.
      continue;
    end if;
    v_missing := array(select i from generate_subscripts(p_keys, 1) i
      where not exists (select from store.groups g where g.display_name_key = p_keys[i] and g.deleted_at is null));
    perform pg_advisory_xact_lock(12, l.number)
      from (select distinct hashtext(p_keys[i]) as number from unnest(v_missing) i order by 1) l;
    foreach v_group in array v_missing loop
      -- A rival may have made it while this transaction waited for the lock.
      continue when exists (select from store.groups g where g.display_name_key = p_keys[v_group] and g.deleted_at is null);
      perform from api.group_create(jsonb_build_object(
        'id', gen_random_uuid(), 'display_name_key', p_keys[v_group], 'posix_name_derived', p_posix[v_group],
        'doc', jsonb_build_object('displayName', p_names[v_group]),
        'doc_key', jsonb_build_object('displayName', p_keys[v_group]),
        'key_version', p_options->'key_version'), '{}', p_options, p_audit);
      created := created + 1;
    end loop;
  end loop;
  perform store.fail('IDVER', 'groups of the claim are deleted as fast as they are made', 'groups');
end $$;

-- Makes the memberships of a user what the claim says. p_wanted: the groups of the claim; p_locked: those of them that he
-- may join; p_scope: 'all' removes whatever else there
-- is, 'login' only what came from sign-in alone. The private group is no membership and stays; so does an administrator
-- in the group that mirrors the administrators. Returns what was added and removed.
-- Raises 40001 when he has lost a membership since p_locked was made. Locks: the memberships by group id.
create or replace function store.login_memberships(p_user uuid, p_wanted uuid[], p_locked uuid[], p_scope text,
                                                   out added uuid[], out removed uuid[])
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_current uuid[] := '{}';
  v_unmarked boolean;
begin
  select coalesce(array_agg(m.group_id order by m.group_id), '{}'), coalesce(bool_or(m.provenance & 2 = 0), false)
    into v_current, v_unmarked
    from store.memberships m where m.member_id = p_user;
  added := array(select w from unnest(p_wanted) w where w <> all (v_current) order by w);
  if not added <@ p_locked then
    raise exception 'a membership of the claim was taken away meanwhile' using errcode = 'serialization_failure';
  end if;
  removed := array(select c from unnest(v_current) c where c <> all (p_wanted) order by c);
  if cardinality(removed) > 0 then
    removed := array(select m.group_id from store.memberships m
      where m.member_id = p_user and m.group_id = any (removed) and (p_scope = 'all' or m.provenance = 2)
        and m.group_id is distinct from
            (select a.group_id from store.admin_group a join store.users u on u.id = p_user and u.admin)
      order by m.group_id for update);
    delete from store.memberships m where m.member_id = p_user and m.group_id = any (removed);
  end if;
  if cardinality(added) > 0 then
    insert into store.memberships as m (group_id, member_id, is_group, provenance)
      select a, p_user, false, 2 from unnest(added) a order by a
      on conflict (group_id, member_id) do update set provenance = m.provenance | 2;
  end if;
  if v_unmarked then
    update store.memberships m set provenance = m.provenance | 2
      where m.member_id = p_user and m.group_id = any (p_wanted) and m.provenance & 2 = 0;
  end if;
  if p_scope = 'login' then
    update store.memberships m set provenance = m.provenance & ~2
      where m.member_id = p_user and m.group_id <> all (p_wanted) and m.provenance & 2 = 2 and m.provenance <> 2;
  end if;
end $$;

-- E-mail addresses with the claimed one as the primary; they stay as they are when it is that already.
create or replace function store.login_emails(p_emails jsonb, p_keys jsonb, p_email text, p_value text) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
declare
  v_primary int := (select i from jsonb_array_elements(p_keys) with ordinality e(x, i)
                    where x->'primary' = 'true' order by i limit 1);
  v_same int := (select i from jsonb_array_elements(p_keys) with ordinality e(x, i)
                 where x->>'value' = p_email order by (i = v_primary) desc nulls last, i limit 1);
begin
  if v_same is not null and (v_primary is null or v_primary = v_same) then
    return p_emails;
  elsif v_primary is null then
    return p_emails || jsonb_build_array(jsonb_build_object('value', p_value, 'primary', true));
  end if;
  return (select jsonb_agg(case when e.i = v_primary then e.x || jsonb_build_object('value', p_value) else e.x end order by e.i)
          from jsonb_array_elements(p_emails) with ordinality e(x, i) where e.i is distinct from v_same);
end $$;

-- The draft for api.user_update that the claimed fields make of a user; null when they say what he is already.
create or replace function store.login_profile(p_user store.users, p_profile jsonb) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
declare
  v_doc jsonb := p_user.doc;
  v_key jsonb := p_user.doc_key;
  v_gecos text := p_user.gecos;
  v_emails jsonb;
begin
  if p_profile ? 'display_name' and v_doc->>'displayName' is distinct from p_profile->>'display_name' then
    v_doc := v_doc || jsonb_build_object('displayName', p_profile->'display_name');
    v_key := v_key || jsonb_build_object('displayName', p_profile->'display_name_key');
    v_gecos := p_profile->>'gecos';
  end if;
  if p_profile ? 'email' then
    v_emails := store.login_emails(coalesce(v_doc->'emails', '[]'), coalesce(v_key->'emails', '[]'),
                                   p_profile->>'email_key', p_profile->>'email');
    if v_emails is distinct from v_doc->'emails' then
      v_key := v_key || jsonb_build_object('emails', store.login_emails(coalesce(v_key->'emails', '[]'),
        coalesce(v_key->'emails', '[]'), p_profile->>'email_key', p_profile->>'email_key'));
      v_doc := v_doc || jsonb_build_object('emails', v_emails);
    end if;
  end if;
  if v_doc = p_user.doc
     and coalesce(p_profile->>'posix_name', p_user.posix_name) = p_user.posix_name
     and coalesce((p_profile->>'uid')::bigint, p_user.uid) = p_user.uid
     and coalesce(p_profile->>'home', p_user.home) = p_user.home then
    return null;
  end if;
  return jsonb_build_object(
    'user_name_key', p_user.user_name_key, 'external_id', p_user.external_id, 'key_version', p_user.key_version,
    'display_name_key', v_key->'displayName', 'gecos', v_gecos, 'doc', v_doc, 'doc_key', v_key,
    'emails', (select coalesce(jsonb_agg(distinct e->'value'), '[]')
               from jsonb_array_elements(coalesce(v_key->'emails', '[]')) e where e->>'value' is not null),
    'posix_name', p_profile->'posix_name', 'uid', p_profile->'uid', 'home', p_profile->'home');
end $$;

-- Why this assertion may not sign this user in, before anything is written: 'locked'; 'subject' (another person than the
-- one pinned at the first sign-in by this provider has the name now); 'stale' (a later assertion was applied). Null: it may.
create or replace function store.login_obstacle(p_user store.users, p_state store.login_state, p_subject text,
                                                p_at timestamptz) returns text
language plpgsql immutable
as $$
begin
  return case when p_user.locked then 'locked'
              when p_state.subject is not null and p_subject is not null and p_state.subject <> p_subject then 'subject'
              when p_state.claims_at > p_at then 'stale' end;
end $$;

-- Applies an assertion: creates the user if he is missing and p_login.register says so, reconciles his groups, updates
-- the claimed fields, pins the subject; all or nothing, with audit and feed rows. Returns one row. outcome: 'applied', or
-- why nothing was written: 'unknown' (no such user), 'group' (not a member of a required group), 'locked', 'subject',
-- 'stale'. After 'applied' the caller still has to look at admitted: a user who has just lost the required group has lost it.
-- Raises what user_create, user_update and group_create raise; IDVAL when a new user's uid is below minimum_uid.
-- Locks: the user's row (no key update), or advisory (10, hash of the userName key) for a new one; then see above.
create or replace function api.login_apply(p_login jsonb, p_user jsonb, p_keys text[], p_names text[], p_posix text[],
                                           p_options jsonb, p_audit jsonb)
returns table (outcome text, id uuid, posix_name text, uid bigint, primary_gid bigint, home text, shell text,
               admin boolean, locked boolean, admitted boolean, created boolean, updated boolean, added text[],
               removed text[], groups_created int)
language plpgsql security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off
as $$
declare
  v_key text := p_login->>'user_name_key';
  v_provider text := p_login->>'provider';
  v_subject text := p_login->>'subject';
  v_at timestamptz := (p_login->>'at')::timestamptz;
  v_required text[] := array(select jsonb_array_elements_text(coalesce(p_login->'required', '[]')));
  v_user store.users%rowtype;
  v_state store.login_state%rowtype;
  v_profile jsonb;
  v_groups record;
  v_change record;
  v_added uuid[] := '{}';
  v_removed uuid[] := '{}';
begin
  created := false;
  updated := false;
  groups_created := 0;
  select * into v_user from store.users u where u.user_name_key = v_key and u.deleted_at is null for no key update;
  if not found then
    outcome := case when not coalesce((p_login->>'register')::boolean, false) then 'unknown'
                    when cardinality(v_required) > 0 and not coalesce(p_keys, '{}') && v_required then 'group' end;
    if outcome is not null then
      return next;
      return;
    end if;
    perform pg_advisory_xact_lock(10, hashtext(v_key));
    select * into v_user from store.users u where u.user_name_key = v_key and u.deleted_at is null for no key update;
    if not found then
      perform from api.user_create(p_user, p_options, p_audit);
      created := true;
      select * into v_user from store.users u where u.user_name_key = v_key and u.deleted_at is null;
      if v_user.uid < coalesce((p_login->>'minimum_uid')::bigint, 0) then
        perform store.fail('IDVAL', format('uid %s is below auth-minimum-user-id', v_user.uid), 'posixUserId');
      end if;
    end if;
  end if;

  if not created then
    select * into v_state from store.login_state l where l.user_id = v_user.id and l.provider = v_provider;
    outcome := store.login_obstacle(v_user, v_state, v_subject, v_at);
    if outcome is not null then
      id := v_user.id;
      posix_name := v_user.posix_name;
      return next;
      return;
    end if;
  end if;

  if p_keys is not null then
    select * into v_groups from store.login_groups(v_user.id, p_keys, p_names, p_posix, p_options, p_audit);
    groups_created := v_groups.created;
    -- Whoever changes memberships clears the hash first, so a rival is either through or waits here for its turn.
    perform from store.login_state l where l.user_id = v_user.id order by l.provider for no key update;
    select * into v_change from store.login_memberships(v_user.id, v_groups.ids, v_groups.locked, p_login->>'scope');
    v_added := v_change.added;
    v_removed := v_change.removed;
  end if;
  if not created and p_login->'profile' <> '{}' then
    v_profile := store.login_profile(v_user, coalesce(p_login->'profile', '{}'));
    if v_profile is not null then
      perform from api.user_update(v_user.id, v_user.version, v_profile, p_options, p_audit);
      select * into v_user from store.users u where u.id = v_user.id;
      updated := true;
    end if;
  end if;

  if cardinality(v_added) > 0 or cardinality(v_removed) > 0 then
    update store.login_state l set claims_hash = null
      where l.user_id = v_user.id and l.provider <> v_provider and l.claims_hash is not null;
    perform store.audit_write(p_audit, 'login', 'user', v_user.id, jsonb_strip_nulls(jsonb_build_object(
      'provider', v_provider, 'added', store.audit_ids(v_added), 'removed', store.audit_ids(v_removed))));
    insert into store.change_feed (xid, at, kind, subject, members)
      select pg_current_xact_id(), api.now(), 'group', c, array[v_user.id] from unnest(v_added || v_removed) c;
  end if;
  -- A user who was here before his first sign-in by this provider has no row that a rival could have waited for: his hash
  -- stays open, and the next sign-in compares once more.
  insert into store.login_state as l (user_id, provider, subject, claims_hash, claims_at)
    values (v_user.id, v_provider, v_subject,
            case when created or v_state.user_id is not null then decode(p_login->>'hash', 'hex') end,
            coalesce(v_at, greatest(api.now(), v_state.claims_at)))
    on conflict (user_id, provider) do update
      set subject = coalesce(l.subject, excluded.subject), claims_hash = excluded.claims_hash, claims_at = excluded.claims_at;

  outcome := 'applied';
  id := v_user.id;
  posix_name := v_user.posix_name;
  uid := v_user.uid;
  primary_gid := v_user.primary_gid;
  home := v_user.home;
  shell := v_user.shell;
  admin := v_user.admin;
  locked := v_user.locked;
  admitted := store.login_admitted(v_user.id, v_required);
  added := store.login_group_names(v_added);
  removed := store.login_group_names(v_removed);
  return next;
end $$;

-- Display names of groups, ordered.
create or replace function store.login_group_names(p_ids uuid[]) returns text[]
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  if cardinality(p_ids) = 0 then
    return '{}';
  end if;
  return array(select g.doc->>'displayName' from store.groups g where g.id = any (p_ids) order by g.display_name_key);
end $$;

-- What a sign-in with these groups would change of a user: action ('create', 'add', 'remove', 'keep') and group.
-- Writes and locks nothing.
create or replace function api.login_preview(p_user uuid, p_keys text[], p_names text[], p_scope text)
returns table (action text, display_name text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select case when g.id is null then 'create' when m.group_id is null then 'add' else 'keep' end,
           coalesce(g.doc->>'displayName', c.name)
    from unnest(p_keys, p_names) c(key, name)
    left join store.groups g on g.display_name_key = c.key and g.deleted_at is null
    left join store.memberships m on m.group_id = g.id and m.member_id = p_user
    union all
    select case when (p_scope = 'all' or m.provenance = 2) and g.id is distinct from
                     (select a.group_id from store.admin_group a join store.users u on u.id = p_user and u.admin)
                then 'remove' else 'keep' end, g.doc->>'displayName'
    from store.memberships m join store.groups g on g.id = m.group_id
    where m.member_id = p_user and g.display_name_key <> all (p_keys)
    order by 1, 2;
end $$;

-- Forgets which subject a user is pinned to (at one provider, or all), for moving people to another identity provider.
-- Returns how many pins there were. Raises IDNOF. Locks: the user's row.
create or replace function api.login_forget(p_user uuid, p_provider text, p_audit jsonb) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_count bigint;
begin
  perform from store.users u where u.id = p_user and u.deleted_at is null for no key update;
  if not found then
    perform store.fail('IDNOF', 'no such user', 'id');
  end if;
  delete from store.login_state l where l.user_id = p_user and (p_provider is null or l.provider = p_provider);
  get diagnostics v_count = row_count;
  if v_count > 0 then
    perform store.audit_write(p_audit, 'forget-subject', 'user', p_user, jsonb_strip_nulls(jsonb_build_object('provider', p_provider)));
  end if;
  return v_count;
end $$;

-- Notes last sign-ins, a batch at a time and each user at most every five minutes, and moves the time of the last applied
-- assertion, so that an older one cannot win after unchanged sign-ins.
-- p_sign_ins: [{"user_id", "provider", "at", "claims_at"}], one per user.
create or replace function api.sign_ins_note(p_sign_ins jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_due jsonb;
begin
  select coalesce(jsonb_agg(n order by n->>'user_id'), '[]') into v_due from jsonb_array_elements(p_sign_ins) n
    where not exists (select from store.sign_ins s where s.user_id = (n->>'user_id')::uuid
                      and s.at > (n->>'at')::timestamptz - interval '5 minutes')
      and exists (select from store.users u where u.id = (n->>'user_id')::uuid and u.deleted_at is null);
  insert into store.sign_ins as s (user_id, at)
    select (n->>'user_id')::uuid, (n->>'at')::timestamptz from jsonb_array_elements(v_due) n
    on conflict (user_id) do update set at = greatest(s.at, excluded.at);
  -- In the order of every other writer.
  perform from store.login_state l where l.user_id in (select (n->>'user_id')::uuid from jsonb_array_elements(v_due) n)
    order by l.user_id, l.provider for no key update;
  update store.login_state l set claims_at = d.claims_at
    from (select (n->>'user_id')::uuid as user_id, n->>'provider' as provider, (n->>'claims_at')::timestamptz as claims_at
          from jsonb_array_elements(v_due) n) d
    where l.user_id = d.user_id and l.provider = d.provider and l.claims_at < d.claims_at;
end $$;

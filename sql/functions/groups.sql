-- Groups and memberships. Lock order of every writer: users, groups, login_state, memberships; each by id.
--
-- p_group carries what `scim::group::GroupDraft` holds: id, display_name_key, key_version, external_id, posix_name
-- (asked for) or posix_name_derived, gid, doc, doc_key.

-- The shape in which a group leaves the contract, without members.
create or replace function store.group_row(p_id uuid, p_with_doc boolean, p_changed boolean)
returns table (id uuid, posix_name text, gid bigint, created timestamptz, last_modified timestamptz, version bigint,
               doc jsonb, changed boolean)
language plpgsql stable
as $$
begin
  return query
    select g.id, g.posix_name, g.gid, g.created, g.last_modified, g.version, case when p_with_doc then g.doc end, p_changed
    from store.groups g where g.id = p_id and g.deleted_at is null;
end $$;

-- Adds members to a group whose row the caller has locked. p_ids: users or groups; those who are members already stay,
-- with the provenance added. Returns the users and groups that are new. Raises IDREF (no such member).
create or replace function store.memberships_add(p_group uuid, p_ids uuid[], p_provenance smallint) returns uuid[]
language plpgsql
as $$
declare
  v_users uuid[];
  v_groups uuid[];
  v_missing uuid;
  v_added uuid[];
begin
  v_users := array(select u.id from store.users u where u.id = any (p_ids) and u.deleted_at is null);
  if cardinality(v_users) < cardinality(p_ids) then
    v_groups := array(select g.id from store.groups g where g.id = any (p_ids) and g.deleted_at is null);
    select w into v_missing from unnest(p_ids) w where w <> all (v_groups)
      and not exists (select from store.users u where u.id = w and u.deleted_at is null) limit 1;
    if v_missing is not null then
      perform store.fail('IDREF', format('there is no user or group with the id %s', v_missing), 'members.value');
    end if;
    if p_group = any (v_groups) then
      perform store.fail('IDVAL', 'a group cannot be a member of itself', 'members.value');
    end if;
  end if;
  with new_rows as (
    insert into store.memberships as m (group_id, member_id, is_group, provenance)
      select p_group, w.id, w.is_group, p_provenance
      from (select unnest(v_users) as id, false as is_group union all select unnest(v_groups), true) w
      order by w.id
      on conflict (group_id, member_id) do nothing
      returning m.member_id)
  select coalesce(array_agg(n.member_id), '{}') into v_added from new_rows n;
  if cardinality(v_added) < cardinality(v_users) + coalesce(cardinality(v_groups), 0) then
    update store.memberships m set provenance = m.provenance | p_provenance
      where m.group_id = p_group and m.member_id = any (p_ids) and m.provenance & p_provenance = 0;
  end if;
  return v_added;
end $$;

-- Locks the users among p_ids against deletion, in the order of their ids: the first step of every membership change.
create or replace function store.members_lock(p_ids uuid[]) returns void
language plpgsql
as $$
begin
  perform from store.users u where u.id = any (p_ids) and u.deleted_at is null order by u.id for key share;
end $$;

-- Takes a deleted member out of all groups and moves their versions. Returns those groups.
create or replace function store.memberships_drop_member(p_member uuid) returns uuid[]
language plpgsql
as $$
declare
  v_groups uuid[] := array(select m.group_id from store.memberships m where m.member_id = p_member);
begin
  if cardinality(v_groups) > 0 then
    perform from store.groups g where g.id = any (v_groups) order by g.id for no key update;
    delete from store.memberships m where m.member_id = p_member;
    update store.groups g set version = g.version + 1, last_modified = api.now() where g.id = any (v_groups);
  end if;
  return v_groups;
end $$;

-- p_ids with each group among them replaced by the users it holds, at any depth.
create or replace function store.users_beneath(p_ids uuid[]) returns uuid[]
language plpgsql stable
as $$
begin
  if not exists (select from store.groups g where g.id = any (p_ids)) then
    return p_ids;
  end if;
  return array(
    with recursive beneath(id) as (
      select unnest(p_ids)
      union
      select m.member_id from beneath b join store.memberships m on m.group_id = b.id)
    select b.id from beneath b where not exists (select from store.groups g where g.id = b.id));
end $$;

-- A list of ids for the audit log: itself when short, else how many.
create or replace function store.audit_ids(p_ids uuid[]) returns jsonb
language sql stable
as $$ select case when cardinality(p_ids) = 0 then null when cardinality(p_ids) <= 1000 then to_jsonb(p_ids)
                  else to_jsonb(cardinality(p_ids)) end $$;

-- Creates a group with its number, members, audit and feed rows: one transaction. Idempotent by id.
-- Raises IDDUP (displayName, posixGroupName, posixGroupId in use), IDRSV, IDFUL, IDREF (no such member), IDVAL.
-- Locks: advisory (12, hash of the displayName key) until commit; the members' rows (key share).
create or replace function api.group_create(p_group jsonb, p_members uuid[], p_options jsonb, p_audit jsonb)
returns table (id uuid, posix_name text, gid bigint, created timestamptz, last_modified timestamptz, version bigint,
               doc jsonb, changed boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
  v_id uuid := (p_group->>'id')::uuid;
  v_key text := p_group->>'display_name_key';
  v_existing uuid;
  v_name text;
  v_gid bigint := (p_group->>'gid')::bigint;
  v_soft boolean := false;
begin
  perform pg_advisory_xact_lock(12, hashtext(v_key));
  select g.id into v_existing from store.groups g where g.display_name_key = v_key and g.deleted_at is null;
  if v_existing = v_id then
    return query select * from store.group_row(v_id, true, false);
    return;
  elsif v_existing is not null then
    perform store.fail('IDDUP', 'a group with this displayName exists already', 'displayName');
  end if;
  perform store.members_lock(p_members);
  v_name := store.posix_name_claim(v_id, 'group', false, p_group->>'posix_name', p_group->>'posix_name_derived', p_options);
  if v_gid is null then
    v_gid := store.id_allocate(v_id, 'group', (p_options->>'gid_start')::bigint, (p_options->>'gid_max')::bigint);
  else
    v_soft := store.id_claim(v_gid, 'gid', v_id);
  end if;
  insert into store.groups (id, display_name_key, external_id, posix_name, gid, doc, doc_key, key_version, version, created,
                            last_modified)
  values (v_id, v_key, p_group->>'external_id', v_name, v_gid, p_group->'doc', p_group->'doc_key',
          (p_group->>'key_version')::smallint, 1, api.now(), api.now());
  if cardinality(p_members) > 0 then
    perform store.login_hash_clear(p_members);
    perform store.memberships_add(v_id, p_members, store.provenance(p_audit));
  end if;
  perform store.audit_write(p_audit, 'create', 'group', v_id, jsonb_strip_nulls(jsonb_build_object('gid', v_gid,
    'posix_name', v_name, 'added', store.audit_ids(p_members),
    'warning', case when v_soft then 'gid lies in a range that others may use' end)));
  perform store.feed_write('group', v_id, store.users_beneath(p_members));
  return query select * from store.group_row(v_id, true, true);
end $$;

-- Which provenance a change by this path leaves on a membership: 1 scim, 2 login, 4 command line, 8 import, 16 bootstrap. 32 is
-- what the mirror of the administrators leaves (admin_group.sql).
create or replace function store.provenance(p_audit jsonb) returns smallint
language sql immutable
as $$
  select case p_audit->>'path' when 'scim' then 1 when 'login' then 2 when 'import' then 8 when 'bootstrap' then 16 else 4 end::smallint
$$;

-- One live group without its members; no row when there is none.
create or replace function api.group_get(p_id uuid)
returns table (id uuid, posix_name text, gid bigint, created timestamptz, last_modified timestamptz, version bigint,
               doc jsonb, changed boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query select * from store.group_row(p_id, true, false);
end $$;

-- The id of the live group with this displayName key or, failing that, POSIX name (for the command line).
create or replace function api.group_find(p_display_name_key text, p_posix_name text) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(
    (select g.id from store.groups g where g.display_name_key = p_display_name_key and g.deleted_at is null),
    (select n.owner from store.posix_group_names n join store.groups g on g.id = n.owner
      where n.name = p_posix_name and g.deleted_at is null));
end $$;

-- Changes a group: its attributes (p_group, null: as they are) and its members, in one transaction. p_replace: the
-- members become exactly p_add. Otherwise p_remove leave and p_add join; both lists cost what they hold, not what the
-- group holds. p_expected: the version that was read (null: whatever it is). Returns changed = false, and writes
-- nothing, when nothing differs or this very write was committed before. Plans are generic: a list of members would have
-- every statement planned anew for its length.
-- Raises IDNOF, IDVER, IDDUP, IDRSV, IDREF, IDVAL. Locks: the added members (key share), the group's row.
create or replace function api.group_update(p_id uuid, p_expected bigint, p_group jsonb, p_add uuid[], p_remove uuid[],
                                            p_replace boolean, p_options jsonb, p_audit jsonb)
returns table (id uuid, posix_name text, gid bigint, created timestamptz, last_modified timestamptz, version bigint,
               doc jsonb, changed boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
  v_old store.groups%rowtype;
  v_new store.groups%rowtype;
  v_removed uuid[] := '{}';
  v_added uuid[] := '{}';
begin
  perform store.members_lock(p_add);
  select * into v_old from store.groups g where g.id = p_id and g.deleted_at is null for no key update;
  if not found then
    perform store.fail('IDNOF', 'no such group', 'id');
  end if;
  -- A write that was committed before has touched the group within the minutes that the look goes back.
  if v_old.last_modified > api.now() - interval '10 minutes' and store.write_is_known(p_id, p_audit) then
    return query select * from store.group_row(p_id, true, true);
    return;
  end if;
  if p_expected is not null and v_old.version <> p_expected then
    perform store.fail('IDVER', 'the group was changed meanwhile', 'meta.version');
  end if;

  if p_replace then
    -- An anti-join, because `<> all` of a list of n compares every member with every entry.
    v_removed := array(select m.member_id from store.memberships m where m.group_id = p_id
                         and not exists (select from unnest(p_add) a where a = m.member_id));
  elsif cardinality(p_remove) > 0 then
    v_removed := array(select m.member_id from store.memberships m where m.group_id = p_id and m.member_id = any (p_remove));
  end if;
  perform store.login_hash_clear(v_removed || array(select a from unnest(p_add) a where not exists
    (select from store.memberships m where m.group_id = p_id and m.member_id = a)));
  if cardinality(v_removed) > 0 then
    delete from store.memberships m using unnest(v_removed) r where m.group_id = p_id and m.member_id = r;
  end if;
  if cardinality(p_add) > 0 then
    v_added := store.memberships_add(p_id, p_add, store.provenance(p_audit));
  end if;

  v_new := v_old;
  if p_group is not null then
    v_new.display_name_key := p_group->>'display_name_key';
    v_new.external_id := p_group->>'external_id';
    v_new.posix_name := coalesce(p_group->>'posix_name', v_old.posix_name);
    v_new.gid := coalesce((p_group->>'gid')::bigint, v_old.gid);
    v_new.doc := p_group->'doc';
    v_new.doc_key := p_group->'doc_key';
    v_new.key_version := (p_group->>'key_version')::smallint;
  end if;
  if v_new = v_old and cardinality(v_added) = 0 and cardinality(v_removed) = 0 then
    return query select * from store.group_row(p_id, true, false);
    return;
  end if;

  if v_new.posix_name <> v_old.posix_name then
    perform store.posix_name_claim(p_id, 'group', false, v_new.posix_name, null, p_options);
    perform store.group_name_release(v_old.posix_name, p_id);
  end if;
  if v_new.gid <> v_old.gid then
    perform store.id_claim(v_new.gid, 'gid', p_id);
    update store.posix_ids set gid_retired_at = api.now() where posix_ids.id = v_old.gid and gid_owner = p_id;
  end if;
  if v_new = v_old then
    update store.groups g set version = g.version + 1, last_modified = api.now() where g.id = p_id;
  else
    update store.groups g set display_name_key = v_new.display_name_key, external_id = v_new.external_id,
      posix_name = v_new.posix_name, gid = v_new.gid, doc = v_new.doc, doc_key = v_new.doc_key,
      key_version = v_new.key_version, version = g.version + 1, last_modified = api.now() where g.id = p_id;
  end if;
  perform store.audit_write(p_audit, 'update', 'group', p_id, jsonb_strip_nulls(jsonb_build_object(
    'added', store.audit_ids(v_added), 'removed', store.audit_ids(v_removed),
    'gid', case when v_new.gid <> v_old.gid then jsonb_build_array(v_old.gid, v_new.gid) end,
    'posix_name', case when v_new.posix_name <> v_old.posix_name then jsonb_build_array(v_old.posix_name, v_new.posix_name) end,
    'attributes', case when v_new.doc <> v_old.doc then
      (select jsonb_agg(k order by k) from (select jsonb_object_keys(v_old.doc || v_new.doc)) n(k)
       where v_old.doc->k is distinct from v_new.doc->k) end)));
  perform store.feed_write('group', p_id, store.users_beneath(v_added || v_removed));
  return query select * from store.group_row(p_id, true, true);
end $$;

-- Whose primary group the one with this gid is, for people; null when it is nobody's. Private groups are their users' own.
create or replace function api.primary_group_of(p_gid bigint) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_names text[] := array(select u.posix_name from store.users u
    where u.primary_gid = p_gid and u.deleted_at is null and not u.private_group order by u.posix_name limit 6);
begin
  return nullif(array_to_string(v_names[:5], ', '), '') || case when cardinality(v_names) > 5 then ' and others' else '' end;
end $$;

-- Removes a group from SCIM: its gid is retired and stays resolvable like a deleted user's. p_force: also when it is somebody's primary
-- group. Raises IDNOF, IDVER, IDUSE (it is).
-- Locks: the group's row.
create or replace function store.group_delete(p_id uuid, p_expected bigint, p_force boolean, p_audit jsonb) returns void
language plpgsql
as $$
declare
  v_old store.groups%rowtype;
  v_members uuid[];
  v_primary_of text;
begin
  select * into v_old from store.groups g where g.id = p_id and g.deleted_at is null for update;
  if not found then
    if store.write_is_known(p_id, p_audit) then
      return;
    end if;
    perform store.fail('IDNOF', 'no such group', 'id');
  end if;
  if p_expected is not null and v_old.version <> p_expected then
    perform store.fail('IDVER', 'the group was changed meanwhile', 'meta.version');
  end if;
  v_primary_of := api.primary_group_of(v_old.gid);
  if v_primary_of is not null and not p_force then
    perform store.fail('IDUSE', format('it is the primary group of %s; "rollcall group delete --force" deletes it nevertheless',
      v_primary_of), 'posixGroupId');
  end if;
  v_members := array(select m.member_id from store.memberships m where m.group_id = p_id);
  perform store.login_hash_clear(v_members);
  delete from store.memberships m where m.group_id = p_id;
  perform store.memberships_drop_member(p_id);
  update store.groups g set deleted_at = api.now(), last_modified = api.now(), version = g.version + 1 where g.id = p_id;
  perform store.id_retire(v_old.gid, p_id);
  perform store.group_name_release(v_old.posix_name, p_id);
  perform store.audit_write(p_audit, 'delete', 'group', p_id, jsonb_strip_nulls(jsonb_build_object('gid', v_old.gid,
    'posix_name', v_old.posix_name, 'removed', store.audit_ids(v_members))));
  perform store.feed_write('group', p_id, store.users_beneath(v_members));
end $$;

-- store.group_delete, unless the group is somebody's primary group. Raises what it raises.
create or replace function api.group_delete(p_id uuid, p_expected bigint, p_audit jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
  perform store.group_delete(p_id, p_expected, false, p_audit);
end $$;

-- store.group_delete, whosever primary group it is. Raises what it raises.
create or replace function api.group_delete_forced(p_id uuid, p_expected bigint, p_audit jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
  perform store.group_delete(p_id, p_expected, true, p_audit);
end $$;

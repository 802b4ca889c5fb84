-- The read API of the nodes: records as JSON, as nss/CONTRACT.md says. p_options: shell (the default), retain_days.
-- Everything here runs on a standby. `lateral (… offset 0)` asks an index once per row: right after an import there are no
-- statistics yet, and a plan made for empty tables would read all users for each group. `jit = off`: the estimates of
-- recursive queries are high enough to have every execution compiled, which takes seconds.

-- Until when a deleted resource keeps resolving.
create or replace function store.retained(p_deleted_at timestamptz, p_options jsonb) returns boolean
language sql stable
as $$ select p_deleted_at is null
        or p_deleted_at > pg_catalog.now() - pg_catalog.make_interval(days => coalesce((p_options->>'retain_days')::int, 90)) $$;

-- Whether somebody else answers by this user's name: a live user, or one who was deleted later.
create or replace function store.user_name_is_gone(p_user store.users) returns boolean
language plpgsql stable
as $$
begin
  return p_user.deleted_at is not null
    and (exists (select from store.users u where u.posix_name = p_user.posix_name and u.deleted_at is null)
         or exists (select from store.users u where u.posix_name = p_user.posix_name and u.deleted_at is not null
                      and (u.deleted_at, u.id) > (p_user.deleted_at, p_user.id)));
end $$;

-- The Passwd record of a user.
create or replace function store.nss_passwd_record(p_user store.users, p_options jsonb) returns jsonb
language plpgsql stable
as $$
declare
  v_gone boolean := store.user_name_is_gone(p_user);
  v_record jsonb;
begin
  v_record := jsonb_build_object(
    'name', case when v_gone then p_user.posix_name || '.' || p_user.uid else p_user.posix_name end,
    'uid', p_user.uid, 'gid', p_user.primary_gid, 'gecos', p_user.gecos, 'home', p_user.home,
    'shell', case when p_user.deleted_at is not null then '/usr/sbin/nologin'
                  else coalesce(p_user.shell, p_options->>'shell', '/bin/bash') end,
    'state', case when p_user.deleted_at is not null then 'retired' when p_user.locked then 'locked' else 'live' end);
  return case when v_gone then v_record || '{"by_uid_only": true}' else v_record end;
end $$;

-- The groups of a user, those that hold his groups included.
create or replace function store.user_group_ids(p_user uuid) returns setof uuid
language plpgsql stable
as $$
begin
  return query
    with recursive above(id) as (
      select m.group_id from store.memberships m where m.member_id = p_user
      union
      select m.group_id from above a join store.memberships m on m.member_id = a.id and m.is_group)
    select a.id from above a;
end $$;

-- All gids of a user, the primary included, ascending.
create or replace function store.nss_gids(p_user store.users) returns jsonb
language plpgsql stable
as $$
begin
  return (select jsonb_agg(x.gid order by x.gid)
          from (select p_user.primary_gid as gid
                union
                select g.gid from store.user_group_ids(p_user.id) i(id)
                  cross join lateral (select g.gid from store.groups g
                                      where g.id = i.id and g.deleted_at is null offset 0) g) x);
end $$;

-- The user who answers by this name or uid; null id when nobody does.
create or replace function store.nss_find_user(p_name text, p_uid bigint, p_options jsonb) returns store.users
language plpgsql stable
as $$
declare
  v_user store.users%rowtype;
begin
  if p_uid is not null then
    select * into v_user from store.users u where u.uid = p_uid and store.retained(u.deleted_at, p_options);
    return v_user;
  end if;
  select * into v_user from store.users u where u.posix_name = p_name and u.deleted_at is null;
  if not found then
    select * into v_user from store.users u where u.posix_name = p_name and u.deleted_at is not null
      order by u.deleted_at desc, u.id desc limit 1;
    if not store.retained(v_user.deleted_at, p_options) then
      return null;
    end if;
  end if;
  return v_user;
end $$;

-- Passwd of one user; null when there is none.
create or replace function api.nss_passwd(p_name text, p_uid bigint, p_options jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  v_user store.users%rowtype := store.nss_find_user(p_name, p_uid, p_options);
begin
  return case when v_user.id is not null then store.nss_passwd_record(v_user, p_options) end;
end $$;

-- Shadow of one user; null when there is none. A locked or deleted user's has expired, so that no key opens it.
create or replace function store.nss_shadow_record(p_user store.users) returns jsonb
language sql stable
as $$
  select pg_catalog.jsonb_build_object('name', p_user.posix_name,
    'password', case when p_user.locked or p_user.deleted_at is not null then '!' else '*' end,
    'last_change', null, 'min', null, 'max', null, 'warn', null, 'inactive', null,
    'expire', case when p_user.locked or p_user.deleted_at is not null then 1 end)
$$;

create or replace function api.nss_shadow(p_name text, p_options jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  v_user store.users%rowtype := store.nss_find_user(p_name, null, p_options);
begin
  return case when v_user.id is not null then store.nss_shadow_record(v_user) end;
end $$;

-- The gids of one user; null when there is none.
create or replace function api.nss_initgroups(p_name text, p_options jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  v_user store.users%rowtype := store.nss_find_user(p_name, null, p_options);
begin
  return case when v_user.id is not null then
    jsonb_build_object('name', v_user.posix_name, 'gid', v_user.primary_gid, 'gids', store.nss_gids(v_user)) end;
end $$;

-- {"ssh_keys": […]} of a live user who has some, else {}: a locked or deleted one gets in by none.
create or replace function store.nss_ssh_keys(p_user store.users) returns jsonb
language sql immutable
as $$
  select case when p_user.doc ? 'urn:rollcall:params:scim:schemas:extension:posix:1.0:User'
                   and not p_user.locked and p_user.deleted_at is null then
    pg_catalog.jsonb_build_object('ssh_keys', pg_catalog.jsonb_path_query_array(p_user.doc,
      '$."urn:rollcall:params:scim:schemas:extension:posix:1.0:User"."sshPublicKeys"[*]."value"'))
    else '{}' end
$$;

-- How many bytes the SSH keys of a user take in an answer; at most 16 KiB a user.
create or replace function store.nss_key_bytes(p_user store.users) returns int
language sql immutable
as $$
  select case when p_user.doc ? 'urn:rollcall:params:scim:schemas:extension:posix:1.0:User'
    then pg_catalog.pg_column_size(p_user.doc->'urn:rollcall:params:scim:schemas:extension:posix:1.0:User') else 0 end
$$;

-- The User record: Passwd with id, gids and SSH keys.
create or replace function store.nss_user_record(p_user store.users, p_options jsonb) returns jsonb
language plpgsql stable
as $$
begin
  return store.nss_passwd_record(p_user, p_options)
    || jsonb_build_object('id', p_user.id, 'gids', store.nss_gids(p_user)) || store.nss_ssh_keys(p_user);
end $$;

-- What a login needs, in one answer; null when there is no such user. `above` is store.user_group_ids, written out: two calls of it, and a condition
-- with `or` that read all groups, were two thirds of what a look-up cost.
create or replace function api.nss_user(p_name text, p_uid bigint, p_with_shadow boolean, p_options jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  v_user store.users%rowtype := store.nss_find_user(p_name, p_uid, p_options);
begin
  if v_user.id is null then
    return null;
  end if;
  return (
    with recursive above(id) as (
      select m.group_id from store.memberships m where m.member_id = v_user.id
      union
      select m.group_id from above a join store.memberships m on m.member_id = a.id and m.is_group),
    x(name, gid) as materialized (
      select v_user.posix_name, v_user.primary_gid where v_user.private_group
      union
      select g.posix_name, g.gid from store.groups g
        where not v_user.private_group and g.gid = v_user.primary_gid and g.deleted_at is null
      union
      select g.posix_name, g.gid from above i
        cross join lateral (select g.posix_name, g.gid from store.groups g
                            where g.id = i.id and g.deleted_at is null offset 0) g)
    select store.nss_passwd_record(v_user, p_options)
      || jsonb_build_object('id', v_user.id,
           'gids', (select jsonb_agg(y.gid order by y.gid) from (select v_user.primary_gid union select x.gid from x) y(gid)),
           'groups', (select coalesce(jsonb_agg(jsonb_build_object('name', x.name, 'gid', x.gid) order by x.gid), '[]') from x))
      || store.nss_ssh_keys(v_user)
      || case when p_with_shadow then jsonb_build_object('shadow', store.nss_shadow_record(v_user)) else '{}' end);
end $$;

-- The names of the users a group holds, at any depth, sorted bytewise.
create or replace function store.nss_members(p_group uuid) returns jsonb
language plpgsql stable
as $$
begin
  return (
    with recursive beneath(id) as (
      select p_group
      union
      select m.member_id from beneath b join store.memberships m on m.group_id = b.id and m.is_group)
    select coalesce(jsonb_agg(distinct u.posix_name), '[]')
    from beneath b
      cross join lateral (select m.member_id from store.memberships m
                          where m.group_id = b.id and not m.is_group offset 0) m
      cross join lateral (select u.posix_name from store.users u
                          where u.id = m.member_id and u.deleted_at is null offset 0) u);
end $$;

-- One group by name or gid, with its members; null when there is none. A deleted group answers like a deleted user.
create or replace function api.nss_group(p_name text, p_gid bigint, p_options jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  v_owner uuid;
  v_group store.groups%rowtype;
  v_user store.users%rowtype;
  v_taken boolean;
begin
  if p_gid is not null then
    select i.gid_owner into v_owner from store.posix_ids i where i.id = p_gid;
  else
    select n.owner into v_owner from store.posix_group_names n where n.name = p_name;
    if v_owner is null then
      select g.id into v_owner from store.groups g where g.posix_name = p_name and g.deleted_at is not null
        order by g.deleted_at desc limit 1;
    end if;
  end if;
  select * into v_group from store.groups g where g.id = v_owner and (p_gid is null or g.gid = p_gid)
    and store.retained(g.deleted_at, p_options);
  if found then
    v_taken := v_group.deleted_at is not null
      and exists (select from store.posix_group_names n where n.name = v_group.posix_name);
    return jsonb_build_object(
      'name', case when v_taken then v_group.posix_name || '.' || v_group.gid else v_group.posix_name end,
      'gid', v_group.gid, 'members', store.nss_members(v_group.id));
  end if;
  select * into v_user from store.users u where u.id = v_owner and u.private_group
    and (p_gid is null or u.primary_gid = p_gid) and store.retained(u.deleted_at, p_options);
  if not found then
    return null;
  end if;
  v_taken := v_user.deleted_at is not null
    and exists (select from store.posix_group_names n where n.name = v_user.posix_name);
  return jsonb_build_object(
    'name', case when v_taken then v_user.posix_name || '.' || v_user.primary_gid else v_user.posix_name end,
    'gid', v_user.primary_gid, 'members', '[]'::jsonb);
end $$;

-- A page of users after p_after in the order of their ids; p_full: User records, else Passwd. `next` is null at the end.
-- Memberships are read for the whole page at once: a snapshot of 10,000 users must not cost 10,000 function calls.
create or replace function api.nss_users_page(p_after uuid, p_limit int, p_full boolean, p_options jsonb)
returns table (entries jsonb, private_groups jsonb, next uuid)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
begin
  return query
    with recursive rows as materialized (
      select u.id, u, case when p_full then store.nss_key_bytes(u) else 0 end as bytes from store.users u
      where (p_after is null or u.id > p_after) and store.retained(u.deleted_at, p_options)
      order by u.id limit p_limit),
    -- An answer is 8 MiB at most (nss/CONTRACT.md §2): a page of many keys ends early.
    page as materialized (
      select s.id, s.u from (select r.*, sum(r.bytes) over (order by r.id) as total from rows r) s
      where s.total - s.bytes <= 3 * 1048576),
    above(user_id, group_id) as (
      select p.id, m.group_id
      from page p cross join lateral (select m.group_id from store.memberships m where m.member_id = p.id offset 0) m
      where p_full
      union
      select a.user_id, m.group_id
      from above a cross join lateral (select m.group_id from store.memberships m
                                       where m.member_id = a.group_id and m.is_group offset 0) m),
    numbers as (
      select x.user_id, jsonb_agg(x.gid order by x.gid) as gids
      from (select p.id as user_id, (p.u).primary_gid as gid from page p where p_full
            union
            select a.user_id, g.gid
            from above a cross join lateral (select g.gid from store.groups g
                                             where g.id = a.group_id and g.deleted_at is null offset 0) g) x
      group by x.user_id)
    select coalesce(jsonb_agg(case when p_full then store.nss_passwd_record(p.u, p_options)
                                                    || jsonb_build_object('id', p.id, 'gids', n.gids) || store.nss_ssh_keys(p.u)
                                   else store.nss_passwd_record(p.u, p_options) end order by p.id), '[]'),
           coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'name', (p.u).posix_name, 'gid', (p.u).primary_gid,
                                                 'members', '[]'::jsonb) order by p.id)
                      filter (where (p.u).private_group and (p.u).deleted_at is null), '[]'),
           case when (select count(*) = p_limit or count(*) > (select count(*) from page) from rows)
                then (array_agg(p.id order by p.id desc))[1] end
    from page p left join numbers n on n.user_id = p.id;
end $$;

-- A page of groups after p_after in the order of their ids, private ones left out. With members it may end before p_limit.
create or replace function api.nss_groups_page(p_after uuid, p_limit int, p_with_members boolean)
returns table (entries jsonb, next uuid)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  v_group record;
  v_entry jsonb;
  v_entries jsonb[] := '{}';
  v_bytes bigint := 0;
begin
  next := null;
  for v_group in
    select g.id, g.posix_name, g.gid from store.groups g
    where (p_after is null or g.id > p_after) and g.deleted_at is null order by g.id limit p_limit
  loop
    v_entry := jsonb_build_object('id', v_group.id, 'name', v_group.posix_name, 'gid', v_group.gid);
    if p_with_members then
      v_entry := v_entry || jsonb_build_object('members', store.nss_members(v_group.id));
      v_bytes := v_bytes + pg_column_size(v_entry);
    end if;
    v_entries := v_entries || v_entry;
    -- An answer is 8 MiB at most (nss/CONTRACT.md §2): a page of large groups ends early, after one at least.
    if v_bytes > 3 * 1048576 or cardinality(v_entries) = p_limit then
      next := v_group.id;
      exit;
    end if;
  end loop;
  entries := to_jsonb(v_entries);
  return next;
end $$;

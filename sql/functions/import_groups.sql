-- Moving in groups: what stands against a staged file, and applying it.

-- Whom the staged members of the records from p_first to p_last are: a user, a group that exists, or a group that the same
-- file brings (its record). All three are null for somebody who is not there.
create or replace function store.import_targets(p_import uuid, p_first bigint, p_last bigint)
returns table (number bigint, value text, user_id uuid, group_id uuid, group_number bigint)
language plpgsql stable
as $$
begin
  return query
    with named as (
      select m.number, coalesce(m.dn, m.value) as value, coalesce(n.kind, m.kind) as kind, coalesce(n.name, m.value) as name,
             -- A directory compares the values of names without case (RFC 4519 §2.3, §2.39), and people write them as they like.
             case when m.dn is not null and n.name is null then lower(m.value) end as folded,
             case when m.kind = 'id' and m.value ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then m.value::uuid end as id
      from store.import_members m left join store.import_names n on n.import = p_import and n.dn = m.dn
      where m.import = p_import and m.number between p_first and p_last)
    select n.number, n.value, u.id, g.id, s.number
    from named n
      left join lateral (select u.id from store.users u
                         where n.kind = 'user' and u.posix_name = n.name and u.deleted_at is null
                         union all
                         select u.id from store.users u
                         where n.kind = 'user' and u.posix_name = n.folded and u.deleted_at is null
                         union all
                         select u.id from store.users u
                         where u.id = n.id and u.deleted_at is null limit 1) u on true
      left join lateral (select g.id from store.groups g
                         where n.kind = 'group' and g.deleted_at is null and g.id = (
                           select o.owner from store.posix_group_names o where o.name = n.name)
                         union all
                         select g.id from store.groups g
                         where n.kind = 'group' and g.deleted_at is null and g.id = (
                           select o.owner from store.posix_group_names o where o.name = n.folded)
                         union all
                         select g.id from store.groups g
                         where g.id = n.id and g.deleted_at is null limit 1) g on true
      left join lateral (select s.number from store.import_groups s
                         where s.import = p_import and n.kind = 'group' and s.posix_name = n.name
                         union all
                         select s.number from store.import_groups s
                         where s.import = p_import and n.kind = 'group' and s.posix_name = n.folded
                         union all
                         select s.number from store.import_groups s
                         where s.import = p_import and s.id = n.id limit 1) s on true;
end $$;

-- The user whose private group has this gid, if the number was asked for: then a group file may say what the group is.
create or replace function store.import_private_owner(p_gid bigint) returns store.users
language plpgsql stable
as $$
declare
  v_user store.users%rowtype;
begin
  select u.* into v_user from store.posix_ids i join store.users u on u.id = i.gid_owner
    where i.id = p_gid and i.asked and u.deleted_at is null and u.private_group and u.primary_gid = p_gid;
  return v_user;
end $$;

-- Everything that stands against applying the staged groups behind the record p_after up to p_last, like store.import_users_faults.
-- p_unknown: whether members that are nobody are left out instead of being a fault.
create or replace function store.import_groups_faults(p_import uuid, p_after bigint, p_last bigint, p_unknown boolean, p_options jsonb)
returns table (number bigint, line bigint, attribute text, value text, reason text)
language plpgsql stable
as $$
#variable_conflict use_column
begin
  return query
    with s as (select r.number, r.line, r.id, r.id_given, r.display_name_key, r.posix_name, r.gid
               from store.import_groups r where r.import = p_import and r.number > p_after and r.number <= p_last),
    faults as (
      select s.number, s.line, 'displayName' as attribute, s.display_name_key as value, 'also on line ' || d.first as reason
        from (select s.display_name_key, min(s.line) as first, min(s.number) as number from s
              group by s.display_name_key having count(*) > 1) d
        join s on s.display_name_key = d.display_name_key and s.number <> d.number
      union all
      select s.number, s.line, 'posixGroupName', s.posix_name, 'also on line ' || d.first
        from (select s.posix_name, min(s.line) as first, min(s.number) as number from s
              group by s.posix_name having count(*) > 1) d
        join s on s.posix_name = d.posix_name and s.number <> d.number
      union all
      select s.number, s.line, 'posixGroupId', s.gid::text, 'also on line ' || d.first
        from (select s.gid, min(s.line) as first, min(s.number) as number from s where s.gid is not null
              group by s.gid having count(*) > 1) d
        join s on s.gid = d.gid and s.number <> d.number
      union all
      select s.number, s.line, 'displayName', s.display_name_key,
             format('there is such a group already, %s with gid %s', g.posix_name, g.gid)
        from s join store.groups g on g.display_name_key = s.display_name_key and g.deleted_at is null
        where g.posix_name <> s.posix_name or g.gid <> s.gid
      union all
      select s.number, s.line, 'posixGroupName', s.posix_name,
             case when u.id is not null then format('it is the name of the private group of a user, with gid %s', u.primary_gid)
                  else 'another group has this name' end
        from s join store.posix_group_names n on n.name = s.posix_name
          left join store.users u on u.id = n.owner left join store.groups g on g.id = n.owner
        where case when u.id is not null then u.primary_gid is distinct from s.gid
                   else g.display_name_key is distinct from s.display_name_key end
      union all
      select s.number, s.line, 'posixGroupId', s.gid::text,
             case when i.gid_retired_at is null then 'another group has this gid'
                  else 'it was the gid of a deleted group and is never given again' end
        from s join store.posix_ids i on i.id = s.gid and i.gid_owner is not null
        where not exists (select from store.groups g where g.id = i.gid_owner and g.deleted_at is null
                            and g.display_name_key = s.display_name_key)
          and (store.import_private_owner(s.gid)).id is null
          and not exists (select from store.users u where u.id = i.gid_owner and u.deleted_at is null and u.private_group
                            and u.posix_name = s.posix_name)
      union all
      select f.number, f.line, case when f.protected then 'posixGroupName' else 'posixGroupId' end,
             case when f.protected then f.posix_name else f.gid::text end, f.reason
        from (select s.number, s.line, s.posix_name, s.gid, store.is_protected(s.posix_name, p_options) as protected,
                     store.import_id_fault(s.gid, 'gid', store.is_protected(s.posix_name, p_options)) as reason
              from s where store.is_protected(s.posix_name, p_options) or s.gid not between 0 and 4294967294
                or exists (select from store.id_reserved r where r.hard and r.block @> s.gid)) f
      union all
      select s.number, s.line, 'id', s.id::text, 'another user or group has this id'
        from s left join store.users u on u.id = s.id left join store.groups g on g.id = s.id
        where s.id_given and (u.id is not null or (g.id is not null
          and (g.display_name_key <> s.display_name_key or g.deleted_at is not null)))
      union all
      select s.number, s.line, 'members', t.value, 'there is no such user or group'
        from store.import_targets(p_import, p_after + 1, p_last) t join s on s.number = t.number
        where not p_unknown and t.user_id is null and t.group_id is null and t.group_number is null)
    select f.number, f.line, f.attribute, f.value, f.reason from faults f;
end $$;

-- What stands against the staged groups, like api.import_users_check.
create or replace function api.import_groups_check(p_import uuid, p_unknown boolean, p_options jsonb, p_limit int)
returns table (line bigint, attribute text, value text, reason text, total bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
begin
  perform store.import_touch(p_import);
  analyze store.import_groups, store.import_members, store.import_names;
  return query
    select f.line, f.attribute, f.value, f.reason, count(*) over ()
    from store.import_groups_faults(p_import, 0, 9223372036854775807, p_unknown, p_options) f
    order by f.line, f.attribute, f.reason limit p_limit;
end $$;

-- The same once more, like api.import_users_recheck. Members who have gone meanwhile are no fault: nobody holds a deleted user.
create or replace function api.import_groups_recheck(p_import uuid, p_after bigint, p_count int, p_options jsonb, p_limit int)
returns table (number bigint, line bigint, attribute text, value text, reason text, total bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
  v_last bigint;
begin
  perform store.import_touch(p_import);
  select max(n.number) into v_last
    from (select s.number from store.import_groups s where s.import = p_import and s.number > p_after
          order by s.number limit p_count) n;
  return query
    select f.number, f.line, f.attribute, f.value,
           case when f.value = s.posix_name then f.reason else format('%s: %s', s.posix_name, f.reason) end, count(*) over ()
    from store.import_groups_faults(p_import, p_after, v_last, true, p_options) f
      join store.import_groups s on s.import = p_import and s.number = f.number
    order by f.number, f.attribute, f.reason limit p_limit;
end $$;

-- Which staged group holds which: records and their lines, for finding circles.
create or replace function api.import_nesting(p_import uuid)
returns table (number bigint, line bigint, name text, member bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
begin
  return query
    select s.number, s.line, s.posix_name, t.group_number
    from store.import_targets(p_import, 0, 9223372036854775807) t
      join store.import_groups s on s.import = p_import and s.number = t.number
    where t.group_number is not null;
end $$;

-- Whether a staged group is the private group of a user, which stays one: what store.import_group_apply passes over.
create or replace function store.import_group_stays(p_row store.import_groups) returns boolean
language plpgsql stable
as $$
begin
  if p_row.gid is null or not exists (select from store.users u where u.posix_name = p_row.posix_name
      and u.primary_gid = p_row.gid and u.private_group and u.deleted_at is null) then
    return false;
  end if;
  return (store.import_private_owner(p_row.gid)).id is null
    or not exists (select from store.import_members m where m.import = p_row.import and m.number = p_row.number)
    or not exists (select from store.import_targets(p_row.import, p_row.number, p_row.number) t
                   where coalesce(t.user_id, t.group_id) is not null or t.group_number is not null);
end $$;

-- How many staged groups there are, how many exist already, how many gids lie in a soft block, and how many memberships.
create or replace function api.import_groups_count(p_import uuid)
returns table (rows bigint, present bigint, soft bigint, memberships bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
begin
  return query
    select count(*),
           count(*) filter (where exists (select from store.groups g where g.display_name_key = s.display_name_key
                                            and g.deleted_at is null) or store.import_group_stays(s)),
           count(*) filter (where exists (select from store.id_reserved r where not r.hard and r.block @> s.gid)),
           (select count(*) from store.import_members m where m.import = p_import)
    from store.import_groups s where s.import = p_import;
end $$;

-- Turns the private group of a user into a group of its own, which gets its gid: his primary group stays that number.
create or replace function store.private_group_yield(p_user store.users, p_group uuid, p_audit jsonb) returns void
language plpgsql
as $$
begin
  update store.users u set private_group = false, version = u.version + 1, last_modified = api.now() where u.id = p_user.id;
  update store.posix_ids i set gid_owner = null where i.id = p_user.primary_gid and i.gid_owner = p_user.id
    and i.uid_owner is not null;
  delete from store.posix_ids i where i.id = p_user.primary_gid and i.gid_owner = p_user.id;
  perform store.group_name_release(p_user.posix_name, p_user.id);
  perform store.login_hash_clear(array[p_user.id]);
  perform store.audit_write(p_audit, 'update', 'user', p_user.id,
                            jsonb_build_object('private_group', jsonb_build_array(true, false), 'group', p_group));
  perform store.feed_write('user', p_user.id);
end $$;

-- Applies one staged group. p_members: the users and groups it gets. Returns 'created', 'changed' or 'present'.
-- Raises IDDUP, also when there is such a group with another name or number, which somebody made after the check.
create or replace function store.import_group_apply(p_row store.import_groups, p_members uuid[], p_options jsonb, p_audit jsonb)
returns text
language plpgsql
as $$
declare
  v_there store.groups%rowtype;
  v_owner store.users%rowtype;
  v_changed boolean;
begin
  select g.* into v_there from store.groups g where g.display_name_key = p_row.display_name_key and g.deleted_at is null
    for no key update;
  if v_there.id is not null then
    if v_there.posix_name <> p_row.posix_name or v_there.gid <> p_row.gid then
      perform store.fail('IDDUP', 'somebody made a group of this name meanwhile: start the import again', 'displayName');
    end if;
    if cardinality(p_members) = 0 then
      return 'present';
    end if;
    select u.changed into v_changed from api.group_update(v_there.id, null, null, p_members, '{}', false, p_options, p_audit) u;
    return case when v_changed then 'changed' else 'present' end;
  end if;
  v_owner := store.import_private_owner(p_row.gid);
  if v_owner.id is null then
    -- A private group that the allocator numbered stays one; the check let it through under the user's own name alone.
    select u.* into v_owner from store.users u where u.primary_gid = p_row.gid and u.posix_name = p_row.posix_name
      and u.private_group and u.deleted_at is null;
    if v_owner.id is not null then
      return 'present';
    end if;
  elsif v_owner.posix_name = p_row.posix_name and cardinality(p_members) = 0 then
    return 'present';
  else
    perform store.private_group_yield(v_owner, p_row.id, p_audit);
  end if;
  perform api.group_create(jsonb_build_object('id', p_row.id, 'display_name_key', p_row.display_name_key,
    'key_version', p_row.key_version, 'external_id', p_row.external_id, 'posix_name', p_row.posix_name, 'gid', p_row.gid,
    'doc', p_row.doc, 'doc_key', p_row.doc_key), p_members, p_options, p_audit);
  return 'created';
end $$;

-- Applies the next staged groups after p_after: at most p_count, and no more than hold 20,000 members together. p_nested:
-- in a second walk, when all groups are there, those who hold groups get them; the first gives users alone.
-- Returns as api.import_users_apply does. Repeating it is harmless.
-- Locks: the users who become members and those whose private groups yield, by id; then as api.group_create.
create or replace function api.import_groups_apply(p_import uuid, p_after bigint, p_count int, p_nested boolean,
                                                   p_options jsonb, p_audit jsonb)
returns table (last bigint, seen bigint, created bigint, changed bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
  v_row store.import_groups%rowtype;
  v_members uuid[];
  v_users uuid[];
  v_outcome text;
begin
  perform store.import_touch(p_import);
  created := 0;
  changed := 0;
  select max(n.number), count(*) into last, seen
    from (select c.number, sum(c.members) over (order by c.number) as members, row_number() over (order by c.number) as place
          from (select s.number, (select count(*) from store.import_members m
                                  where m.import = p_import and m.number = s.number) as members
                from store.import_groups s where s.import = p_import and s.number > p_after
                order by s.number limit p_count) c) n
    where n.members <= 20000 or n.place = 1;
  if last is null then
    return next;
    return;
  end if;
  select coalesce(array_agg(distinct t.user_id) filter (where t.user_id is not null), '{}') into v_users
    from store.import_targets(p_import, p_after + 1, last) t;
  perform store.members_lock(v_users);
  -- Of all of them at once and in order: below they are cleared group by group.
  perform from store.login_state l where l.user_id = any (v_users) order by l.user_id, l.provider for no key update;
  perform from store.users u where u.private_group and u.deleted_at is null
    and u.id in (select i.gid_owner from store.import_groups s join store.posix_ids i on i.id = s.gid
                 where s.import = p_import and s.number > p_after and s.number <= last)
    order by u.id for no key update;
  for v_row in
    select s.* from store.import_groups s where s.import = p_import and s.number > p_after and s.number <= last
    order by s.number
  loop
    -- Hardly any group holds groups: the second walk asks only where one may.
    continue when p_nested and not exists (select from store.import_members m
      where m.import = p_import and m.number = v_row.number and (m.kind <> 'user' or m.dn is not null));
    select coalesce(array_agg(distinct case when p_nested then t.group_id else t.user_id end)
                      filter (where case when p_nested then t.group_id else t.user_id end is not null), '{}')
      into v_members from store.import_targets(p_import, v_row.number, v_row.number) t;
    continue when p_nested and cardinality(v_members) = 0;
    v_outcome := store.import_group_apply(v_row, v_members, p_options, p_audit);
    created := created + (v_outcome = 'created')::int;
    changed := changed + (v_outcome = 'changed')::int;
  end loop;
  return next;
end $$;

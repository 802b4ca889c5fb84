-- Moving in users: what stands against a staged file, and applying it.

-- Everything that stands against applying the staged users behind the record p_after up to p_last. A user who is there with the
-- same name and numbers is no conflict.
create or replace function store.import_users_faults(p_import uuid, p_after bigint, p_last bigint, p_options jsonb)
returns table (number bigint, line bigint, attribute text, value text, reason text)
language plpgsql stable
as $$
#variable_conflict use_column
begin
  return query
    with s as (select r.number, r.line, r.id, r.id_given, r.user_name_key, r.posix_name, r.uid, r.gid, r.private_group
               from store.import_users r where r.import = p_import and r.number > p_after and r.number <= p_last),
    faults as (
      select s.number, s.line, 'userName' as attribute, s.user_name_key as value, 'also on line ' || d.first as reason
        from (select s.user_name_key, min(s.line) as first, min(s.number) as number from s
              group by s.user_name_key having count(*) > 1) d
        join s on s.user_name_key = d.user_name_key and s.number <> d.number
      union all
      select s.number, s.line, 'posixUserName', s.posix_name, 'also on line ' || d.first
        from (select s.posix_name, min(s.line) as first, min(s.number) as number from s
              group by s.posix_name having count(*) > 1) d
        join s on s.posix_name = d.posix_name and s.number <> d.number
      union all
      select s.number, s.line, 'posixUserId', s.uid::text, 'also on line ' || d.first
        from (select s.uid, min(s.line) as first, min(s.number) as number from s where s.uid is not null
              group by s.uid having count(*) > 1) d
        join s on s.uid = d.uid and s.number <> d.number
      union all
      select s.number, s.line, 'userName', s.user_name_key,
             format('there is such a user already, %s with uid %s and gid %s', u.posix_name, u.uid, u.primary_gid)
        from s join store.users u on u.user_name_key = s.user_name_key and u.deleted_at is null
        where u.posix_name <> s.posix_name or u.uid <> s.uid or u.primary_gid <> s.gid
      union all
      select s.number, s.line, 'posixUserName', s.posix_name, format('another user has this name, with uid %s', u.uid)
        from s join store.users u on u.posix_name = s.posix_name and u.deleted_at is null
        where u.user_name_key <> s.user_name_key
      union all
      select s.number, s.line, 'posixUserId', s.uid::text,
             case when i.uid_retired_at is null then 'another user has this uid'
                  else 'it was the uid of a deleted user and is never given again' end
        from s join store.posix_ids i on i.id = s.uid and i.uid_owner is not null
        where not exists (select from store.users u where u.id = i.uid_owner and u.deleted_at is null
                            and u.user_name_key = s.user_name_key)
      union all
      select f.number, f.line, case when f.protected then 'posixUserName' else 'posixUserId' end,
             case when f.protected then f.posix_name else f.uid::text end, f.reason
        from (select s.number, s.line, s.posix_name, s.uid, store.is_protected(s.posix_name, p_options) as protected,
                     store.import_id_fault(s.uid, 'uid', store.is_protected(s.posix_name, p_options)) as reason
              from s where store.is_protected(s.posix_name, p_options) or s.uid not between 0 and 4294967294
                or exists (select from store.id_reserved r where r.hard and r.block @> s.uid)) f
      union all
      -- A primary group need not be there (its file may come later), but nodes refuse a user with a gid that none can have.
      select s.number, s.line, 'posixGroupId', s.gid::text, store.import_id_fault(s.gid, 'gid', false)
        from s where s.gid not between 0 and 4294967294
          or exists (select from store.id_reserved r where r.hard and r.block @> s.gid)
      union all
      select s.number, s.line, 'posixGroupId', s.gid::text, 'it was the gid of a deleted group and is never given again'
        from s join store.posix_ids i on i.id = s.gid and i.gid_retired_at is not null
        where not exists (select from store.users u where u.user_name_key = s.user_name_key and u.deleted_at is null
                            and u.primary_gid = s.gid)
      union all
      select s.number, s.line, 'privateGroup', 'true', 'a private group with a number of its own needs a posixUserId beside it'
        from s where s.private_group and s.gid is not null and s.uid is null
      union all
      -- Two records that would each make a private group of one number: those of which the database knows none yet.
      select w.number, w.line, 'posixGroupId', w.number_of::text, 'it is the private group of the user on line ' || w.first
        from (select s.number, s.line, coalesce(s.gid, s.uid) as number_of,
                     min(s.line) over (partition by coalesce(s.gid, s.uid)) as first,
                     row_number() over (partition by coalesce(s.gid, s.uid) order by s.number) as place,
                     row_number() over (partition by s.uid order by s.number) as uid_place
              from s
              where s.uid is not null and coalesce(s.private_group, s.gid is null or s.gid = s.uid)
                and not exists (select from store.users u where u.user_name_key = s.user_name_key and u.deleted_at is null)
                and not exists (select from store.posix_ids i where i.id = coalesce(s.gid, s.uid)
                                  and i.gid_owner is not null)) w
        where w.place > 1 and w.uid_place = 1
      union all
      select s.number, s.line, 'id', s.id::text, 'another user or group has this id'
        from s left join store.users u on u.id = s.id left join store.groups g on g.id = s.id
        where s.id_given and (g.id is not null or (u.id is not null
          and (u.user_name_key <> s.user_name_key or u.deleted_at is not null))))
    select f.number, f.line, f.attribute, f.value, f.reason from faults f;
end $$;

-- What stands against the staged users, in the order of the file, at most p_limit lines; `total` is how many there are in all.
create or replace function api.import_users_check(p_import uuid, p_options jsonb, p_limit int)
returns table (line bigint, attribute text, value text, reason text, total bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
begin
  perform store.import_touch(p_import);
  analyze store.import_users;
  return query
    select f.line, f.attribute, f.value, f.reason, count(*) over ()
    from store.import_users_faults(p_import, 0, 9223372036854775807, p_options) f
    order by f.line, f.attribute, f.reason limit p_limit;
end $$;

-- The same once more, of the p_count records behind p_after (null: all), when somebody has taken a name or number since: with the number
-- of each record, for api.import_drop, and its name in the reason.
create or replace function api.import_users_recheck(p_import uuid, p_after bigint, p_count int, p_options jsonb, p_limit int)
returns table (number bigint, line bigint, attribute text, value text, reason text, total bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
begin
  perform store.import_touch(p_import);
  return query
    select f.number, f.line, f.attribute, f.value,
           case when f.value = s.posix_name then f.reason else format('%s: %s', s.posix_name, f.reason) end, count(*) over ()
    from store.import_users_faults(p_import, p_after, coalesce(p_after + p_count, 9223372036854775807), p_options) f
      join store.import_users s on s.import = p_import and s.number = f.number
    order by f.number, f.attribute, f.reason limit p_limit;
end $$;

-- How many staged users there are, how many of them exist already, and how many uids lie in a soft block.
create or replace function api.import_users_count(p_import uuid) returns table (rows bigint, present bigint, soft bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
begin
  return query
    select count(*),
           count(*) filter (where exists (select from store.users u where u.user_name_key = s.user_name_key
                                            and u.deleted_at is null)),
           count(*) filter (where exists (select from store.id_reserved r where not r.hard and r.block @> s.uid))
    from store.import_users s where s.import = p_import;
end $$;

-- Creates the staged users among the p_count records behind p_after, those that are there already excepted, with all that belongs to
-- them: one transaction. p_asked: those who bring a uid; the others get one once all those are applied. Returns the last record looked
-- at (null: none is left), how many users were among them and how many were created. Repeating it is harmless. Raises IDDUP when
-- somebody took a name or number after the check, IDFUL, IDNOF (see import_touch).
create or replace function api.import_users_apply(p_import uuid, p_after bigint, p_count int, p_asked boolean,
                                                  p_options jsonb, p_audit jsonb)
returns table (last bigint, seen bigint, created bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set enable_bitmapscan = off set enable_material = off
as $$
#variable_conflict use_column
declare
  v_claimed bigint;
  v_names bigint;
  v_private bigint;
begin
  perform store.import_touch(p_import);
  last := (select max(s.number) from store.import_users s where s.import = p_import and s.number > p_after);
  if last is null then
    seen := 0;
    created := 0;
    return next;
    return;
  end if;
  last := least(last, p_after + p_count);
  seen := (select count(*) from store.import_users s
           where s.import = p_import and s.number > p_after and s.number <= last and (s.uid is not null) = p_asked);
  with batch as materialized (
      -- A private group is taken as one where the file gives uid and gid the same number (the convention of useradd), unless a
      -- group has the number or the name already, or the file itself says otherwise.
      select s.*,
             coalesce(s.private_group, s.gid is null or s.gid is not distinct from s.uid)
               -- Not "exists", for which the planner reads all names.
               and (select n.name from store.posix_group_names n where n.name = s.posix_name) is null
               and (select i.gid_owner from store.posix_ids i where i.id = coalesce(s.gid, s.uid)) is null as owns_group,
             case when p_asked then s.uid
                  else store.id_allocate(s.id, 'user', (p_options->>'uid_start')::bigint, (p_options->>'uid_max')::bigint)
             end as number_of
      from store.import_users s
      where s.import = p_import and s.number > p_after and s.number <= last and (s.uid is not null) = p_asked
        and not exists (select from store.users u where u.user_name_key = s.user_name_key and u.deleted_at is null)),
    numbers as (
      insert into store.posix_ids as i (id, uid_owner, gid_owner, asked, issued_at)
        select b.uid, b.id, case when b.owns_group and coalesce(b.gid, b.uid) = b.uid then b.id end, true, api.now()
        from batch b where p_asked
        on conflict (id) do update set uid_owner = excluded.uid_owner, gid_owner = coalesce(i.gid_owner, excluded.gid_owner)
          where i.uid_owner is null
        returning i.id),
    names as (
      insert into store.posix_group_names (name, owner) select b.posix_name, b.id from batch b where b.owns_group
        on conflict do nothing returning name),
    made as (
      insert into store.users (id, user_name_key, external_id, display_name_key, posix_name, uid, primary_gid,
                               private_group, home, shell, gecos, admin, locked, doc, doc_key, key_version, version,
                               created, last_modified)
        select b.id, b.user_name_key, b.external_id, b.display_name_key, b.posix_name, b.number_of,
               coalesce(b.gid, b.number_of), b.owns_group, coalesce(b.home, store.user_home(b.posix_name, p_options)),
               b.shell, b.gecos, b.admin, b.locked, b.doc, b.doc_key, b.key_version, 1, api.now(), api.now()
        from batch b
        returning users.id),
    emails as (
      insert into store.user_emails (key, user_id)
        select distinct e.key, b.id from batch b cross join lateral jsonb_array_elements_text(b.emails) e(key)
        where b.emails <> '[]'),
    feed as (
      insert into store.change_feed (xid, at, kind, subject)
        select pg_current_xact_id(), api.now(), 'user', b.id from batch b),
    audit as (
      insert into store.audit (at, actor, path, action, resource, subject, request_id, origin, detail)
        select api.now(), p_audit->>'actor', p_audit->>'path', 'create', 'user', b.id, p_audit->>'request_id',
               p_audit->>'origin', jsonb_build_object('uid', b.number_of, 'gid', coalesce(b.gid, b.number_of),
                                                      'posix_name', b.posix_name)
        from batch b)
    select (select count(*) from made), case when p_asked then (select count(*) from numbers)
                                             else (select count(*) from made) end,
           (select count(*) from names), (select count(*) from batch b where b.owns_group)
      into created, v_claimed, v_names, v_private;
  if v_claimed <> created or v_names <> v_private then
    perform store.fail('IDDUP', 'somebody took a name or number meanwhile: start the import again', 'posixUserId');
  end if;
  -- Private groups with another number than their user: a file of our own may have them.
  with wanted as (
      select u.id, u.primary_gid from store.import_users s join store.users u on u.id = s.id
      where s.import = p_import and s.number > p_after and s.number <= last and s.private_group and s.gid <> s.uid
        and u.private_group),
    claimed as (
      insert into store.posix_ids as i (id, gid_owner, asked, issued_at) select w.primary_gid, w.id, true, api.now() from wanted w
        on conflict (id) do update set gid_owner = excluded.gid_owner
          where i.gid_owner is null or i.gid_owner = excluded.gid_owner
        returning i.id)
    select (select count(*) from wanted), (select count(*) from claimed) into v_private, v_claimed;
  if v_claimed <> v_private then
    perform store.fail('IDDUP', 'somebody took the gid of a private group meanwhile: start the import again', 'posixGroupId');
  end if;
  -- Whoever was there before keeps what he has.
  perform store.id_keep(array(select distinct s.gid from store.import_users s join store.users u on u.id = s.id and u.created = api.now()
    where s.import = p_import and s.number > p_after and s.number <= last and s.gid is distinct from s.uid and s.gid is not null
      and (s.uid is not null) = p_asked));
  return next;
end $$;

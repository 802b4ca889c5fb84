-- What the administrators' pages read. Every function gives a page of a bounded size, found by an index; the next page begins
-- behind the last row of the one before.

-- Whose open session this is, now: looked at for every page and every change. No row when the session has ended, or its user
-- is locked or deleted.
create or replace function api.admin_session(p_id_hash bytea)
returns table (user_id uuid, user_name text, posix_name text, admin boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select u.id, u.doc->>'userName', u.posix_name, u.admin
    from store.sessions s join store.users u on u.id = s.user_id
    where s.id_hash = p_id_hash and s.ended_at is null and s.expires_at > api.now() and u.deleted_at is null and not u.locked;
end $$;

-- The next p_limit candidates of one stage of a search behind (p_after, p_after_id): 1 POSIX name, 2 userName, 3 displayName,
-- 4 e-mail address, each beginning with p_prefix (folded; p_name as typed), 5 uid beginning with these digits.
create or replace function store.admin_users_scan(p_stage int, p_prefix text, p_name text, p_after text, p_after_id uuid,
                                                  p_limit int)
returns table (key text, id uuid)
language plpgsql stable
as $$
begin
  case p_stage
    when 1 then
      return query select u.posix_name, u.id from store.users u
        where u.deleted_at is null and u.posix_name >= p_name and u.posix_name < p_name || chr(1114111)
          and u.posix_name > p_after order by u.posix_name limit p_limit;
    when 2 then
      return query select u.user_name_key, u.id from store.users u
        where u.deleted_at is null and u.user_name_key >= p_prefix and u.user_name_key < p_prefix || chr(1114111)
          and u.user_name_key > p_after order by u.user_name_key limit p_limit;
    when 3 then
      return query select u.display_name_key, u.id from store.users u
        where u.deleted_at is null and u.display_name_key >= p_prefix and u.display_name_key < p_prefix || chr(1114111)
          and (u.display_name_key, u.id) > (p_after, p_after_id) order by u.display_name_key, u.id limit p_limit;
    when 4 then
      return query select e.key, e.user_id from store.user_emails e
        where e.key >= p_prefix and e.key < p_prefix || chr(1114111)
          and (e.key, e.user_id) > (p_after, p_after_id) order by e.key, e.user_id limit p_limit;
    else
      -- The numbers that begin with 12: 12, 120 to 129, 1200 to 1299 and so on, each a range of the index.
      if p_prefix !~ '^[1-9][0-9]{0,9}$' then
        return;
      end if;
      return query select n.uid::text, n.id
        from (select p_prefix::bigint * (10 ^ z)::bigint as low, (p_prefix::bigint + 1) * (10 ^ z)::bigint as high
              from generate_series(0, 10 - length(p_prefix)) z) r,
          lateral (select u.uid, u.id from store.users u
                   where u.uid >= r.low and u.uid < r.high and u.uid > coalesce(nullif(p_after, '')::bigint, -1)
                   order by u.uid limit p_limit) n
        order by n.uid limit p_limit;
  end case;
end $$;

-- Whether an earlier stage of the search has told this user already; the names and p_emails are his, p_key is the address at
-- hand. No row of store.users: a function that takes one would come before the table in a dump.
create or replace function store.admin_users_is_told(p_stage int, p_posix_name text, p_user_name_key text,
                                                     p_display_name_key text, p_emails jsonb, p_prefix text, p_name text,
                                                     p_key text) returns boolean
language sql immutable
as $$
  select (p_stage > 1 and starts_with(p_posix_name, p_name))
      or (p_stage > 2 and starts_with(p_user_name_key, p_prefix))
      or (p_stage > 3 and p_display_name_key is not null and starts_with(p_display_name_key, p_prefix))
      or (p_stage > 3 and exists (select from jsonb_array_elements(coalesce(p_emails, '[]')) e
                                  where starts_with(e->>'value', p_prefix)
                                    and (p_stage > 4 or (e->>'value') collate "C" < p_key)))
$$;

-- The live users whose POSIX name, userName, displayName, e-mail address or uid begins with p_prefix, stage by stage, each
-- once: at most p_limit, beginning behind the place (p_stage, p_after, p_after_id) that a row says of itself. An empty prefix
-- lists everybody by POSIX name. Looks at no more than p_scan candidates: a last row without posix_name says where to go on.
create or replace function api.admin_users_find(p_prefix text, p_name text, p_stage int, p_after text, p_after_id uuid,
                                                p_limit int, p_scan int)
returns table (stage int, key text, id uuid, user_name text, display_name text, posix_name text, uid bigint, admin boolean,
               locked boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_place record;
  v_user store.users%rowtype;
  v_looked int := 0;
  v_found int := 0;
begin
  stage := p_stage;
  key := p_after;
  id := p_after_id;
  while stage <= case when p_prefix = '' then 1 else 5 end loop
    for v_place in select * from store.admin_users_scan(stage, p_prefix, p_name, key, id, p_scan - v_looked) loop
      v_looked := v_looked + 1;
      key := v_place.key;
      id := v_place.id;
      select * into v_user from store.users u where u.id = v_place.id and u.deleted_at is null;
      continue when not found or store.admin_users_is_told(stage, v_user.posix_name, v_user.user_name_key,
        v_user.display_name_key, v_user.doc_key->'emails', p_prefix, p_name, key);
      user_name := v_user.doc->>'userName';
      display_name := v_user.doc->>'displayName';
      posix_name := v_user.posix_name;
      uid := v_user.uid;
      admin := v_user.admin;
      locked := v_user.locked;
      return next;
      v_found := v_found + 1;
      if v_found >= p_limit then
        return;
      end if;
    end loop;
    if v_looked >= p_scan then
      posix_name := null;
      return next;
      return;
    end if;
    stage := stage + 1;
    key := '';
    id := '00000000-0000-0000-0000-000000000000';
  end loop;
end $$;

-- The same for groups: 1 displayName, 2 POSIX name, 3 gid.
create or replace function store.admin_groups_scan(p_stage int, p_prefix text, p_name text, p_after text, p_limit int)
returns table (key text, id uuid)
language plpgsql stable
as $$
begin
  case p_stage
    when 1 then
      return query select g.display_name_key, g.id from store.groups g
        where g.deleted_at is null and g.display_name_key >= p_prefix and g.display_name_key < p_prefix || chr(1114111)
          and g.display_name_key > p_after order by g.display_name_key limit p_limit;
    when 2 then
      -- Private groups of users are in here too, and are left out afterwards.
      return query select n.name, n.owner from store.posix_group_names n
        where n.name >= p_name and n.name < p_name || chr(1114111) and n.name > p_after order by n.name limit p_limit;
    else
      if p_prefix !~ '^[1-9][0-9]{0,9}$' then
        return;
      end if;
      return query select n.gid::text, n.id
        from (select p_prefix::bigint * (10 ^ z)::bigint as low, (p_prefix::bigint + 1) * (10 ^ z)::bigint as high
              from generate_series(0, 10 - length(p_prefix)) z) r,
          lateral (select g.gid, g.id from store.groups g
                   where g.gid >= r.low and g.gid < r.high and g.gid > coalesce(nullif(p_after, '')::bigint, -1)
                   order by g.gid limit p_limit) n
        order by n.gid limit p_limit;
  end case;
end $$;

-- The live groups whose displayName, POSIX name or gid begins with p_prefix; otherwise like admin_users_find. An empty prefix
-- lists all by displayName.
create or replace function api.admin_groups_find(p_prefix text, p_name text, p_stage int, p_after text, p_limit int, p_scan int)
returns table (stage int, key text, id uuid, display_name text, posix_name text, gid bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_place record;
  v_group store.groups%rowtype;
  v_looked int := 0;
  v_found int := 0;
begin
  stage := p_stage;
  key := p_after;
  while stage <= case when p_prefix = '' then 1 else 3 end loop
    for v_place in select * from store.admin_groups_scan(stage, p_prefix, p_name, key, p_scan - v_looked) loop
      v_looked := v_looked + 1;
      key := v_place.key;
      id := v_place.id;
      select * into v_group from store.groups g where g.id = v_place.id and g.deleted_at is null;
      continue when not found or (stage > 1 and starts_with(v_group.display_name_key, p_prefix))
        or (stage > 2 and starts_with(v_group.posix_name, p_name));
      display_name := v_group.doc->>'displayName';
      posix_name := v_group.posix_name;
      gid := v_group.gid;
      return next;
      v_found := v_found + 1;
      if v_found >= p_limit then
        return;
      end if;
    end loop;
    if v_looked >= p_scan then
      posix_name := null;
      return next;
      return;
    end if;
    stage := stage + 1;
    key := '';
  end loop;
end $$;

-- The groups that a user or group is in itself, by id, with the provenance of each membership (a set, as
-- store.provenance says it).
create or replace function api.admin_memberships(p_member uuid, p_after uuid, p_limit int)
returns table (id uuid, display_name text, posix_name text, gid bigint, provenance smallint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select g.id, g.doc->>'displayName', g.posix_name, g.gid, m.provenance
    from store.memberships m join store.groups g on g.id = m.group_id
    where m.member_id = p_member and m.group_id > p_after and g.deleted_at is null
    order by m.group_id limit p_limit;
end $$;

-- The members of a group, by id, with provenance; name is the userName or, of a group, its displayName.
create or replace function api.admin_members(p_group uuid, p_after uuid, p_limit int)
returns table (id uuid, is_group boolean, name text, posix_name text, number bigint, locked boolean, provenance smallint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select m.member_id, m.is_group, coalesce(u.doc->>'userName', g.doc->>'displayName'), coalesce(u.posix_name, g.posix_name),
           coalesce(u.uid, g.gid), coalesce(u.locked, false), m.provenance
    from (select s.member_id, s.is_group, s.provenance from store.memberships s
          where s.group_id = p_group and s.member_id > p_after order by s.member_id limit p_limit) m
      left join store.users u on u.id = m.member_id and not m.is_group
      left join store.groups g on g.id = m.member_id and m.is_group
    order by m.member_id;
end $$;

-- How many members a group has, counted no further than p_most.
create or replace function api.admin_members_count(p_group uuid, p_most int) returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return (select count(*) from (select from store.memberships m where m.group_id = p_group limit p_most) c);
end $$;

-- The open sessions of a user, counted no further than 1,000, and when the last of them was used.
create or replace function api.admin_user_sessions(p_id uuid) returns table (number bigint, last_seen timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select count(*), max(s.last_seen)
    from (select o.last_seen from store.sessions o
          where o.user_id = p_id and o.ended_at is null and o.expires_at > api.now() limit 1000) s;
end $$;

-- Tokens that are not revoked, without those that OAuth 2.0 lent: newest first, behind (p_before, p_before_id); or the one
-- that p_public_id names. failed: how many of its last requests, as many as are kept, were refused. Read in one go: a site
-- has dozens, and this table no index that would serve.
create or replace function api.admin_tokens(p_public_id text, p_before timestamptz, p_before_id text, p_limit int)
returns table (public_id text, name text, scopes text[], dialect text, created timestamptz, created_by text,
               expires_at timestamptz, last_used_at timestamptz, last_used_from text, failed bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select t.public_id, t.name, t.scopes, t.dialect, t.created, t.created_by, t.expires_at, t.last_used_at, t.last_used_from,
           (select count(*) from store.scim_requests s where s.token = t.public_id and s.status >= 400)
    from (select * from store.tokens o
          where o.parent is null and o.revoked_at is null and (p_public_id is null or o.public_id = p_public_id)
            and (p_before is null or (o.created, o.public_id) < (p_before, p_before_id))
          order by o.created desc, o.public_id desc limit p_limit) t
    order by t.created desc, t.public_id desc;
end $$;

-- The last p_each refused requests of each of the first p_tokens tokens that have any requests noted, newest first. An access token of
-- OAuth 2.0 has the name of the token that lent it.
create or replace function api.admin_failed_pushes(p_tokens int, p_each int)
returns table (token text, token_name text, at timestamptz, method text, target text, status smallint, scim_type text,
               detail text, request_id text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_tokens text[] := '{}';
  v_token text := '';
begin
  -- From one token to the next by the index, however many requests lie between.
  while cardinality(v_tokens) < p_tokens loop
    select min(s.token) into v_token from store.scim_requests s where s.token > v_token;
    exit when v_token is null;
    v_tokens := v_tokens || v_token;
  end loop;
  return query
    select n.token, coalesce(p.name, t.name), f.at, f.method, f.target, f.status, f.scim_type, f.detail, f.request_id
    from unnest(v_tokens) n(token)
      cross join lateral (select s.* from store.scim_requests s where s.token = n.token and s.status >= 400
                          order by s.id desc limit p_each) f
      left join store.tokens t on t.public_id = n.token
      left join store.tokens p on p.public_id = t.parent
    order by f.at desc;
end $$;

-- How many there are: p_counted up to a thousand, else what PostgreSQL estimates of the table, which may not have looked yet.
create or replace function store.count_or_estimate(p_table regclass, p_counted bigint) returns bigint
language sql stable
as $$
  select case when p_counted <= 1000 then p_counted else greatest(c.reltuples::bigint, p_counted) end
  from pg_catalog.pg_class c where c.oid = p_table
$$;

-- What the overview says of the database; users and groups are counted up to a thousand, above that PostgreSQL's own estimates.
create or replace function api.admin_database() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return jsonb_build_object(
    'server_version', current_setting('server_version'),
    'in_recovery', pg_is_in_recovery(),
    'synchronous_commit', current_setting('synchronous_commit'),
    'synchronous_standby_names', current_setting('synchronous_standby_names'),
    'epoch', (select e.epoch from store.id_epoch e),
    'users', store.count_or_estimate('store.users',
      (select count(*) from (select u.id from store.users u where u.deleted_at is null order by u.id limit 1001) u)),
    'groups', store.count_or_estimate('store.groups',
      (select count(*) from (select g.id from store.groups g where g.deleted_at is null order by g.id limit 1001) g)));
end $$;

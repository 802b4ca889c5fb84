-- What has happened to one user, from everywhere that knows.

-- A time line of the user p_id since p_since, oldest first: changes of himself and of memberships (audit log), requests that
-- name him (SCIM log), his last sign-in and sessions. Of more than p_limit entries the newest are given. The user may be deleted.
create or replace function api.user_history(p_id uuid, p_since timestamptz, p_limit int)
returns table (at timestamptz, source text, what text, actor text, request_id text, detail jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_keys text[] := array(select u.user_name_key from store.users u where u.id = p_id);
  v_creating text[] := store.requests_creating(p_id);
begin
  return query
    select e.* from (
      select a.at, a.path as source, a.action || ' ' || a.resource as what, a.actor, a.request_id, a.detail
        from store.audit a where a.subject = p_id and a.at >= p_since
      union all
      select a.at, a.path, case when a.detail->'removed' ? p_id::text then 'leaves group ' else 'joins group ' end
               || coalesce(g.posix_name, a.subject::text), a.actor, a.request_id,
             jsonb_strip_nulls(jsonb_build_object('group', a.subject, 'gid', g.gid))
        from store.audit a left join store.groups g on g.id = a.subject
        where a.resource = 'group' and a.at >= p_since
          and (a.detail->'added' ? p_id::text or a.detail->'removed' ? p_id::text)
      union all
      select r.at, 'scim', r.method || ' ' || r.status, coalesce(t.name, r.token), r.request_id,
             jsonb_strip_nulls(jsonb_build_object('target', r.target, 'scimType', r.scim_type, 'detail', r.detail))
        from store.scim_requests r left join store.tokens t on t.public_id = r.token
        where r.at >= p_since and (strpos(r.target, p_id::text) > 0 or r.method = 'POST' and (
          store.request_names(r.body, v_keys) or r.request_id = any (v_creating)))
      union all
      select s.at, 'login', 'last sign-in', null, null, '{}' from store.sign_ins s where s.user_id = p_id and s.at >= p_since
      union all
      select s.created, 'login', 'session begins', s.provider, null, '{}' from store.sessions s
        where s.user_id = p_id and s.created >= p_since
      union all
      select s.ended_at, 'login', 'session ends', s.provider, null, '{}' from store.sessions s
        where s.user_id = p_id and s.ended_at >= p_since
      order by 1 desc limit least(p_limit, 10000)) e
    order by 1;
end $$;

-- The id of whoever has or had this userName key or POSIX name last: the living before the deleted.
create or replace function api.user_find_former(p_user_name_key text, p_posix_name text) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(api.user_find(p_user_name_key, p_posix_name),
    (select u.id from store.users u where u.deleted_at is not null
       and (u.user_name_key = p_user_name_key or u.posix_name = p_posix_name) order by u.deleted_at desc limit 1));
end $$;

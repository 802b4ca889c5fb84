-- The last requests of each token, so that `rollcall scim log` can say why a push failed.

-- Appends a batch (already redacted) and keeps the newest p_keep of each token in it.
create or replace function api.requests_note(p_requests jsonb, p_keep int) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into store.scim_requests (token, at, request_id, method, target, status, scim_type, detail, duration_us, body)
    select r->>'token', (r->>'at')::timestamptz, r->>'request_id', r->>'method', r->>'target', (r->>'status')::smallint,
           r->>'scim_type', r->>'detail', (r->>'duration_us')::bigint, r->>'body'
    from jsonb_array_elements(p_requests) r;
  delete from store.scim_requests s
    using (select distinct r->>'token' as token from jsonb_array_elements(p_requests) r) t
    where s.token = t.token
      and s.id <= (select o.id from store.scim_requests o where o.token = t.token order by o.id desc offset p_keep limit 1);
end $$;

-- The last requests, newest first. p_filter: token (public id or name), failed (true: refused ones alone), status, user (an id that is part
-- of the target), since, until, after (an id, exclusive).
create or replace function api.requests_find(p_filter jsonb, p_limit int)
returns table (id bigint, token text, token_name text, at timestamptz, request_id text, method text, target text,
               status smallint, scim_type text, detail text, duration_us bigint, body text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v record;
begin
  select f.* into v from jsonb_to_record(p_filter) as f(token text, failed boolean, status int, "user" uuid,
    since timestamptz, until timestamptz, after bigint);
  return query
    select s.id, s.token, t.name, s.at, s.request_id, s.method, s.target, s.status, s.scim_type, s.detail, s.duration_us,
           s.body
    from store.scim_requests s left join store.tokens t on t.public_id = s.token
    where (v.token is null or s.token = v.token or t.name = v.token)
      and (v.failed is not true or s.status >= 400)
      and (v.status is null or s.status = v.status)
      and (v."user" is null or strpos(s.target, v."user"::text) > 0)
      and (v.since is null or s.at >= v.since)
      and (v.until is null or s.at < v.until)
      and (v.after is null or s.id > v.after)
    order by s.id desc
    limit least(p_limit, 10000);
end $$;

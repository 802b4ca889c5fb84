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

-- The last requests, newest first. p_token: a token's public id or name (null: all); p_failed: refused ones only.
create or replace function api.requests_list(p_token text, p_failed boolean, p_limit int)
returns table (id bigint, token text, token_name text, at timestamptz, request_id text, method text, target text,
               status smallint, scim_type text, detail text, duration_us bigint, body text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select s.id, s.token, t.name, s.at, s.request_id, s.method, s.target, s.status, s.scim_type, s.detail, s.duration_us,
           s.body
    from store.scim_requests s left join store.tokens t on t.public_id = s.token
    where (p_token is null or s.token = p_token or t.name = p_token) and (not p_failed or s.status >= 400)
    order by s.id desc
    limit least(p_limit, 10000);
end $$;

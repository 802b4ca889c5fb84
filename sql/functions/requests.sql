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

-- Whether the shape of a refused request's body carries the mark of one of these userName keys: "userName":"(N characters, SALT-HASH)", where
-- HASH is the first 8 bytes of the SHA-256 over salt and key.
create or replace function store.request_names(p_body text, p_keys text[]) returns boolean
language sql immutable
as $$
  select coalesce(split_part(m.mark, '-', 2) = any (
    select left(encode(sha256(convert_to(split_part(m.mark, '-', 1) || k.key, 'UTF8')), 'hex'), 16) from unnest(p_keys) k(key)), false)
  from (select substring(p_body from '(?i)"username":"\([0-9]+ characters, ([0-9a-f]{8}-[0-9a-f]{16})\)"') as mark) m
$$;

-- The requests that created this user: what was answered says so, not what was named.
create or replace function store.requests_creating(p_user uuid) returns text[]
language sql stable
as $$
  select array(select a.request_id from store.audit a
    where a.subject = p_user and a.action = 'create' and a.path = 'scim' and a.request_id is not null)
$$;

-- The last requests, newest first. p_filter: token (public id or name), failed (true: refused ones alone), succeeded (true: the others
-- alone), status, user (an id: requests whose target has it, that created him, or that were refused and name him), user_name_key (folded:
-- those that were refused and name it), since, until, after and before (ids, exclusive).
create or replace function api.requests_find(p_filter jsonb, p_limit int)
returns table (id bigint, token text, token_name text, at timestamptz, request_id text, method text, target text,
               status smallint, scim_type text, detail text, duration_us bigint, body text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v record;
  v_keys text[];
  v_creating text[];
begin
  select f.* into v from jsonb_to_record(p_filter) as f(token text, failed boolean, succeeded boolean, status int,
    "user" uuid, user_name_key text,
    since timestamptz, until timestamptz, after bigint, before bigint);
  v_keys := array[v.user_name_key, (select u.user_name_key from store.users u where u.id = v."user")];
  v_creating := store.requests_creating(v."user");
  return query
    select s.id, s.token, t.name, s.at, s.request_id, s.method, s.target, s.status, s.scim_type, s.detail, s.duration_us,
           s.body
    from store.scim_requests s left join store.tokens t on t.public_id = s.token
    where (v.token is null or s.token = v.token or t.name = v.token)
      and (v.failed is not true or s.status >= 400)
      and (v.succeeded is not true or s.status < 400)
      and (v.status is null or s.status = v.status)
      and (v."user" is null and v.user_name_key is null or strpos(s.target, v."user"::text) > 0
           or s.method = 'POST' and (store.request_names(s.body, v_keys) or s.request_id = any (v_creating)))
      and (v.since is null or s.at >= v.since)
      and (v.until is null or s.at < v.until)
      and (v.after is null or s.id > v.after)
      and (v.before is null or s.id < v.before)
    order by s.id desc
    limit least(p_limit, 10000);
end $$;

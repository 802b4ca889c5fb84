-- Sessions, and the sign-ins under way that become sessions: shared by all replicas, so that none needs sticky cookies.

-- Remembers a sign-in under way. p_detail: what its end needs (nonce, verifier, request id, return path).
create or replace function api.login_begin(p_state_hash bytea, p_browser_hash bytea, p_provider text, p_detail jsonb,
                                           p_seconds int) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into store.login_transactions (state_hash, browser_hash, provider, detail, expires_at)
    values (p_state_hash, p_browser_hash, p_provider, p_detail, api.now() + make_interval(secs => p_seconds));
end $$;

-- Takes a sign-in under way away, whoever's it is: single use, and an attempt from another browser uses it up too.
-- Returns its detail; null when there is none, it is another provider's or browser's, or it is too old.
create or replace function api.login_finish(p_state_hash bytea, p_browser_hash bytea, p_provider text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_row store.login_transactions%rowtype;
begin
  delete from store.login_transactions t where t.state_hash = p_state_hash returning * into v_row;
  if v_row.browser_hash = p_browser_hash and v_row.provider = p_provider and v_row.expires_at > api.now() then
    return v_row.detail;
  end if;
  return null;
end $$;

-- Marks an assertion as used until p_expires_at. False when it was used before.
create or replace function api.assertion_use(p_issuer text, p_assertion_id text, p_expires_at timestamptz) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into store.assertions_used (issuer, assertion_id, expires_at)
    values (p_issuer, p_assertion_id, p_expires_at) on conflict do nothing;
  return found;
end $$;

-- Opens a session of a live, unlocked user; false when he is not. Locks: his row (share), so that a lock of the user that
-- is under way either sees the session and ends it, or is seen here.
create or replace function api.session_create(p_id_hash bytea, p_user uuid, p_provider text, p_subject text,
                                              p_provider_session text, p_seconds int) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform from store.users u where u.id = p_user and u.deleted_at is null and not u.locked for share;
  if not found then
    return false;
  end if;
  insert into store.sessions (id_hash, user_id, provider, subject, provider_session, created, last_seen, expires_at)
    values (p_id_hash, p_user, p_provider, p_subject, p_provider_session, api.now(), api.now(),
            api.now() + make_interval(secs => p_seconds));
  return true;
end $$;

-- A session that has not ended, with what the forward-auth answer says of its user; no row when there is none.
create or replace function api.session_get(p_id_hash bytea)
returns table (user_id uuid, posix_name text, uid bigint, provider text, last_seen timestamptz, expires_at timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select s.user_id, u.posix_name, u.uid, s.provider, s.last_seen, s.expires_at
    from store.sessions s join store.users u on u.id = s.user_id
    where s.id_hash = p_id_hash and s.ended_at is null and s.expires_at > api.now()
      and u.deleted_at is null and not u.locked;
end $$;

-- The version of the ends, for replicas to poll.
create or replace function api.session_version() returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return (select s.version from store.session_state s);
end $$;

-- The sessions that ended after version p_after.
create or replace function api.session_ends(p_after bigint) returns table (id_hash bytea, version bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select s.id_hash, s.end_version from store.sessions s
    where s.end_version > p_after and s.ended_at is not null
    order by s.end_version;
end $$;

-- Ends sessions: one (p_id_hash), or all of a user, or those of a provider's subject or its session (back-channel logout).
-- Null parameters do not narrow; all null ends nothing. Returns how many. Locks: store.session_state when there are any.
create or replace function api.session_end(p_id_hash bytea, p_user uuid, p_provider text, p_subject text,
                                           p_provider_session text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_ids bytea[];
  v_version bigint;
  v_count bigint;
begin
  if p_id_hash is null and p_user is null and (p_provider is null or (p_subject is null and p_provider_session is null)) then
    return 0;
  end if;
  v_ids := array(select s.id_hash from store.sessions s
    where s.ended_at is null and (p_id_hash is null or s.id_hash = p_id_hash) and (p_user is null or s.user_id = p_user)
      and (p_provider is null or s.provider = p_provider) and (p_subject is null or s.subject = p_subject)
      and (p_provider_session is null or s.provider_session = p_provider_session));
  if cardinality(v_ids) = 0 then
    return 0;
  end if;
  update store.session_state set version = version + 1 returning version into v_version;
  update store.sessions s set ended_at = api.now(), end_version = v_version
    where s.id_hash = any (v_ids) and s.ended_at is null;
  get diagnostics v_count = row_count;
  return v_count;
end $$;

-- Notes when sessions were used last: a batch. p_uses: [{"id_hash" (hex), "at"}].
create or replace function api.session_touch(p_uses jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform from store.sessions s
    where s.id_hash in (select decode(n->>'id_hash', 'hex') from jsonb_array_elements(p_uses) n)
    order by s.id_hash for no key update;
  update store.sessions s set last_seen = n.at
    from (select decode(x->>'id_hash', 'hex') as id_hash, (x->>'at')::timestamptz as at from jsonb_array_elements(p_uses) x) n
    where s.id_hash = n.id_hash and s.last_seen < n.at;
end $$;

-- Deletes what is over: sign-ins, used assertions and sessions past their time. Small batches.
create or replace function store.logins_tidy() returns bigint
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_count bigint := 0;
  v_rows bigint;
begin
  delete from store.login_transactions t where t.state_hash in
    (select o.state_hash from store.login_transactions o where o.expires_at < api.now() limit 10000);
  get diagnostics v_rows = row_count;
  v_count := v_count + v_rows;
  delete from store.assertions_used a where (a.issuer, a.assertion_id) in
    (select o.issuer, o.assertion_id from store.assertions_used o where o.expires_at < api.now() limit 10000);
  get diagnostics v_rows = row_count;
  v_count := v_count + v_rows;
  delete from store.sessions s where s.id_hash in
    (select o.id_hash from store.sessions o where o.expires_at < api.now() - interval '1 hour' limit 10000);
  get diagnostics v_rows = row_count;
  return v_count + v_rows;
end $$;

-- Ends the sessions of a user who was locked, deleted or renamed, in the same transaction.
create or replace function store.users_end_sessions() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  perform api.session_end(null, new.id, null, null, null);
  return null;
end $$;

do $$
begin
  -- Making it anew at each migration would lock the table for nothing.
  if not exists (select from pg_catalog.pg_trigger t where t.tgname = 'users_end_sessions'
                 and t.tgrelid = 'store.users'::regclass) then
    create trigger users_end_sessions after update of locked, deleted_at, posix_name on store.users
      for each row
      when ((new.locked and not old.locked) or (new.deleted_at is not null and old.deleted_at is null)
            or new.posix_name <> old.posix_name)
      execute function store.users_end_sessions();
  end if;
end $$;

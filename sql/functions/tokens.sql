-- Bearer tokens: the secret itself is never here, only its SHA-256. Every change moves store.token_state.version.

-- Notes that tokens have changed. Its row lock makes the order of versions the order of commits.
create or replace function store.token_state_move() returns void
language plpgsql
as $$
begin
  update store.token_state set version = version + 1;
end $$;

-- Stores a new token. p_token: public_id, name, secret_hash (hex), scopes, dialect, expires_at, parent.
-- Raises IDDUP (public id in use), IDVAL.
create or replace function api.token_create(p_token jsonb, p_audit jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into store.tokens (public_id, name, secret_hash, scopes, dialect, parent, created, created_by, expires_at)
  values (p_token->>'public_id', p_token->>'name', decode(p_token->>'secret_hash', 'hex'),
          array(select jsonb_array_elements_text(p_token->'scopes')), coalesce(p_token->>'dialect', 'strict'),
          p_token->>'parent', api.now(), coalesce(p_audit->>'actor', 'unknown'), (p_token->>'expires_at')::timestamptz);
  perform store.token_state_move();
  -- An access token is a loan of its parent, hundreds a day: its parent's row is the one worth a line in the log.
  if p_token->>'parent' is null then
    perform store.audit_write(p_audit, 'create', 'token', null, jsonb_build_object('token', p_token->>'public_id',
      'scopes', p_token->'scopes', 'expires_at', p_token->>'expires_at'));
  end if;
end $$;

-- The version of the token table, for replicas to poll.
create or replace function api.token_version() returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return (select s.version from store.token_state s);
end $$;

-- All tokens that are neither revoked nor expired for longer than a day, with their parents' state applied.
create or replace function api.token_list(p_with_access_tokens boolean)
returns table (public_id text, name text, secret_hash bytea, scopes text[], dialect text, parent text, created timestamptz,
               created_by text, expires_at timestamptz, last_used_at timestamptz, last_used_from text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select t.public_id, t.name, t.secret_hash, t.scopes, t.dialect, t.parent, t.created, t.created_by,
           case when t.parent is null then t.expires_at else least(t.expires_at, p.expires_at) end,
           t.last_used_at, t.last_used_from
    from store.tokens t left join store.tokens p on p.public_id = t.parent
    where t.revoked_at is null and p.revoked_at is null
      and (t.parent is null or (p_with_access_tokens and t.expires_at > api.now()))
    order by t.created, t.public_id;
end $$;

-- Revokes by name or public id (null: all), and with them the access tokens they gave. Returns the public ids.
create or replace function api.token_revoke(p_name text, p_audit jsonb) returns setof text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_id text;
begin
  for v_id in
    update store.tokens t set revoked_at = api.now()
    where t.revoked_at is null and t.parent is null and (p_name is null or t.name = p_name or t.public_id = p_name)
    returning t.public_id
  loop
    perform store.audit_write(p_audit, 'revoke', 'token', null, jsonb_build_object('token', v_id));
    return next v_id;
  end loop;
  perform store.token_state_move();
end $$;

-- Notes when and from where tokens were used: a batch, written by replicas of role `all` every few seconds.
-- p_uses: [{"public_id", "at", "from"}].
create or replace function api.token_touch(p_uses jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update store.tokens t set last_used_at = u.at, last_used_from = u.origin
  from (select x->>'public_id' as public_id, (x->>'at')::timestamptz as at, x->>'from' as origin
        from jsonb_array_elements(p_uses) x) u
  where t.public_id = u.public_id and (t.last_used_at is null or t.last_used_at < u.at);
end $$;

-- Sign-in: what replicas must share so that one can finish what another began, and end what another let in.

-- A sign-in under way (state, nonce, PKCE verifier, SAML request id, return path): single use, ten minutes.
create table store.login_transactions (
  state_hash bytea primary key check (length(state_hash) = 32),
  browser_hash bytea not null check (length(browser_hash) = 32),
  provider text not null,
  detail jsonb not null,
  expires_at timestamptz not null
);

create index login_transactions_expires_at on store.login_transactions (expires_at);

-- Assertions that were used, for as long as they could be used again.
create table store.assertions_used (
  issuer text collate "C" not null,
  assertion_id text collate "C" not null,
  expires_at timestamptz not null,
  primary key (issuer, assertion_id)
);

create index assertions_used_expires_at on store.assertions_used (expires_at);

-- Sessions by the hash of their id. Ended ones stay until their lifetime is over, so that every replica hears of the end.
create table store.sessions (
  id_hash bytea primary key check (length(id_hash) = 32),
  user_id uuid not null,
  provider text not null,
  subject text,
  provider_session text,
  created timestamptz not null,
  last_seen timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  end_version bigint,
  constraint sessions_end_has_a_version check ((ended_at is null) = (end_version is null))
);

create index sessions_user on store.sessions (user_id) where ended_at is null;
create index sessions_provider_subject on store.sessions (provider, subject) where ended_at is null;
create index sessions_end_version on store.sessions (end_version) where ended_at is not null;
create index sessions_expires_at on store.sessions (expires_at);

-- Its row lock orders the ends, so that a replica that has seen version n has seen all before it.
create table store.session_state (
  only_row boolean primary key default true check (only_row),
  version bigint not null
);
insert into store.session_state (version) values (1);

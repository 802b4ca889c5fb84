-- The private tables. Nothing outside the schema `api` is part of the contract; see sql/README.md.
-- No foreign keys: every write goes through a function that keeps the rows together, and api.check_invariants() counts
-- what such a function may have missed. They were the dearest part of a first login (sql/README.md).

create schema if not exists store;
create schema if not exists api;

-- ---------------------------------------------------------------- numbers

create sequence store.uid_seq as bigint minvalue 0 start 1000 cache 1;
create sequence store.gid_seq as bigint minvalue 0 start 1000 cache 1;

-- One row per number ever issued. Each number has two sides, so that a site may move in with uid 10001 and an unrelated
-- gid 10001; the allocator itself takes only numbers of which both sides are free. Rows are never deleted.
create table store.posix_ids (
  id bigint primary key check (id between 0 and 4294967294),
  uid_owner uuid,
  gid_owner uuid,
  asked boolean not null,
  issued_at timestamptz not null,
  uid_retired_at timestamptz,
  gid_retired_at timestamptz,
  constraint posix_ids_has_an_owner check (uid_owner is not null or gid_owner is not null)
);

create table store.id_reserved (
  block int8range not null,
  hard boolean not null,
  reason text not null,
  constraint id_reserved_blocks_do_not_overlap exclude using gist (block with &&)
);

insert into store.id_reserved (block, hard, reason) values
  ('[0,1000)', true, 'system accounts'),
  ('[60001,65536)', true, 'systemd: homes, mapped hosts, dynamic users, nobody and the 16-bit -1'),
  ('[65536,524288)', false, 'subordinate ids of login.defs, sssd'),
  ('[524288,1879048192)', false, 'containers and sssd'),
  ('[2147352576,4294967296)', true, 'systemd foreign ids, 2^31 and above, -1');

-- Which history of the database the sequences were last seen in; when it has moved they jump (functions/ids.sql).
create table store.id_epoch (
  only_row boolean primary key default true check (only_row),
  timeline text not null,
  system_identifier bigint not null,
  epoch bigint not null
);

-- ---------------------------------------------------------------- users and groups

create table store.users (
  id uuid primary key,
  user_name_key text collate "C" not null,
  external_id text collate "C",
  display_name_key text collate "C",
  posix_name text collate "C" not null,
  uid bigint not null,
  primary_gid bigint not null,
  private_group boolean not null,
  home text collate "C" not null,
  shell text collate "C",
  gecos text not null,
  admin boolean not null,
  locked boolean not null,
  doc jsonb not null,
  doc_key jsonb not null,
  key_version smallint not null,
  version bigint not null,
  created timestamptz not null,
  last_modified timestamptz not null,
  deleted_at timestamptz
) with (fillfactor = 90);

create unique index users_user_name_key on store.users (user_name_key) where deleted_at is null;
create unique index users_posix_name on store.users (posix_name) where deleted_at is null;
create unique index users_uid on store.users (uid);
create index users_external_id on store.users (external_id) where external_id is not null;
create index users_display_name_key on store.users (display_name_key) where deleted_at is null;
create index users_last_modified on store.users (last_modified, id) where deleted_at is null;
create index users_deleted on store.users (user_name_key) where deleted_at is not null;
create index users_deleted_posix_name on store.users (posix_name) where deleted_at is not null;

-- One row per folded e-mail address of a live user: the index behind `emails.value eq`.
create table store.user_emails (
  key text collate "C" not null,
  user_id uuid not null,
  primary key (key, user_id)
);

create table store.groups (
  id uuid primary key,
  display_name_key text collate "C" not null,
  external_id text collate "C",
  posix_name text collate "C" not null,
  gid bigint not null,
  doc jsonb not null,
  doc_key jsonb not null,
  key_version smallint not null,
  version bigint not null,
  created timestamptz not null,
  last_modified timestamptz not null,
  deleted_at timestamptz
) with (fillfactor = 80);

create unique index groups_display_name_key on store.groups (display_name_key) where deleted_at is null;
create unique index groups_gid on store.groups (gid);
create index groups_external_id on store.groups (external_id) where external_id is not null;
create index groups_deleted_posix_name on store.groups (posix_name) where deleted_at is not null;
create index groups_last_modified on store.groups (last_modified, id) where deleted_at is null;

-- One name space for the groups of the identity provider and the private groups of users.
create table store.posix_group_names (
  name text collate "C" primary key,
  owner uuid not null
);

-- provenance: a set of 1 = scim, 2 = login, 4 = manual.
create table store.memberships (
  group_id uuid not null,
  member_id uuid not null,
  is_group boolean not null,
  provenance smallint not null check (provenance between 1 and 7),
  primary key (group_id, member_id) include (is_group)
);

create index memberships_member on store.memberships (member_id) include (group_id);

-- Groups in groups are rare: these two stay tiny, and make looking for them free.
create index memberships_nested_up on store.memberships (member_id, group_id) where is_group;
create index memberships_nested_down on store.memberships (group_id, member_id) where is_group;

-- ---------------------------------------------------------------- sign-in

-- What the last applied assertion of a provider said; claims_hash is cleared by every other writer of the user.
create table store.login_state (
  user_id uuid not null,
  provider text not null,
  subject text,
  claims_hash bytea,
  claims_at timestamptz not null,
  primary key (user_id, provider)
);

create table store.sign_ins (
  user_id uuid primary key,
  at timestamptz not null
);

-- ---------------------------------------------------------------- tokens

create table store.tokens (
  public_id text collate "C" primary key,
  name text not null,
  secret_hash bytea not null check (length(secret_hash) = 32),
  scopes text[] not null check (cardinality(scopes) > 0),
  dialect text not null,
  parent text collate "C",
  created timestamptz not null,
  created_by text not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  last_used_from text
);

create index tokens_parent on store.tokens (parent) where parent is not null;

-- Its row lock orders every change of a token, so that a replica that has seen version n has seen all before it.
create table store.token_state (
  only_row boolean primary key default true check (only_row),
  version bigint not null
);
insert into store.token_state (version) values (1);

-- ---------------------------------------------------------------- what happened

create table store.audit (
  id bigint generated always as identity,
  at timestamptz not null,
  actor text not null,
  path text not null,
  action text not null,
  resource text not null,
  subject uuid,
  request_id text,
  origin text,
  detail jsonb not null,
  primary key (id, at)
) partition by range (at);

create index audit_subject on store.audit (subject, id);

-- Never refuses a row: a month whose partition was not made ahead lands here.
create table store.audit_default partition of store.audit default;

create table store.change_feed (
  id bigint generated always as identity primary key,
  xid xid8 not null,
  at timestamptz not null,
  kind text not null,
  subject uuid not null,
  members uuid[]
);

-- Up to where the feed has been cut off: an older cursor must start afresh.
create table store.feed_state (
  only_row boolean primary key default true check (only_row),
  cut_to bigint not null
);
insert into store.feed_state (cut_to) values (0);

-- Deletions and deactivations of the last hours, for the brake.
create table store.removals (
  actor text not null,
  at timestamptz not null,
  subject uuid not null
);

create index removals_actor on store.removals (actor, at);

-- The last requests of each token, redacted.
create table store.scim_requests (
  id bigint generated always as identity primary key,
  token text collate "C" not null,
  at timestamptz not null,
  request_id text not null,
  method text not null,
  target text not null,
  status smallint not null,
  scim_type text,
  detail text,
  duration_us bigint not null,
  body text
);

create index scim_requests_token on store.scim_requests (token, id);

-- The hash of the functions and grants that were applied last.
create table store.functions_state (
  only_row boolean primary key default true check (only_row),
  hash text not null,
  applied_at timestamptz not null
);

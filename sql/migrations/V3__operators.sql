-- What operators need: first where the rows of an import wait until the whole file has been looked at. Unlogged: what a crash loses is read again.

create unlogged table store.imports (
  id uuid primary key,
  actor text not null,
  touched timestamptz not null
);

-- number: the how-manieth record of the file it is; line: where in the file a person finds it.
create unlogged table store.import_users (
  import uuid not null,
  number bigint not null,
  line bigint not null,
  id uuid not null,
  id_given boolean not null,
  user_name_key text collate "C" not null,
  external_id text collate "C",
  display_name_key text collate "C",
  posix_name text collate "C" not null,
  uid bigint,
  gid bigint,
  private_group boolean,
  home text collate "C",
  shell text collate "C",
  gecos text not null,
  admin boolean not null,
  locked boolean not null,
  doc jsonb not null,
  doc_key jsonb not null,
  key_version smallint not null,
  emails jsonb,
  primary key (import, number)
);

create unlogged table store.import_groups (
  import uuid not null,
  number bigint not null,
  line bigint not null,
  id uuid not null,
  id_given boolean not null,
  display_name_key text collate "C" not null,
  external_id text collate "C",
  posix_name text collate "C" not null,
  gid bigint,
  doc jsonb not null,
  doc_key jsonb not null,
  key_version smallint not null,
  primary key (import, number)
);

create index import_groups_posix_name on store.import_groups (import, posix_name);
create index import_groups_id on store.import_groups (import, id);

-- kind: 'user' and 'group' by POSIX name, 'id' by SCIM id. dn: when the file names the member so, looked up first.
create unlogged table store.import_members (
  import uuid not null,
  number bigint not null,
  kind text not null,
  value text collate "C" not null,
  dn text collate "C"
);

create index import_members_number on store.import_members (import, number);

-- Which account a distinguished name of the file stands for.
create unlogged table store.import_names (
  import uuid not null,
  dn text collate "C" not null,
  kind text not null,
  name text collate "C" not null,
  primary key (import, dn)
);

-- While it lasts, this many deletions and deactivations an hour are let through for an actor instead of what the setting says
-- (0: any number).
create table store.brake_overrides (
  actor text primary key,
  removal_limit bigint not null check (removal_limit >= 0),
  until timestamptz not null
);

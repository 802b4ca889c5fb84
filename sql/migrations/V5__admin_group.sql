-- The group that mirrors admin = true, when the service has one; Workbench reads its administrators from a POSIX group.
create table store.admin_group (
  one boolean primary key default true check (one),
  group_id uuid not null
);

-- Who is to be in it, found without looking at everybody.
create index users_admin on store.users (id) where admin and deleted_at is null;

-- A primary group may come after its users. Until then the ledger keeps its gid, owned by nobody on either side: the allocator passes
-- over it, and whoever asks for the number by name gets it.
alter table store.posix_ids drop constraint posix_ids_has_an_owner;
insert into store.posix_ids (id, asked, issued_at)
  select distinct u.primary_gid, true, now() from store.users u where u.deleted_at is null
  on conflict do nothing;

-- Whose primary group a group is: asked before it is deleted. Private groups are their users' own.
create index users_primary_gid on store.users (primary_gid) where deleted_at is null and not private_group;

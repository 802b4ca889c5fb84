-- As V11, for users who are deleted: each can be restored, and then has the primary gid of before.
insert into store.posix_ids (id, asked, issued_at)
  select distinct u.primary_gid, true, now() from store.users u where u.deleted_at is not null
  on conflict do nothing;

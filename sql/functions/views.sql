-- The read views that searches run on, the only relations of the contract, and what functions share.

create or replace view api.users with (security_barrier = false) as
  select u.id, u.user_name_key, u.display_name_key, u.external_id, u.posix_name, u.uid, u.primary_gid, u.home, u.shell,
         u.admin, u.locked, u.created, u.last_modified, u.version, s.at as last_sign_in, u.doc, u.doc_key
  from store.users u left join store.sign_ins s on s.user_id = u.id
  where u.deleted_at is null;

create or replace view api.groups as
  select g.id, g.display_name_key, g.external_id, g.posix_name, g.gid, g.created, g.last_modified, g.version, g.doc, g.doc_key
  from store.groups g
  where g.deleted_at is null;

create or replace view api.user_emails as
  select e.user_id, e.key from store.user_emails e;

create or replace view api.memberships as
  select m.group_id, m.member_id, m.is_group, m.provenance from store.memberships m;

-- The groups of a user for `User.groups`: [{"id", "display"}], ordered by id; no row for one who has none.
create or replace view store.user_group_lists as
  select m.member_id as user_id, jsonb_agg(jsonb_build_object('id', g.id, 'display', g.doc->>'displayName') order by g.id) as groups
  from store.memberships m,
  -- One by one by its key: joined in one go, a few thousand groups are read from end to end for one user's twenty.
  lateral (select g.id, g.doc from store.groups g where g.id = m.group_id and g.deleted_at is null offset 0) g
  group by m.member_id;

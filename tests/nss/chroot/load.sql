-- Makes the users and groups of the tables person (name, uid, gid, gecos, home, shell) and club (name, gid, members) by the functions of the
-- contract, with their very names and numbers, as an import would. Both have a column n that counts from 1.
set synchronous_commit = off;
set jit = off;

create function pg_temp.options() returns jsonb immutable return jsonb_build_object(
  'uid_start', 20000, 'uid_max', 60000, 'gid_start', 20000, 'gid_max', 60000, 'home_root', '/home', 'shell', '/bin/bash',
  'collision', 'reject', 'protected', '', 'retain_days', 90, 'removal_limit', 0);

create function pg_temp.audit() returns jsonb immutable return '{"actor": "chroot", "path": "import"}'::jsonb;

create function pg_temp.user_id(p_name text) returns uuid immutable return md5('user ' || p_name)::uuid;

-- 200 of each, from number p_first on: each holds a lock until the end of the transaction.
create function pg_temp.add_users(p_first bigint) returns bigint language plpgsql as $$
begin
  return (select count(*) from person p, lateral api.user_create(jsonb_build_object(
      'id', pg_temp.user_id(p.name), 'user_name_key', p.name, 'key_version', 1, 'posix_name', p.name, 'uid', p.uid, 'gid', p.gid,
      'private_group', false, 'gecos', p.gecos, 'home', p.home, 'shell', p.shell, 'locked', false,
      'doc', jsonb_build_object('userName', p.name), 'doc_key', jsonb_build_object('userName', p.name)),
    pg_temp.options(), pg_temp.audit()) where p.n between p_first and p_first + 199);
end $$;

create function pg_temp.add_groups(p_first bigint) returns bigint language plpgsql as $$
begin
  return (select count(*) from club c, lateral api.group_create(jsonb_build_object(
      'id', md5('group ' || c.name)::uuid, 'display_name_key', c.name, 'key_version', 1, 'posix_name', c.name, 'gid', c.gid,
      'doc', jsonb_build_object('displayName', c.name), 'doc_key', jsonb_build_object('displayName', c.name)),
    (select coalesce(array_agg(pg_temp.user_id(m)), '{}') from regexp_split_to_table(c.members, ',') m where m <> ''),
    pg_temp.options(), pg_temp.audit()) where c.n between p_first and p_first + 199);
end $$;

-- Statistics early on: a session that has met the tables empty would go on reading them from end to end.
select format('select pg_temp.add_users(%s)', n), case when n % 2000 = 201 then 'analyze' else 'select 1' end
from generate_series(1, (select max(n) from person), 200) n \gexec
select format('select pg_temp.add_groups(%s)', n) from generate_series(1, (select max(n) from club), 200) n \gexec

-- The POSIX group that mirrors admin = true. A user joins it in the transaction that makes him an administrator and leaves it in the one
-- that ends that. Sign-in neither takes an administrator out of it nor counts it as lost.

-- Moves a user whose admin flag has changed into or out of the group. Locks: the group's row (key share), the membership.
create or replace function store.admin_mirror() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_group uuid := (select g.id from store.admin_group a join store.groups g on g.id = a.group_id
                   where g.deleted_at is null for key share of g);
begin
  if v_group is null then
    return null;
  end if;
  if new.admin then
    insert into store.memberships (group_id, member_id, is_group, provenance) values (v_group, new.id, false, 32)
      on conflict (group_id, member_id) do nothing;
  else
    delete from store.memberships m where m.group_id = v_group and m.member_id = new.id;
  end if;
  if found then
    perform store.feed_write('group', v_group, array[new.id]);
  end if;
  return null;
end $$;

do $$
begin
  -- Making them anew at each migration would lock the table for nothing.
  if not exists (select from pg_catalog.pg_trigger t where t.tgname = 'users_admin_mirror_new'
                 and t.tgrelid = 'store.users'::regclass) then
    create trigger users_admin_mirror_new after insert on store.users
      for each row when (new.admin) execute function store.admin_mirror();
    create trigger users_admin_mirror after update of admin on store.users
      for each row when (new.admin <> old.admin and new.deleted_at is null) execute function store.admin_mirror();
  end if;
end $$;

-- Makes the group of that POSIX name the mirror (p_group as for api.group_create, with posix_name; null: no mirror from now on),
-- creates it when it is missing, takes in administrators who are not in it, and puts out whom the mirror alone has left
-- there. Writes nothing when nothing differs. Returns how many users joined or left. Raises what group_create raises.
-- Locks: advisory (12, hash of the displayName key), the users' rows, the group's row.
create or replace function api.admin_group_set(p_group jsonb, p_options jsonb, p_audit jsonb) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_group uuid;
  v_joined uuid[];
  v_left uuid[];
begin
  if p_group is null then
    delete from store.admin_group;
    return 0;
  end if;
  select g.id into v_group from store.posix_group_names n join store.groups g on g.id = n.owner
    where n.name = p_group->>'posix_name' and g.deleted_at is null;
  if v_group is null then
    perform from api.group_create(p_group, '{}', p_options, p_audit);
    v_group := (p_group->>'id')::uuid;
  end if;
  if not exists (select from store.admin_group a where a.group_id = v_group) then
    insert into store.admin_group (group_id) values (v_group) on conflict (one) do update set group_id = excluded.group_id;
  end if;
  v_joined := array(select u.id from store.users u where u.admin and u.deleted_at is null
    and not exists (select from store.memberships m where m.group_id = v_group and m.member_id = u.id) order by u.id);
  v_left := array(select m.member_id from store.memberships m join store.users u on u.id = m.member_id
    where m.group_id = v_group and m.provenance = 32 and not m.is_group and not u.admin order by m.member_id);
  if cardinality(v_joined) = 0 and cardinality(v_left) = 0 then
    return 0;
  end if;
  -- Whoever changes an admin flag meanwhile waits here or is waited for, and what is compared is compared under the locks.
  perform from store.users u where u.id = any (v_joined || v_left) order by u.id for no key update;
  perform from store.groups g where g.id = v_group for no key update;
  v_joined := store.memberships_add(v_group,
    array(select u.id from store.users u where u.id = any (v_joined) and u.admin and u.deleted_at is null), 32::smallint);
  v_left := array(select u.id from store.users u where u.id = any (v_left) and not u.admin order by u.id);
  delete from store.memberships m where m.group_id = v_group and m.member_id = any (v_left);
  perform store.audit_write(p_audit, 'update', 'group', v_group, jsonb_strip_nulls(jsonb_build_object(
    'added', store.audit_ids(v_joined), 'removed', store.audit_ids(v_left))));
  perform store.feed_write('group', v_group, v_joined || v_left);
  return cardinality(v_joined) + cardinality(v_left);
end $$;

-- What `rollcall doctor` compares between a machine and the database.

-- Local accounts that meet live users or groups: p_accounts is [{"kind": "user" | "group", "name", "number"}]. `same` says
-- whether it is by name, by number, or by both (then it is the same account in two places).
create or replace function api.doctor_collisions(p_accounts jsonb)
returns table (kind text, name text, number bigint, same text, held_by text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    with accounts as (select a.kind, a.name, a.number from jsonb_to_recordset(p_accounts) as a(kind text, name text, number bigint))
    select a.kind, a.name, a.number,
           case when u.posix_name = a.name and u.uid = a.number then 'both' when u.posix_name = a.name then 'name' else 'number' end,
           u.posix_name || ' ' || u.uid
      from accounts a join store.users u on u.deleted_at is null and (u.posix_name = a.name or u.uid = a.number)
      where a.kind = 'user'
    union all
    select a.kind, a.name, a.number,
           case when g.posix_name = a.name and g.gid = a.number then 'both' when g.posix_name = a.name then 'name' else 'number' end,
           g.posix_name || ' ' || g.gid
      from accounts a join store.groups g on g.deleted_at is null and (g.posix_name = a.name or g.gid = a.number)
      where a.kind = 'group'
    union all
    -- Private groups have the names of their users, and mostly their numbers.
    select a.kind, a.name, a.number,
           case when u.posix_name = a.name and u.primary_gid = a.number then 'both' when u.posix_name = a.name then 'name' else 'number' end,
           u.posix_name || ' ' || u.primary_gid
      from accounts a join store.users u on u.deleted_at is null and u.private_group and u.id in (
        select i.gid_owner from store.posix_ids i where i.id = a.number
        union all select n.owner from store.posix_group_names n where n.name = a.name)
      where a.kind = 'group'
    order by 1, 2;
end $$;

-- Moving out: what files of users and groups are written from, in the order of the numbers, a page at a time.

-- Live users after the uid p_after. shell is null where the site's default holds.
create or replace function api.export_users(p_after bigint, p_limit int)
returns table (id uuid, posix_name text, uid bigint, primary_gid bigint, private_group boolean, home text, shell text,
               gecos text, admin boolean, locked boolean, doc jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select u.id, u.posix_name, u.uid, u.primary_gid, u.private_group, u.home, u.shell, u.gecos, u.admin, u.locked, u.doc
    from store.users u where u.uid > p_after and u.deleted_at is null order by u.uid limit p_limit;
end $$;

-- Live groups after the gid p_after, with the private groups of users when p_private: those have no document.
create or replace function api.export_groups(p_after bigint, p_limit int, p_private boolean)
returns table (id uuid, posix_name text, gid bigint, doc jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select o.owner, o.name, o.number, o.document
    from (select g.id as owner, g.posix_name as name, g.gid as number, g.doc as document
          from store.groups g where g.gid > p_after and g.deleted_at is null
          union all
          select u.id, u.posix_name, u.primary_gid, null
          from store.posix_ids i join store.users u on u.id = i.gid_owner
          where p_private and i.id > p_after and u.private_group and u.primary_gid = i.id and u.deleted_at is null) o
    order by o.number limit p_limit;
end $$;

-- The direct members of a group, users before groups, each by number, after the pair of both: the order does not depend on
-- ids, so that two databases with the same content write the same file.
create or replace function api.export_members(p_group uuid, p_after_groups boolean, p_after bigint, p_limit int)
returns table (id uuid, posix_name text, is_group boolean, number bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select x.id, x.posix_name, x.is_group, x.number
    from (select m.member_id as id, coalesce(u.posix_name, g.posix_name) as posix_name, m.is_group,
                 coalesce(u.uid, g.gid) as number
          from store.memberships m
            left join store.users u on u.id = m.member_id and not m.is_group
            left join store.groups g on g.id = m.member_id and m.is_group
          where m.group_id = p_group) x
    where (x.is_group, x.number) > (p_after_groups, p_after)
    order by x.is_group, x.number limit p_limit;
end $$;

-- The POSIX names of the users that a group holds, at any depth, sorted: as nodes see it.
create or replace function api.export_member_names(p_group uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return store.nss_members(p_group);
end $$;

-- The change feed as nodes follow it, on a standby too (nss/CONTRACT.md).

-- The epoch of the ids and where the feed stands: everything up to the id was visible to this snapshot.
create or replace function api.nss_feed_position() returns table (epoch bigint, id bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  v_horizon xid8 := pg_snapshot_xmin(pg_current_snapshot());
begin
  return query select e.epoch,
    greatest((select s.cut_to from store.feed_state s),
             coalesce((select min(f.id) - 1 from store.change_feed f where f.xid >= v_horizon),
                      (select max(f.id) from store.change_feed f), 0))
    from store.id_epoch e;
end $$;

-- What has changed after feed row p_id, of which p_ordinal parts have been seen: the state now of each user and group.
-- No row when the cursor is of another epoch or older than the feed. Rows of transactions that are still open to others
-- are sent at once, but the new position stays before them, so that nothing that commits late is missed.
create or replace function api.nss_changes(p_epoch bigint, p_id bigint, p_ordinal int, p_limit int, p_options jsonb)
returns table (epoch bigint, id bigint, ordinal int, more boolean, changes jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off set plan_cache_mode = force_generic_plan
as $$
declare
  v_horizon xid8 := pg_snapshot_xmin(pg_current_snapshot());
  v_epoch bigint := (select e.epoch from store.id_epoch e);
  v_last bigint := (select f.id from store.change_feed f order by f.id desc limit 1);
begin
  if p_epoch is distinct from v_epoch or p_id < (select s.cut_to from store.feed_state s) then
    return;
  end if;
  -- What nearly every question meets: nothing beyond the position.
  if coalesce(v_last, 0) < p_id
     or v_last = p_id and p_ordinal > (select coalesce(cardinality(f.members), 0) from store.change_feed f where f.id = p_id) then
    return query select v_epoch, p_id, p_ordinal, false, '[]'::jsonb;
    return;
  end if;
  -- Planned once: no join here can be anything but a look-up by id (offset 0), however large the planner believes the feed to be.
  return query
    with rows as materialized (
      -- Part 0 of a row is its subject, part n the n-th of its members. The first row may have no part left.
      select f.id, p.n, f.xid < v_horizon as settled,
             case when p.n = 0 then f.kind else 'user' end as kind,
             case when p.n = 0 then f.subject else f.members[p.n] end as subject
      from (select r.* from store.change_feed r where r.id >= p_id order by r.id limit p_limit + 1) f
        cross join lateral generate_series(0, coalesce(cardinality(f.members), 0)) p(n)
      where f.id > p_id or p.n >= p_ordinal
      order by f.id, p.n
      limit p_limit),
    -- An answer is 8 MiB at most (nss/CONTRACT.md §2): one with many keys ends early.
    sized as (
      select x.*, sum(x.bytes) over (order by x.id, x.n) as total
      from (select r.*, coalesce(k.bytes, 0) as bytes
            from rows r left join lateral (select store.nss_key_bytes(u) as bytes from store.users u
                                           where r.kind = 'user' and u.id = r.subject offset 0) k on true) x),
    parts as materialized (
      select s.id, s.n, s.settled, s.kind, s.subject from sized s where s.total - s.bytes <= 3 * 1048576
      order by s.id, s.n),
    first_open as (select min(o.id) as id from parts o where not o.settled),
    seen as (select s.id, s.n from parts s, first_open o where o.id is null or s.id < o.id order by s.id desc, s.n desc limit 1),
    targets as (select distinct t.kind, t.subject from parts t),
    users as materialized (
      select r.u, t.subject from targets t
        left join lateral (select u from store.users u
                           where u.id = t.subject and store.retained(u.deleted_at, p_options) offset 0) r on true
      where t.kind = 'user'),
    lines as (
      select jsonb_build_object('kind', 'user', 'id', u.subject, 'group', null, 'user',
               case when (u.u).id is not null then store.nss_user_record(u.u, p_options) end) as line from users u
      union all
      select jsonb_build_object('kind', 'group', 'id', u.subject, 'user', null, 'group',
               case when (u.u).private_group and (u.u).deleted_at is null then
                 jsonb_build_object('id', u.subject, 'name', (u.u).posix_name, 'gid', (u.u).primary_gid, 'members', '[]'::jsonb) end)
        from users u
      union all
      select jsonb_build_object('kind', 'group', 'id', t.subject, 'user', null, 'group',
               case when g.id is not null then jsonb_build_object('id', g.id, 'name', g.posix_name, 'gid', g.gid) end)
        from targets t
          left join lateral (select r.id, r.posix_name, r.gid from store.groups r
                             where r.id = t.subject and r.deleted_at is null offset 0) g on true
        where t.kind = 'group')
    select v_epoch, coalesce((select s.id from seen s), p_id), coalesce((select s.n + 1 from seen s), p_ordinal),
           (select count(*) = p_limit or count(*) > (select count(*) from parts) from rows), (select coalesce(jsonb_agg(l.line), '[]') from lines l);
end $$;

-- Numbers: a sequence proposes, the ledger store.posix_ids decides, a loop skips what is taken or reserved.

-- What identifies this history of the database: the timeline of the WAL being written.
create or replace function store.current_timeline() returns text
language sql volatile
as $$ select pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8) $$;

-- Moves both sequences ahead by p_jump numbers, never back, starting from the higher of the sequence and the highest
-- number that the allocator itself gave (a dump may come without its sequences). Returns nothing; locks nothing.
create or replace function store.id_jump(p_jump bigint) returns void
language plpgsql
as $$
declare
  v_uid bigint := (select last_value from store.uid_seq);
  v_gid bigint := (select last_value from store.gid_seq);
  v_high_uid bigint;
  v_high_gid bigint;
begin
  select max(u.uid) into v_high_uid from store.users u join store.posix_ids i on i.id = u.uid where not i.asked;
  select max(g.gid) into v_high_gid from store.groups g join store.posix_ids i on i.id = g.gid where not i.asked;
  perform setval('store.uid_seq', greatest(v_uid, coalesce(v_high_uid, 0)) + p_jump, true);
  perform setval('store.gid_seq', greatest(v_gid, coalesce(v_high_gid, 0)) + p_jump, true);
end $$;

-- Called when the timeline or the system identifier differs from the remembered one: an asynchronous failover or a
-- restore may have rewound the sequences to numbers that other people already hold. Jumps by twice the numbers of the
-- last minute, at least 50, at most 1000. Locks: advisory (1, 0) until the end of the transaction.
create or replace function store.id_follow_epoch() returns void
language plpgsql
as $$
declare
  v_timeline text := store.current_timeline();
  v_system bigint := (select system_identifier from pg_control_system());
  v_epoch store.id_epoch%rowtype;
  v_recent bigint;
begin
  perform pg_advisory_xact_lock(1, 0);
  select * into v_epoch from store.id_epoch;
  if not found then
    insert into store.id_epoch (timeline, system_identifier, epoch) values (v_timeline, v_system, 1);
    return;
  end if;
  if v_epoch.timeline = v_timeline and v_epoch.system_identifier = v_system then
    return;
  end if;
  select count(*) into v_recent from store.posix_ids i
    where i.issued_at > (select max(l.issued_at) - interval '1 minute' from store.posix_ids l);
  perform store.id_jump(least(1000, greatest(50, 2 * v_recent)));
  update store.id_epoch set timeline = v_timeline, system_identifier = v_system, epoch = epoch + 1;
end $$;

-- Checks the system identifier as well, which costs a file read: at the start of a service and after a migration.
create or replace function api.id_follow_epoch() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform store.id_follow_epoch();
  return (select epoch from store.id_epoch);
end $$;

-- Skips p_count numbers of both pools by hand (`rollcall migrate reseed`).
create or replace function api.id_reseed(p_count bigint, p_audit jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if p_count not between 1 and 1000000 then
    perform store.fail('IDVAL', 'the number of ids to skip must be between 1 and 1000000', 'count');
  end if;
  perform pg_advisory_xact_lock(1, 0);
  perform store.id_jump(p_count);
  perform store.audit_write(p_audit, 'reseed', 'ids', null, jsonb_build_object('skipped', p_count));
end $$;

-- The number after the run of taken numbers that begins at p_from.
create or replace function store.id_after_run(p_from bigint) returns bigint
language sql stable
as $$
  select s.id + 1
  from (select i.id, lead(i.id) over (order by i.id) as next_id from store.posix_ids i where i.id >= p_from) s
  where s.next_id is distinct from s.id + 1
  order by s.id
  limit 1
$$;

-- Gives p_owner a number of which nobody holds either side, at or above p_start and at most p_max, and claims both
-- sides. p_kind: 'user' or 'group' (which sequence proposes). Raises IDFUL when the pool is used up. Holds no lock on
-- anything shared: two callers that meet on a number go on to different ones.
create or replace function store.id_allocate(p_owner uuid, p_kind text, p_start bigint, p_max bigint) returns bigint
language plpgsql
as $$
declare
  v_is_user boolean := p_kind = 'user';
  v_id bigint;
  v_end bigint;
  v_same_epoch boolean;
  v_misses int := 0;
begin
  loop
    if v_is_user then
      v_id := nextval('store.uid_seq');
    else
      v_id := nextval('store.gid_seq');
    end if;
    -- One look at both small tables: has the history moved, and is the number reserved?
    select (select e.timeline = store.current_timeline() from store.id_epoch e),
           (select upper(r.block) from store.id_reserved r where r.block @> v_id)
      into v_same_epoch, v_end;
    if v_same_epoch is not true then
      perform store.id_follow_epoch();
      continue;
    end if;
    if v_id < p_start then
      v_end := p_start;
    end if;
    if v_end is null then
      if v_id > p_max then
        perform store.fail('IDFUL', format('all %s numbers up to %s are used; raise the maximum', p_kind, p_max), p_kind);
      end if;
      insert into store.posix_ids (id, uid_owner, gid_owner, asked, issued_at)
        values (v_id, p_owner, p_owner, false, api.now()) on conflict do nothing;
      if found then
        return v_id;
      end if;
      v_misses := v_misses + 1;
      continue when v_misses % 8 <> 0;
      v_end := store.id_after_run(v_id);
    end if;
    -- setval races with nextval; at worst some numbers are visited twice, and the ledger still decides.
    if v_is_user then
      perform setval('store.uid_seq', v_end, false) where (select s.last_value from store.uid_seq s) < v_end;
    else
      perform setval('store.gid_seq', v_end, false) where (select s.last_value from store.gid_seq s) < v_end;
    end if;
  end loop;
end $$;

-- Claims one side ('uid' or 'gid') of the number that was asked for. Raises IDRSV (reserved), IDDUP (held or retired).
-- Returns true when the number lies in a soft block: legal, worth a warning.
create or replace function store.id_claim(p_id bigint, p_side text, p_owner uuid) returns boolean
language plpgsql
as $$
declare
  v_block store.id_reserved%rowtype;
  v_attribute text := case p_side when 'uid' then 'posixUserId' else 'posixGroupId' end;
begin
  if p_id not between 0 and 4294967294 then
    perform store.fail('IDVAL', format('%s is not a POSIX id', p_id), v_attribute);
  end if;
  select * into v_block from store.id_reserved r where r.block @> p_id;
  if found and v_block.hard then
    perform store.fail('IDRSV', format('%s %s is reserved: %s', p_side, p_id, v_block.reason), v_attribute);
  end if;
  if p_side = 'uid' then
    insert into store.posix_ids as i (id, uid_owner, asked, issued_at) values (p_id, p_owner, true, api.now())
      on conflict (id) do update set uid_owner = p_owner where i.uid_owner is null;
  else
    insert into store.posix_ids as i (id, gid_owner, asked, issued_at) values (p_id, p_owner, true, api.now())
      on conflict (id) do update set gid_owner = p_owner where i.gid_owner is null;
  end if;
  if not found then
    perform store.fail('IDDUP', format('%s %s is in use, or was and is never given again', p_side, p_id), v_attribute);
  end if;
  return v_block.block is not null;
end $$;

-- Keeps the gids of primary groups that are not there yet: the allocator passes over them, whoever asks for one by name gets it.
-- Raises IDDUP when one was the gid of a group that is deleted: whoever deletes a group that is nobody's primary one meets its new
-- users here. Locks: those groups' rows, then the numbers, in order, so that two callers wait for each other in one direction.
create or replace function store.id_keep(p_ids bigint[]) returns void
language plpgsql
as $$
declare
  v_retired bigint;
begin
  perform from store.groups g where g.gid = any (p_ids) and g.deleted_at is null order by g.gid for key share;
  select min(i.id) into v_retired from store.posix_ids i where i.id = any (p_ids) and i.gid_retired_at is not null;
  if v_retired is not null then
    perform store.fail('IDDUP', format('gid %s was that of a deleted group and is never given again', v_retired), 'posixGroupId');
  end if;
  insert into store.posix_ids (id, asked, issued_at)
    select distinct k.id, true, api.now() from unnest(p_ids) k(id)
    where (select i.asked from store.posix_ids i where i.id = k.id) is null
    order by k.id
    on conflict do nothing;
end $$;

-- Takes the gid side of p_id for p_owner if it is free and not hard reserved; tells whether it was.
create or replace function store.id_claim_gid_if_free(p_id bigint, p_owner uuid) returns boolean
language plpgsql
as $$
begin
  update store.posix_ids set gid_owner = p_owner where id = p_id and gid_owner is null;
  return found;
end $$;

-- Marks the sides of p_id that p_owner holds as retired: never given again, but still his.
create or replace function store.id_retire(p_id bigint, p_owner uuid) returns void
language plpgsql
as $$
begin
  update store.posix_ids set
    uid_retired_at = case when uid_owner = p_owner then coalesce(uid_retired_at, api.now()) else uid_retired_at end,
    gid_retired_at = case when gid_owner = p_owner then coalesce(gid_retired_at, api.now()) else gid_retired_at end
  where id = p_id and (uid_owner = p_owner or gid_owner = p_owner);
end $$;

-- Gives the numbers of a retired owner to his successor (the same person, re-created).
create or replace function store.id_hand_over(p_id bigint, p_old uuid, p_new uuid) returns void
language plpgsql
as $$
begin
  update store.posix_ids set
    uid_owner = case when uid_owner = p_old then p_new else uid_owner end,
    uid_retired_at = case when uid_owner = p_old then null else uid_retired_at end,
    gid_owner = case when gid_owner = p_old then p_new else gid_owner end,
    gid_retired_at = case when gid_owner = p_old then null else gid_retired_at end
  where id = p_id and (uid_owner = p_old or gid_owner = p_old);
end $$;

-- How many numbers each pool can still propose, to its maximum: those ahead that are neither reserved nor, on either side,
-- taken or retired already, as an import may leave them.
create or replace function api.id_headroom(p_options jsonb) returns table (pool text, remaining bigint, size bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_pool record;
  v_next bigint;
  -- Asked once: there may be as many numbers ahead as an import brought.
  v_reserved constant int8multirange := (select coalesce(range_agg(r.block), '{}') from store.id_reserved r);
begin
  for v_pool in
    select 'user' as pool, (p_options->>'uid_start')::bigint as low, (p_options->>'uid_max')::bigint as high,
           case when s.is_called then s.last_value + 1 else s.last_value end as next_id from store.uid_seq s
    union all
    select 'group', (p_options->>'gid_start')::bigint, (p_options->>'gid_max')::bigint,
           case when s.is_called then s.last_value + 1 else s.last_value end from store.gid_seq s
  loop
    pool := v_pool.pool;
    v_next := greatest(v_pool.next_id, v_pool.low);
    size := v_pool.high - v_pool.low + 1 - store.id_reserved_within(v_pool.low, v_pool.high);
    remaining := greatest(0, v_pool.high - v_next + 1 - store.id_reserved_within(v_next, v_pool.high)
      - (select count(*) from store.posix_ids i where i.id between v_next and v_pool.high and not v_reserved @> i.id));
    return next;
  end loop;
end $$;

-- How many numbers between p_low and p_high lie in reserved blocks.
create or replace function store.id_reserved_within(p_low bigint, p_high bigint) returns bigint
language sql stable
as $$
  select coalesce(sum(upper(b.part) - lower(b.part)), 0)::bigint
  from (select r.block * int8range(p_low, p_high + 1) as part from store.id_reserved r
        where p_low <= p_high and r.block && int8range(p_low, p_high + 1)) b
$$;

-- Blocks of numbers that a site keeps for something else, beside those that ship (migrations/V1__store.sql).

-- Every block, by number.
create or replace function api.id_blocks()
returns table (first bigint, last bigint, hard boolean, reason text, by_site boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query select lower(r.block), upper(r.block) - 1, r.hard, r.reason, r.by_site from store.id_reserved r order by r.block;
end $$;

-- Keeps p_first to p_last from being given by themselves, with p_hard also to whoever asks for one. Returns 'create', 'change'
-- (of p_hard or the reason) or 'keep'; with p_dry_run nothing is written. A number that is being given at this moment may
-- still go out. Raises IDVAL (no range of people's numbers, no reason, one that overlaps another block) and IDDUP (hard, and
-- some of the numbers are held, or were). Locks: store.id_reserved, against its other writers alone.
create or replace function api.id_block_reserve(p_first bigint, p_last bigint, p_hard boolean, p_reason text, p_dry_run boolean,
                                                p_audit jsonb) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_block int8range;
  v_own store.id_reserved%rowtype;
  v_other store.id_reserved%rowtype;
  v_held bigint;
begin
  if p_first > p_last or p_first < 1000 or p_last > 2147352575 then
    perform store.fail('IDVAL', 'a block goes from a number up to one that is no lower, between 1000 and 2147352575', 'first');
  end if;
  if length(btrim(p_reason)) not between 1 and 200 then
    perform store.fail('IDVAL', 'the reason must have 1 to 200 characters', 'reason');
  end if;
  v_block := int8range(p_first, p_last, '[]');
  if not p_dry_run then
    lock table store.id_reserved in share row exclusive mode;
  end if;
  select * into v_own from store.id_reserved r where r.by_site and r.block = v_block;
  if v_own.hard = p_hard and v_own.reason = p_reason then
    return 'keep';
  end if;
  select * into v_other from store.id_reserved r where r.block && v_block and not (r.by_site and r.block = v_block)
    order by r.block limit 1;
  if v_other.block is not null then
    perform store.fail('IDVAL', format('%s to %s are kept already: %s', lower(v_other.block), upper(v_other.block) - 1, v_other.reason),
                       'first');
  end if;
  if p_hard and v_own.hard is not true then
    select count(*) into v_held from store.posix_ids i where i.id between p_first and p_last;
    if v_held > 0 then
      perform store.fail('IDDUP', format('%s of these numbers are in use, or were', v_held), 'first');
    end if;
  end if;
  if not p_dry_run then
    insert into store.id_reserved as r (block, hard, reason, by_site) select v_block, p_hard, p_reason, true
      where v_own.block is null;
    update store.id_reserved r set hard = p_hard, reason = p_reason where r.by_site and r.block = v_own.block;
    perform store.audit_write(p_audit, 'reserve', 'ids', null,
      jsonb_build_object('first', p_first, 'last', p_last, 'hard', p_hard));
  end if;
  return case when v_own.block is null then 'create' else 'change' end;
end $$;

-- Gives a block of the site back: its numbers may be given again, but for those that somebody holds or held. Raises IDNOF; blocks
-- that ship stay. Locks: the block's row.
create or replace function api.id_block_release(p_first bigint, p_last bigint, p_audit jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from store.id_reserved r where r.by_site and lower(r.block) = p_first and upper(r.block) - 1 = p_last;
  if not found then
    perform store.fail('IDNOF', 'the site keeps no such block', 'first');
  end if;
  perform store.audit_write(p_audit, 'release', 'ids', null, jsonb_build_object('first', p_first, 'last', p_last));
end $$;

-- The bootstrap file: one replica at a time makes what it asks for.

-- Takes the turn until the transaction ends, or returns false at once when somebody has it. Locks: advisory (14, 0).
create or replace function api.bootstrap_turn() returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return pg_try_advisory_xact_lock(14, 0);
end $$;

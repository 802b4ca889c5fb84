-- The bootstrap file: one replica at a time makes what it asks for.

-- Takes the turn until the transaction ends, or returns false at once when somebody has it. Locks: advisory (14, 0).
create or replace function api.bootstrap_turn() returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return pg_try_advisory_xact_lock(14, 0);
end $$;

-- What a creation would say to this POSIX name (asked for, or derived) and number (null: any) now; p_kind: 'user' or 'group'. Writes
-- nothing: what it claims is given back before it returns. A user whom the creation would find again among the retired ones has
-- their name and numbers, and is not looked at. Raises IDDUP, IDRSV, IDVAL.
create or replace function api.identity_trial(p_kind text, p_key text, p_external_id text, p_posix_name text, p_derived text,
                                              p_number bigint, p_options jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid := gen_random_uuid();
begin
  if p_kind = 'user' and exists (select from store.users u where u.deleted_at is not null and u.user_name_key = p_key
                                   and u.external_id = nullif(p_external_id, '')) then
    return;
  end if;
  perform store.posix_name_claim(v_id, p_kind, p_kind = 'user', p_posix_name, p_derived, p_options);
  if p_number is not null then
    perform store.id_claim(p_number, case p_kind when 'user' then 'uid' else 'gid' end, v_id);
  end if;
  raise exception 'nothing was in the way' using errcode = 'IDTRY';
exception when sqlstate 'IDTRY' then
  return;
end $$;

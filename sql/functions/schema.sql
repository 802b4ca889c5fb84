-- Which schema and functions this database has.

-- The number of the newest migration and the hash of the functions; a binary compares both with its own.
create or replace function api.schema_state() returns table (version int, functions_hash text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query select (select max(m.version)::int from store.migrations m), (select f.hash from store.functions_state f);
end $$;

-- The newest migration that the releases before it cannot work with, 0 when there is none: its name begins with `breaking_`. A
-- replica of such a release is not ready.
create or replace function api.schema_breaking() returns int
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce((select max(m.version)::int from store.migrations m where m.name like 'breaking\_%'), 0);
end $$;

-- What each role may do. Applied by `rollcall migrate` after the functions, every time they change. Where the roles of
-- `rollcall migrate --roles-sql` do not exist (one-role mode) only the defaults are tightened.

revoke all on schema store from public;
revoke all on schema api from public;
revoke all on all tables in schema store from public;
revoke execute on all functions in schema store from public;
revoke execute on all functions in schema api from public;
alter default privileges in schema store revoke execute on functions from public;
alter default privileges in schema api revoke execute on functions from public;

do $$
declare
  v_read text[] := array['now', 'user_get', 'user_groups', 'users_beside', 'user_find', 'group_get', 'group_find', 'token_version',
                         'token_list', 'nodes_note', 'node_list', 'audit_find', 'requests_find', 'user_history', 'status', 'doctor', 'id_headroom', 'schema_state', 'schema_breaking'];
  v_function record;
begin
  for v_function in
    select p.oid::regprocedure as signature, p.proname as name, p.provolatile as volatility
    from pg_catalog.pg_proc p where p.pronamespace = 'api'::regnamespace
  loop
    if exists (select from pg_catalog.pg_roles r where r.rolname = 'rollcall_app') then
      execute format('grant execute on function %s to rollcall_app', v_function.signature);
    end if;
    if exists (select from pg_catalog.pg_roles r where r.rolname = 'rollcall_read')
       and (v_function.name::text = any (v_read) or v_function.name like 'nss\_%') then
      execute format('grant execute on function %s to rollcall_read', v_function.signature);
    end if;
  end loop;
  if exists (select from pg_catalog.pg_roles r where r.rolname = 'rollcall_app') then
    grant usage on schema api to rollcall_app;
    grant select on all tables in schema api to rollcall_app;
  end if;
  if exists (select from pg_catalog.pg_roles r where r.rolname = 'rollcall_read') then
    grant usage on schema api to rollcall_read;
    grant select on all tables in schema api to rollcall_read;
  end if;
end $$;

-- Moving in: rows are staged, looked at as a whole, and then applied in batches, each a transaction of its own. An
-- import that was cut off is started again from the beginning of its file: what is there already is passed over.

-- Opens an import and throws away those that nobody has touched for ten minutes. Idempotent by id.
-- Locks: advisory (13, 0) until commit.
create or replace function api.import_begin(p_import uuid, p_audit jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_advisory_xact_lock(13, 0);
  perform api.import_end(i.id) from store.imports i where i.touched < api.now() - interval '10 minutes';
  insert into store.imports (id, actor, touched) values (p_import, coalesce(p_audit->>'actor', 'unknown'), api.now())
    on conflict (id) do nothing;
end $$;

-- Throws the staged rows of an import away.
create or replace function api.import_end(p_import uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from store.import_users s where s.import = p_import;
  delete from store.import_groups s where s.import = p_import;
  delete from store.import_members s where s.import = p_import;
  delete from store.import_names s where s.import = p_import;
  delete from store.imports i where i.id = p_import;
end $$;

-- Says that an import is alive, once a minute: its parts must not wait for each other. Raises IDNOF when its rows are gone: cleared
-- away, or lost with a crashed server.
create or replace function store.import_touch(p_import uuid) returns void
language plpgsql
as $$
begin
  if not exists (select from store.imports i where i.id = p_import) then
    perform store.fail('IDNOF', 'the staged rows are gone: start the import again', 'import');
  end if;
  update store.imports i set touched = api.now() where i.id = p_import and i.touched < api.now() - interval '1 minute';
end $$;

-- Stages a batch: {"users": […], "groups": […], "members": […], "names": […]} with the columns of the tables.
-- Idempotent: a row that is staged already stays. Raises IDNOF (see import_touch).
create or replace function api.import_stage(p_import uuid, p_rows jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform store.import_touch(p_import);
  insert into store.import_users
    select p_import, r.number, r.line, r.id, r.id_given, r.user_name_key, r.external_id, r.display_name_key, r.posix_name,
           r.uid, r.gid, r.private_group, r.home, r.shell, r.gecos, r.admin, r.locked, r.doc, r.doc_key, r.key_version,
           r.emails
    from jsonb_to_recordset(p_rows->'users') as r(
      number bigint, line bigint, id uuid, id_given boolean, user_name_key text, external_id text, display_name_key text,
      posix_name text, uid bigint, gid bigint, private_group boolean, home text, shell text, gecos text, admin boolean,
      locked boolean, doc jsonb, doc_key jsonb, key_version smallint, emails jsonb)
    on conflict do nothing;
  insert into store.import_groups
    select p_import, r.number, r.line, r.id, r.id_given, r.display_name_key, r.external_id, r.posix_name, r.gid, r.doc,
           r.doc_key, r.key_version
    from jsonb_to_recordset(p_rows->'groups') as r(
      number bigint, line bigint, id uuid, id_given boolean, display_name_key text, external_id text, posix_name text,
      gid bigint, doc jsonb, doc_key jsonb, key_version smallint)
    on conflict do nothing;
  insert into store.import_members
    select p_import, r.number, r.kind, r.value, r.dn
    from jsonb_to_recordset(p_rows->'members') as r(number bigint, kind text, value text, dn text);
  insert into store.import_names
    select p_import, r.dn, r.kind, r.name
    from jsonb_to_recordset(p_rows->'names') as r(dn text, kind text, name text)
    on conflict do nothing;
end $$;

-- Takes records out of what is staged, because somebody was there first: nothing of them is applied. Idempotent.
create or replace function api.import_drop(p_import uuid, p_numbers bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from store.import_users s where s.import = p_import and s.number = any (p_numbers);
  delete from store.import_groups s where s.import = p_import and s.number = any (p_numbers);
  delete from store.import_members s where s.import = p_import and s.number = any (p_numbers);
end $$;

-- Whether a number may be claimed on one side, for a report: null, or why not.
create or replace function store.import_id_fault(p_id bigint, p_side text, p_protected boolean) returns text
language plpgsql stable
as $$
declare
  v_reason text := (select r.reason from store.id_reserved r where r.hard and r.block @> p_id);
begin
  return case when p_id not between 0 and 4294967294 then format('%s %s is not a POSIX id', p_side, p_id)
              when v_reason is not null then format('%s %s is reserved: %s', p_side, p_id, v_reason)
              when p_protected then 'the name belongs to a protected local account (posix-protected-names)' end;
end $$;

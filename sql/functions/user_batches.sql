-- Making many users at once: what replicas send when creations come faster than the database commits them one by one.

-- Creates the users of parallel arrays, in one transaction and with few statements: the rows are those that
-- api.user_create would have written for each. Only for what needs no decision: no uid asked for, everyone with a private
-- group. Whenever one of them needs more than that (somebody has the userName, or had; the name or the number is taken or
-- reserved; a pool near its end; another history of the database) nothing is done for anybody, and the caller sends them
-- one by one, which also tells a repetition from a rival.
-- p_posix_names: the name asked for, else the derived one. p_email_keys, p_email_owners: the folded addresses, without
-- duplicates, and whose they are. p_actors, p_request_ids, p_origins: of the audit row of each; p_path is common to all.
-- Planned once, and for a few of many rows, whatever the tables hold at that time: by their indexes, without `jit`, to which
-- a scan that has no index looks dear.
-- Raises IDDUP for that. Locks: as api.user_create for each, every kind in ascending order, so that two batches
-- never wait for each other in a circle.
create or replace function api.users_create(
  p_ids uuid[], p_user_name_keys text[], p_key_version smallint, p_external_ids text[], p_display_name_keys text[],
  p_posix_names text[], p_homes text[], p_shells text[], p_gecos text[], p_admins boolean[], p_locked boolean[],
  p_docs jsonb[], p_doc_keys jsonb[], p_email_keys text[], p_email_owners uuid[],
  p_actors text[], p_path text, p_request_ids text[], p_origins text[], p_options jsonb)
returns table (id uuid, posix_name text, uid bigint, primary_gid bigint, home text, shell text, admin boolean,
               locked boolean, created timestamptz, last_modified timestamptz, version bigint,
               last_sign_in timestamptz, doc jsonb, groups jsonb, changed boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off
as $$
#variable_conflict use_column
declare
  v_count constant int := cardinality(p_ids);
  -- How near to the end of the pool numbers are given one by one, because a batch that fails has used up its own.
  v_near_the_end constant int := 10000;
  -- How often numbers are drawn, because those of an import may lie ahead.
  v_rounds constant int := 8;
  v_numbers bigint[] := '{}';
  v_plain boolean;
  v_taken int;
begin
  perform pg_advisory_xact_lock(10, l.number)
    from (select distinct hashtext(k) as number from unnest(p_user_name_keys) k order by 1) l;
  select not exists (select from store.users u where u.user_name_key = any (p_user_name_keys) and u.deleted_at is null)
     and not exists (select from store.users u where u.user_name_key = any (p_user_name_keys) and u.deleted_at is not null)
     and not string_to_array(p_options->>'protected', ',') && p_posix_names
     and (select e.timeline = store.current_timeline() from store.id_epoch e)
     and (select s.last_value from store.uid_seq s) < (p_options->>'uid_max')::bigint - v_near_the_end
    into v_plain;
  if v_plain then
    insert into store.posix_group_names (name, owner)
      select n, i from unnest(p_posix_names, p_ids) as x(n, i) order by n on conflict do nothing;
    get diagnostics v_taken = row_count;
    v_plain := v_taken = v_count;
  end if;
  if v_plain then
    for v_round in 1..v_rounds loop
      v_numbers := v_numbers || array(
        select s.n from (select nextval('store.uid_seq') as n from generate_series(1, v_count - cardinality(v_numbers))) s
        where not exists (select from store.posix_ids i where i.id = s.n));
      exit when cardinality(v_numbers) = v_count;
    end loop;
    select count(*) = v_count and min(n) >= (p_options->>'uid_start')::bigint and max(n) <= (p_options->>'uid_max')::bigint
       and not exists (select from store.id_reserved r where r.block && int8range(min(n), max(n), '[]'))
      into v_plain from unnest(v_numbers) n;
  end if;
  if v_plain then
    insert into store.posix_ids (id, uid_owner, gid_owner, asked, issued_at)
      select n, i, i, false, api.now() from unnest(v_numbers, p_ids) as x(n, i) order by n on conflict do nothing;
    get diagnostics v_taken = row_count;
    v_plain := v_taken = v_count;
  end if;
  if v_plain is not true then
    perform store.one_by_one();
  end if;

  insert into store.change_feed (xid, at, kind, subject)
    select pg_current_xact_id(), api.now(), 'user', i from unnest(p_ids) i;
  insert into store.user_emails (key, user_id) select k, i from unnest(p_email_keys, p_email_owners) as x(k, i);
  insert into store.audit (at, actor, path, action, resource, subject, request_id, origin, detail)
    select api.now(), x.actor, p_path, 'create', 'user', x.id, x.request_id, x.origin,
           jsonb_build_object('uid', x.uid, 'gid', x.uid, 'posix_name', x.name)
    from unnest(p_ids, p_actors, p_request_ids, p_origins, v_numbers, p_posix_names)
      as x(id, actor, request_id, origin, uid, name);
  return query
    insert into store.users (id, user_name_key, external_id, display_name_key, posix_name, uid, primary_gid, private_group,
                             home, shell, gecos, admin, locked, doc, doc_key, key_version, version, created, last_modified)
    select x.id, x.user_name_key, x.external_id, x.display_name_key, x.name, x.uid, x.uid, true,
           coalesce(x.home, store.user_home(x.name, p_options)), x.shell, coalesce(x.gecos, ''), coalesce(x.admin, false),
           coalesce(x.locked, false), x.doc, x.doc_key, p_key_version, 1, api.now(), api.now()
    from unnest(p_ids, p_user_name_keys, p_external_ids, p_display_name_keys, p_posix_names, v_numbers, p_homes, p_shells,
                p_gecos, p_admins, p_locked, p_docs, p_doc_keys)
      as x(id, user_name_key, external_id, display_name_key, name, uid, home, shell, gecos, admin, locked, doc, doc_key)
    returning users.id, users.posix_name, users.uid, users.primary_gid, users.home, users.shell, users.admin, users.locked,
              users.created, users.last_modified, users.version, null::timestamptz, null::jsonb, '[]'::jsonb, true;
end $$;

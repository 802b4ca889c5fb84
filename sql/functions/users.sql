-- Users, in the order of their life: read, update, lock, delete; user_creation.sql makes them.
--
-- p_user carries what `scim::user::UserDraft` holds: id, user_name_key, key_version, external_id, display_name_key,
-- emails (folded), posix_name (asked for) or posix_name_derived, uid, gid, private_group, home, shell, gecos, admin,
-- locked, doc, doc_key; the arguments p_id … p_doc_key are the same, one by one. p_options are the settings of the replica
-- (db/options.rs); p_audit see functions/audit.sql.

-- The shape in which a user leaves the contract. doc is null where the caller has it already.
create or replace function store.user_row(p_id uuid, p_with_doc boolean, p_changed boolean)
returns table (id uuid, posix_name text, uid bigint, primary_gid bigint, home text, shell text, admin boolean,
               locked boolean, created timestamptz, last_modified timestamptz, version bigint,
               last_sign_in timestamptz, doc jsonb, groups jsonb, changed boolean)
language plpgsql stable
as $$
begin
  return query
    select u.id, u.posix_name, u.uid, u.primary_gid, u.home, u.shell, u.admin, u.locked, u.created, u.last_modified,
           u.version, (select s.at from store.sign_ins s where s.user_id = u.id),
           case when p_with_doc then u.doc end, api.user_groups(u.id), p_changed
    from store.users u where u.id = p_id and u.deleted_at is null;
end $$;

-- The home directory of a user who did not ask for one.
create or replace function store.user_home(p_posix_name text, p_options jsonb) returns text
language sql immutable
as $$ select pg_catalog.rtrim(coalesce(p_options->>'home_root', '/home'), '/') || '/' || p_posix_name $$;

-- The groups of a user for `User.groups`, as in store.user_group_lists; [] when there are none.
create or replace function api.user_groups(p_id uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce((select l.groups from store.user_group_lists l where l.user_id = p_id), '[]');
end $$;

-- What stands beside the users of a page: last sign-in and, if asked for, groups as of api.user_groups. Planned once: a filter is planned
-- anew for each value, and this would cost more to plan than to do.
create or replace function api.users_beside(p_ids uuid[], p_with_groups boolean)
returns table (id uuid, last_sign_in timestamptz, groups jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan rows 100
as $$
begin
  return query
    select i.id, s.at,
           case when p_with_groups then coalesce((select l.groups from store.user_group_lists l where l.user_id = i.id), '[]') end
    from unnest(p_ids) i(id) left join store.sign_ins s on s.user_id = i.id;
end $$;

-- One live user; no row when there is none.
create or replace function api.user_get(p_id uuid, p_with_groups boolean)
returns table (id uuid, posix_name text, uid bigint, primary_gid bigint, home text, shell text, admin boolean,
               locked boolean, created timestamptz, last_modified timestamptz, version bigint,
               last_sign_in timestamptz, doc jsonb, groups jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select u.id, u.posix_name, u.uid, u.primary_gid, u.home, u.shell, u.admin, u.locked, u.created, u.last_modified,
           u.version, (select s.at from store.sign_ins s where s.user_id = u.id), u.doc,
           case when p_with_groups then api.user_groups(u.id) end
    from store.users u where u.id = p_id and u.deleted_at is null;
end $$;

-- The id of the live user with this userName key or, failing that, POSIX name (for the command line).
create or replace function api.user_find(p_user_name_key text, p_posix_name text) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(
    (select u.id from store.users u where u.user_name_key = p_user_name_key and u.deleted_at is null),
    (select u.id from store.users u where u.posix_name = p_posix_name and u.deleted_at is null));
end $$;

-- Clears the hash of the last assertion, so that the next sign-in compares anew. Locks those rows in order, those without
-- a hash too: a sign-in under way may be about to give them one. To be called before memberships are touched.
create or replace function store.login_hash_clear(p_users uuid[]) returns void
language plpgsql
as $$
begin
  perform from store.login_state l where l.user_id = any (p_users)
    order by l.user_id, l.provider for no key update;
  if found then
    update store.login_state l set claims_hash = null where l.user_id = any (p_users) and l.claims_hash is not null;
  end if;
end $$;

-- The brake: raises IDBRK when p_audit.actor has removed or locked as many users in the last hour as
-- an override that still lasts (brake.sql) allows, or else a limit of his own, or else p_options.removal_limit (0 or absent: no
-- brake); else notes this one, also without a limit: whoever sets one wants to know what is usual.
create or replace function store.removal_note(p_id uuid, p_options jsonb, p_audit jsonb) returns void
language plpgsql
as $$
declare
  v_limit bigint := coalesce((select o.removal_limit from store.brake_overrides o
                              where o.actor = p_audit->>'actor' and o.until > api.now()),
                             (select l.removal_limit from store.brake_limits l where l.actor = p_audit->>'actor'),
                             (p_options->>'removal_limit')::bigint, 0);
begin
  if v_limit > 0 then
    perform pg_advisory_xact_lock(11, hashtext(p_audit->>'actor'));
    if (select count(*) from store.removals r
        where r.actor = p_audit->>'actor' and r.at > api.now() - interval '1 hour') >= v_limit then
      perform store.fail('IDBRK', format('more than %s deletions or deactivations within an hour are refused', v_limit), 'active');
    end if;
  end if;
  insert into store.removals (actor, at, subject) values (p_audit->>'actor', api.now(), p_id);
end $$;

-- What an update changed, for the audit log: technical fields with before and after, attributes by name only.
create or replace function store.user_difference(p_old store.users, p_new store.users) returns jsonb
language sql immutable
as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'uid', case when p_old.uid <> p_new.uid then jsonb_build_array(p_old.uid, p_new.uid) end,
    'posix_name', case when p_old.posix_name <> p_new.posix_name then jsonb_build_array(p_old.posix_name, p_new.posix_name) end,
    'home', case when p_old.home <> p_new.home then jsonb_build_array(p_old.home, p_new.home) end,
    'shell', case when p_old.shell is distinct from p_new.shell then jsonb_build_array(p_old.shell, p_new.shell) end,
    'admin', case when p_old.admin <> p_new.admin then jsonb_build_array(p_old.admin, p_new.admin) end,
    'locked', case when p_old.locked <> p_new.locked then jsonb_build_array(p_old.locked, p_new.locked) end,
    'attributes', case when p_old.doc <> p_new.doc then
      (select jsonb_agg(k order by k) from (select jsonb_object_keys(p_old.doc || p_new.doc)) n(k)
       where p_old.doc->k is distinct from p_new.doc->k) end))
$$;

-- Replaces what the draft says of a live user; what the draft leaves out of uid, posix_name, home, shell, admin and
-- locked stays. p_expected: the version that was read (null: whatever it is). Returns the row with changed = false, and
-- writes nothing, when nothing differs; the row as it is, when this very write was committed before. The POSIX name never
-- follows a changed userName.
-- Raises IDNOF, IDVER (another version), IDDUP, IDRSV, IDVAL, IDBRK. Locks: the user's row.
create or replace function api.user_update(p_id uuid, p_expected bigint, p_user jsonb, p_options jsonb, p_audit jsonb)
returns table (id uuid, posix_name text, uid bigint, primary_gid bigint, home text, shell text, admin boolean,
               locked boolean, created timestamptz, last_modified timestamptz, version bigint,
               last_sign_in timestamptz, doc jsonb, groups jsonb, changed boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_old store.users%rowtype;
  v_new store.users%rowtype;
  v_difference jsonb;
begin
  select * into v_old from store.users u where u.id = p_id and u.deleted_at is null for no key update;
  if not found then
    perform store.fail('IDNOF', 'no such user', 'id');
  end if;
  if p_expected is not null and v_old.version <> p_expected then
    if store.write_is_known(p_id, p_audit) then
      return query select * from store.user_row(p_id, false, true);
      return;
    end if;
    perform store.fail('IDVER', 'the user was changed meanwhile', 'meta.version');
  end if;

  v_new := v_old;
  v_new.user_name_key := p_user->>'user_name_key';
  v_new.external_id := p_user->>'external_id';
  v_new.display_name_key := p_user->>'display_name_key';
  -- As it was imported, until somebody calls him otherwise.
  if (v_old.doc->'displayName', v_old.doc->'name') is distinct from (p_user->'doc'->'displayName', p_user->'doc'->'name') then
    v_new.gecos := coalesce(p_user->>'gecos', '');
  end if;
  v_new.uid := coalesce((p_user->>'uid')::bigint, v_old.uid);
  v_new.posix_name := coalesce(p_user->>'posix_name', v_old.posix_name);
  v_new.home := coalesce(p_user->>'home', v_old.home);
  v_new.shell := coalesce(p_user->>'shell', v_old.shell);
  v_new.admin := coalesce((p_user->>'admin')::boolean, v_old.admin);
  v_new.locked := coalesce((p_user->>'locked')::boolean, v_old.locked);
  v_new.doc := p_user->'doc';
  v_new.doc_key := p_user->'doc_key';
  v_new.key_version := (p_user->>'key_version')::smallint;
  if v_new = v_old then
    return query select * from store.user_row(p_id, false, false);
    return;
  end if;

  if v_new.locked and not v_old.locked then
    perform store.removal_note(p_id, p_options, p_audit);
  end if;
  if v_new.posix_name <> v_old.posix_name then
    perform store.posix_name_claim(p_id, 'user', v_old.private_group, v_new.posix_name, null, p_options);
    perform store.group_name_release(v_old.posix_name, p_id);
  end if;
  if v_new.uid <> v_old.uid then
    perform store.id_claim(v_new.uid, 'uid', p_id);
    update store.posix_ids set uid_retired_at = api.now() where posix_ids.id = v_old.uid and uid_owner = p_id;
  end if;
  v_new.version := v_old.version + 1;
  v_new.last_modified := api.now();
  update store.users u set
    user_name_key = v_new.user_name_key, external_id = v_new.external_id, display_name_key = v_new.display_name_key,
    posix_name = v_new.posix_name, uid = v_new.uid, home = v_new.home, shell = v_new.shell, gecos = v_new.gecos,
    admin = v_new.admin, locked = v_new.locked, doc = v_new.doc, doc_key = v_new.doc_key,
    key_version = v_new.key_version, version = v_new.version, last_modified = v_new.last_modified
  where u.id = p_id;
  perform store.user_emails_set(p_id, v_old.doc_key, p_user->'emails');
  perform store.login_hash_clear(array[p_id]);
  v_difference := store.user_difference(v_old, v_new);
  perform store.audit_write(p_audit, case when v_new.locked and not v_old.locked then 'lock'
                                          when v_old.locked and not v_new.locked then 'unlock' else 'update' end,
                            'user', p_id, v_difference);
  perform store.feed_write('user', p_id);
  return query select * from store.user_row(p_id, false, true);
end $$;

-- What api.user_update would say to this draft now. Writes nothing: what it does is undone before it returns. Raises what that raises.
create or replace function api.user_update_trial(p_id uuid, p_user jsonb, p_options jsonb, p_audit jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform api.user_update(p_id, null, p_user, p_options, p_audit);
  raise exception 'nothing was in the way' using errcode = 'IDTRY';
exception when sqlstate 'IDTRY' then
  return;
end $$;

-- Whether an identity provider has written this user by SCIM, as far as the audit log goes back: then its next sync may make him again.
create or replace function api.user_is_provisioned(p_id uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (select from store.audit a where a.subject = p_id and a.resource = 'user' and a.path = 'scim')
$$;

-- Makes the e-mail index of a user say p_emails; p_old_key is the folded document that it says now.
create or replace function store.user_emails_set(p_id uuid, p_old_key jsonb, p_emails jsonb) returns void
language plpgsql
as $$
declare
  v_old text[] := array(select distinct e->>'value' from jsonb_array_elements(coalesce(p_old_key->'emails', '[]')) e
                        where e->>'value' is not null);
  v_new text[] := array(select distinct e from jsonb_array_elements_text(coalesce(p_emails, '[]')) e);
begin
  if v_old @> v_new and v_old <@ v_new then
    return;
  end if;
  delete from store.user_emails where user_id = p_id and key = any (v_old) and key <> all (v_new);
  insert into store.user_emails (key, user_id) select n, p_id from unnest(v_new) n on conflict do nothing;
end $$;

-- Sets admin and locked without touching the document (the command line, sign-in). Null leaves a field as it is.
-- Raises IDNOF, IDBRK. Returns whether anything changed. Locks: the user's row.
create or replace function api.user_set_flags(p_id uuid, p_admin boolean, p_locked boolean, p_options jsonb, p_audit jsonb)
returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_old store.users%rowtype;
  v_new store.users%rowtype;
begin
  select * into v_old from store.users u where u.id = p_id and u.deleted_at is null for no key update;
  if not found then
    perform store.fail('IDNOF', 'no such user', 'id');
  end if;
  v_new := v_old;
  v_new.admin := coalesce(p_admin, v_old.admin);
  v_new.locked := coalesce(p_locked, v_old.locked);
  if v_new = v_old then
    return false;
  end if;
  if v_new.locked and not v_old.locked then
    perform store.removal_note(p_id, p_options, p_audit);
  end if;
  update store.users u set admin = v_new.admin, locked = v_new.locked, version = v_old.version + 1, last_modified = api.now()
    where u.id = p_id;
  perform store.login_hash_clear(array[p_id]);
  perform store.audit_write(p_audit, case when v_new.locked and not v_old.locked then 'lock'
                                          when v_old.locked and not v_new.locked then 'unlock' else 'update' end,
                            'user', p_id, store.user_difference(v_old, v_new));
  perform store.feed_write('user', p_id);
  return true;
end $$;

-- The primary gid of a live user if it was given to him, so that his deletion retires it; null when it is a group's, or somebody else's.
create or replace function api.user_own_gid(p_id uuid) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select i.id from store.users u join store.posix_ids i on i.id = u.primary_gid and i.gid_owner = p_id
  where u.id = p_id and u.deleted_at is null
$$;

-- Removes a user from SCIM: his numbers are retired, never freed; he stays resolvable for file ownership as long as
-- posix-retain-deleted says; his name is free again. Raises IDNOF, IDVER, IDBRK.
-- Locks: the user's row, then the rows of his groups by id.
create or replace function api.user_delete(p_id uuid, p_expected bigint, p_options jsonb, p_audit jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_old store.users%rowtype;
  v_groups uuid[];
begin
  select * into v_old from store.users u where u.id = p_id and u.deleted_at is null for update;
  if not found then
    if store.write_is_known(p_id, p_audit) then
      return;
    end if;
    perform store.fail('IDNOF', 'no such user', 'id');
  end if;
  if p_expected is not null and v_old.version <> p_expected then
    perform store.fail('IDVER', 'the user was changed meanwhile', 'meta.version');
  end if;
  perform store.removal_note(p_id, p_options, p_audit);
  update store.users u set deleted_at = api.now(), last_modified = api.now(), version = u.version + 1, locked = true
    where u.id = p_id;
  perform store.id_retire(v_old.uid, p_id);
  perform store.id_retire(v_old.primary_gid, p_id);
  perform store.group_name_release(v_old.posix_name, p_id);
  perform store.user_emails_set(p_id, v_old.doc_key, '[]');
  v_groups := store.memberships_drop_member(p_id);
  delete from store.login_state l where l.user_id = p_id;
  perform store.audit_write(p_audit, 'delete', 'user', p_id, jsonb_build_object('uid', v_old.uid, 'posix_name', v_old.posix_name,
    'groups', to_jsonb(v_groups)) || case when exists (
      select from store.posix_ids i where i.id = v_old.primary_gid and i.gid_owner = p_id)
    then jsonb_build_object('gid', v_old.primary_gid) else '{}' end);
  perform store.feed_write('user', p_id);
end $$;

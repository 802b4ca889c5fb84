-- Making a user: his numbers, his name, the retired one he may be. The arguments are told in users.sql.

-- The numbers of a new user who asks for a uid: exactly that one, and the gid he asks for, else the gid of the same number
-- if nobody has it, else a free one for his private group. Returns the gid and whether the uid lies in a soft block.
create or replace function store.user_numbers_asked(p_id uuid, p_uid bigint, p_gid bigint, p_private boolean,
                                                    p_options jsonb, out gid bigint, out soft boolean)
language plpgsql
as $$
begin
  gid := p_gid;
  soft := store.id_claim(p_uid, 'uid', p_id);
  if gid is null and p_private then
    if store.id_claim_gid_if_free(p_uid, p_id) then
      gid := p_uid;
    else
      gid := store.id_allocate(p_id, 'user', (p_options->>'uid_start')::bigint, (p_options->>'uid_max')::bigint);
    end if;
  elsif gid is null then
    perform store.fail('IDVAL', 'a user without a private group needs a primary gid', 'posixGroupId');
  end if;
end $$;

-- The retired user whose numbers a re-created one gets back: same userName key and same non-empty externalId.
create or replace function store.user_predecessor(p_user_name_key text, p_external_id text, p_uid bigint) returns uuid
language plpgsql
as $$
begin
  return (select u.id from store.users u
    where u.deleted_at is not null and u.user_name_key = p_user_name_key and u.external_id = nullif(p_external_id, '')
      and (p_uid is null or u.uid = p_uid)
    order by u.deleted_at desc limit 1 for update);
end $$;

-- Creates a user with his numbers, his private group, audit and feed rows: one statement, one transaction.
-- Idempotent by id: a repeated call returns the user as he is (changed = false).
-- Raises IDDUP (userName, posixUserName, posixUserId in use), IDRSV (reserved), IDFUL (pool used up), IDVAL.
-- Locks: advisory (10, hash of the userName key) until commit, so that two creations of one name meet here; no lock is
-- held across users.
-- One argument an attribute and few statements, because PL/pgSQL sets every one of its expressions up anew in each
-- transaction: taking a document apart was a quarter of what a creation cost. p_emails has no duplicates.
create or replace function api.user_create(
  p_id uuid, p_user_name_key text, p_key_version smallint, p_external_id text, p_display_name_key text, p_emails text[],
  p_posix_name text, p_posix_name_derived text, p_uid bigint, p_gid bigint, p_private_group boolean, p_home text,
  p_shell text, p_gecos text, p_admin boolean, p_locked boolean, p_doc jsonb, p_doc_key jsonb, p_options jsonb, p_audit jsonb)
returns table (id uuid, posix_name text, uid bigint, primary_gid bigint, home text, shell text, admin boolean,
               locked boolean, created timestamptz, last_modified timestamptz, version bigint,
               last_sign_in timestamptz, doc jsonb, groups jsonb, changed boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_existing uuid;
  v_may_have_predecessor boolean;
  v_old store.users%rowtype;
  v_private boolean := coalesce(p_private_group, true);
  v_name text;
  v_uid bigint := p_uid;
  v_gid bigint;
  v_soft boolean;
begin
  -- Locked before anything is looked at: the statement after this one sees what a rival has committed.
  perform pg_advisory_xact_lock(10, hashtext(p_user_name_key));
  select (select u.id from store.users u where u.user_name_key = p_user_name_key and u.deleted_at is null),
         p_external_id is not null and exists (select from store.users u
           where u.deleted_at is not null and u.user_name_key = p_user_name_key)
    into v_existing, v_may_have_predecessor;
  if v_existing is not null then
    if v_existing = p_id then
      return query select * from store.user_row(p_id, true, false);
      return;
    end if;
    perform store.fail('IDDUP', 'a user with this userName exists already', 'userName');
  end if;

  if v_may_have_predecessor then
    delete from store.users u where u.id = store.user_predecessor(p_user_name_key, p_external_id, p_uid)
      returning * into v_old;
  end if;
  if v_old.id is not null then
    perform store.id_hand_over(v_old.uid, v_old.id, p_id);
    perform store.id_hand_over(v_old.primary_gid, v_old.id, p_id);
    v_private := v_old.private_group;
    v_name := store.posix_name_claim(p_id, 'user', v_private, p_posix_name, v_old.posix_name, p_options);
    v_uid := v_old.uid;
    v_gid := v_old.primary_gid;
  else
    v_name := store.posix_name_claim(p_id, 'user', v_private, p_posix_name, p_posix_name_derived, p_options);
    if p_uid is null then
      v_uid := store.id_allocate(p_id, 'user', (p_options->>'uid_start')::bigint, (p_options->>'uid_max')::bigint);
      v_gid := coalesce(p_gid, v_uid);
    else
      select n.gid, n.soft into v_gid, v_soft from store.user_numbers_asked(p_id, p_uid, p_gid, v_private, p_options) n;
    end if;
    if p_gid is not null then
      perform store.id_keep(array[p_gid]);
    end if;
  end if;

  return query
    with feed as (
      insert into store.change_feed (xid, at, kind, subject) values (pg_current_xact_id(), api.now(), 'user', p_id)),
    emails as (
      insert into store.user_emails (key, user_id) select e, p_id from unnest(p_emails) e),
    audit as (
      insert into store.audit (at, actor, path, action, resource, subject, request_id, origin, detail)
      values (api.now(), p_audit->>'actor', p_audit->>'path', 'create', 'user', p_id, p_audit->>'request_id',
              p_audit->>'origin', jsonb_strip_nulls(jsonb_build_object('uid', v_uid, 'gid', v_gid, 'posix_name', v_name,
                'restored_from', v_old.id, 'warning', case when v_soft then 'uid lies in a range that others may use' end))))
    insert into store.users (id, user_name_key, external_id, display_name_key, posix_name, uid, primary_gid, private_group,
                             home, shell, gecos, admin, locked, doc, doc_key, key_version, version, created, last_modified)
    values (p_id, p_user_name_key, p_external_id, p_display_name_key, v_name, v_uid, v_gid, v_private,
            coalesce(p_home, v_old.home, store.user_home(v_name, p_options)), coalesce(p_shell, v_old.shell),
            coalesce(p_gecos, ''), coalesce(p_admin, false), coalesce(p_locked, false), p_doc, p_doc_key, p_key_version, 1,
            api.now(), api.now())
    returning users.id, users.posix_name, users.uid, users.primary_gid, users.home, users.shell, users.admin, users.locked,
              users.created, users.last_modified, users.version, null::timestamptz, null::jsonb, '[]'::jsonb, true;
end $$;

-- The same for a caller who has the draft as one document.
create or replace function api.user_create(p_user jsonb, p_options jsonb, p_audit jsonb)
returns table (id uuid, posix_name text, uid bigint, primary_gid bigint, home text, shell text, admin boolean,
               locked boolean, created timestamptz, last_modified timestamptz, version bigint,
               last_sign_in timestamptz, doc jsonb, groups jsonb, changed boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select c.*
    from jsonb_to_record(p_user) as x(
      id uuid, user_name_key text, key_version smallint, external_id text, display_name_key text, posix_name text,
      posix_name_derived text, uid bigint, gid bigint, private_group boolean, home text, shell text, gecos text,
      admin boolean, locked boolean, doc jsonb, doc_key jsonb, emails jsonb),
    lateral api.user_create(x.id, x.user_name_key, x.key_version, x.external_id, x.display_name_key,
      array(select distinct e from jsonb_array_elements_text(x.emails) e), x.posix_name, x.posix_name_derived, x.uid, x.gid,
      x.private_group, x.home, x.shell, x.gecos, x.admin, x.locked, x.doc, x.doc_key, p_options, p_audit) c;
end $$;

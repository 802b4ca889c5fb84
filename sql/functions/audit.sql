-- The append-only audit log and the change feed. Both are written in the transaction of the change.

-- p_audit: actor, path (scim | login | cli | import | bootstrap | web), request_id, origin, write. p_detail carries ids and technical fields
-- before and after, and names of changed attributes: never personal values.
create or replace function store.audit_write(p_audit jsonb, p_action text, p_resource text, p_subject uuid, p_detail jsonb)
returns void
language plpgsql
as $$
begin
  insert into store.audit (at, actor, path, action, resource, subject, request_id, origin, write, detail)
  values (api.now(), coalesce(p_audit->>'actor', 'unknown'), coalesce(p_audit->>'path', 'unknown'), p_action, p_resource,
          p_subject, p_audit->>'request_id', p_audit->>'origin', (p_audit->>'write')::uuid,
          coalesce(p_detail, '{}'));
end $$;

-- Whether this very write was committed before: the service sends it again when its connection broke before the answer, and
-- it must not be carried out twice, over what others wrote in between. Looks at the newest rows of the subject alone, since
-- the service gives up within half a minute; by the index, because to sort them is to read all of ten minutes.
create or replace function store.write_is_known(p_subject uuid, p_audit jsonb) returns boolean
language plpgsql stable set enable_sort = off
as $$
begin
  return exists (
    select from (select a.write from store.audit a
                 where a.subject = p_subject and a.at > api.now() - interval '10 minutes'
                 order by a.id desc limit 50) newest
    where newest.write = (p_audit->>'write')::uuid);
end $$;

-- kind: user | group. p_members: the users whose memberships changed with it.
create or replace function store.feed_write(p_kind text, p_subject uuid, p_members uuid[] default null) returns void
language plpgsql
as $$
begin
  insert into store.change_feed (xid, at, kind, subject, members)
  values (pg_current_xact_id(), api.now(), p_kind, p_subject, p_members);
end $$;

-- Makes the partitions of this month and the p_ahead next ones. Waits for nobody: gives up when a lock is held.
create or replace function store.audit_partitions_ensure(p_ahead int default 3) returns void
language plpgsql
as $$
declare
  v_first timestamp := date_trunc('month', api.now() at time zone 'UTC');
  v_month timestamptz;
  v_next timestamptz;
  v_name text;
begin
  for v_number in 0..p_ahead loop
    v_month := (v_first + make_interval(months => v_number)) at time zone 'UTC';
    v_next := (v_first + make_interval(months => v_number + 1)) at time zone 'UTC';
    v_name := 'audit_' || to_char(v_month at time zone 'UTC', 'YYYY_MM');
    continue when to_regclass('store.' || v_name) is not null;
    -- Rows of that month may have landed in the default partition; then it stays the place for the month.
    continue when exists (select from store.audit_default d where d.at >= v_month and d.at < v_next);
    -- Names and bounds are computed above, never given from outside: the one place with dynamic SQL.
    execute format('create table store.%I partition of store.audit for values from (%L) to (%L)', v_name, v_month, v_next);
  end loop;
end $$;

-- Lines of the audit log, newest first. p_filter: subject, actor, path, action, resource, request_id, since, until, after and before (ids;
-- both exclusive). What is absent does not filter.
create or replace function api.audit_find(p_filter jsonb, p_limit int)
returns table (id bigint, at timestamptz, actor text, path text, action text, resource text, subject uuid,
               request_id text, origin text, detail jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v record;
begin
  select f.* into v from jsonb_to_record(p_filter) as f(subject uuid, actor text, path text, action text, resource text,
    request_id text, since timestamptz, until timestamptz, after bigint, before bigint);
  return query
    select a.id, a.at, a.actor, a.path, a.action, a.resource, a.subject, a.request_id, a.origin, a.detail
    from store.audit a
    where (v.subject is null or a.subject = v.subject)
      and (v.actor is null or a.actor = v.actor)
      and (v.path is null or a.path = v.path)
      and (v.action is null or a.action = v.action)
      and (v.resource is null or a.resource = v.resource)
      and (v.request_id is null or a.request_id = v.request_id)
      and (v.since is null or a.at >= v.since)
      and (v.until is null or a.at < v.until)
      and (v.after is null or a.id > v.after)
      and (v.before is null or a.id < v.before)
    order by a.id desc
    limit least(p_limit, 10000);
end $$;

-- Housekeeping that any replica may run at any time: partitions ahead, the tail of the feed, old requests and removals,
-- deleted users and groups past their retention. Small batches; a second caller at the same moment does nothing.
create or replace function api.maintain(p_options jsonb) returns table (task text, rows bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_retain interval := make_interval(days => coalesce((p_options->>'retain_days')::int, 90));
  v_cut bigint;
begin
  if not pg_try_advisory_xact_lock(2, 0) then
    return;
  end if;
  perform store.audit_partitions_ensure();
  select max(o.id) into v_cut
    from (select f.id from store.change_feed f where f.at < api.now() - interval '1 hour' order by f.id limit 10000) o;
  delete from store.change_feed f where f.id <= v_cut;
  get diagnostics rows = row_count; task := 'change_feed'; return next;
  update store.feed_state set cut_to = v_cut where cut_to < v_cut;
  delete from store.removals r where r.at < api.now() - interval '2 hours';
  get diagnostics rows = row_count; task := 'removals'; return next;
  delete from store.tokens t where t.parent is not null and t.expires_at < api.now() - interval '1 day';
  get diagnostics rows = row_count; task := 'access_tokens'; return next;
  delete from store.nodes n where n.seen_at < api.now() - interval '7 days';
  get diagnostics rows = row_count; task := 'nodes'; return next;
  rows := store.logins_tidy(); task := 'sign_ins'; return next;
  delete from store.users u where u.id in
    (select o.id from store.users o where o.deleted_at < api.now() - v_retain limit 1000);
  get diagnostics rows = row_count; task := 'deleted_users'; return next;
  delete from store.groups g where g.id in
    (select o.id from store.groups o where o.deleted_at < api.now() - v_retain limit 1000);
  get diagnostics rows = row_count; task := 'deleted_groups'; return next;
end $$;

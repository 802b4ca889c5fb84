-- The brake on deletions and deactivations: how far it is, limits of single clients, and letting more through for a while.

-- Whom p_actor means: the public id or name of a token that is not revoked, or another actor of the audit log (os:, login:, user:).
-- Raises IDNOF for a token that nobody has.
create or replace function store.brake_actor(p_actor text) returns text
language plpgsql stable
as $$
declare
  v_actor text := coalesce((select 'token:' || t.public_id from store.tokens t
                              where (t.public_id = p_actor or t.name = p_actor or 'token:' || t.public_id = p_actor)
                                and t.revoked_at is null order by t.created desc limit 1),
                           case when p_actor ~ '^(os|login|user):.' then p_actor end);
begin
  if v_actor is null then
    perform store.fail('IDNOF', 'no valid token has this name or public id', 'actor');
  end if;
  return v_actor;
end $$;

-- Lets p_limit removals an hour (0: any number) through for an actor, for p_duration from now; a duration of zero ends it, and
-- leaves no line in the audit log when there was nothing to end.
-- p_actor: see store.brake_actor. Returns the actor. Raises IDVAL and IDNOF.
create or replace function api.brake_override(p_actor text, p_limit bigint, p_duration interval, p_audit jsonb) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor text := store.brake_actor(p_actor);
  v_was_released boolean;
begin
  if p_duration > interval '24 hours' or p_duration < interval '0' then
    perform store.fail('IDVAL', 'an override lasts at most a day', 'for');
  end if;
  if p_limit not between 0 and 1000000 then
    perform store.fail('IDVAL', 'the limit must be between 0 and 1000000', 'limit');
  end if;
  v_was_released := exists (select from store.brake_overrides o where o.actor = v_actor and o.until > api.now());
  delete from store.brake_overrides o where o.actor = v_actor or o.until <= api.now();
  if p_duration = interval '0' and not v_was_released then
    return v_actor;
  end if;
  if p_duration > interval '0' then
    insert into store.brake_overrides (actor, removal_limit, until) values (v_actor, p_limit, api.now() + p_duration);
  end if;
  perform store.audit_write(p_audit, 'override', 'brake', null,
    jsonb_build_object('actor', v_actor, 'limit', p_limit, 'seconds', extract(epoch from p_duration)::bigint));
  return v_actor;
end $$;

-- Lets p_limit removals an hour (0: any number; null: as many as the setting says) through for an actor, from now on. p_actor: see
-- store.brake_actor. Returns the actor and 'create', 'change' or 'keep'; with p_dry_run nothing is written. Raises IDVAL and IDNOF.
create or replace function api.brake_limit_set(p_actor text, p_limit bigint, p_dry_run boolean, p_audit jsonb)
returns table (actor text, action text)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_old bigint;
begin
  actor := store.brake_actor(p_actor);
  if p_limit not between 0 and 1000000 then
    perform store.fail('IDVAL', 'the limit must be between 0 and 1000000', 'limit');
  end if;
  v_old := (select l.removal_limit from store.brake_limits l where l.actor = brake_limit_set.actor);
  action := case when v_old is not distinct from p_limit then 'keep' when v_old is null then 'create' else 'change' end;
  if action <> 'keep' and not p_dry_run then
    delete from store.brake_limits l where l.actor = brake_limit_set.actor;
    insert into store.brake_limits (actor, removal_limit) select brake_limit_set.actor, p_limit where p_limit is not null;
    perform store.audit_write(p_audit, 'limit', 'brake', null, jsonb_build_object('actor', actor, 'limit', p_limit));
  end if;
  return next;
end $$;

-- Who has removed how many users in the last hour, who has a limit of his own, and which overrides last.
create or replace function api.brake_actors()
returns table (actor text, name text, removals bigint, own_limit bigint, override_limit bigint, override_until timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select a.actor, t.name, coalesce(r.number, 0), l.removal_limit, o.removal_limit, o.until
    from (select x.actor from store.removals x where x.at > api.now() - interval '1 hour'
          union select y.actor from store.brake_overrides y where y.until > api.now()
          union select z.actor from store.brake_limits z where z.actor not like 'token:%'
            or exists (select from store.tokens k where 'token:' || k.public_id = z.actor and k.revoked_at is null)) a
      left join (select x.actor, count(*) as number from store.removals x where x.at > api.now() - interval '1 hour' group by x.actor) r
        on r.actor = a.actor
      left join store.brake_limits l on l.actor = a.actor
      left join store.brake_overrides o on o.actor = a.actor and o.until > api.now()
      left join store.tokens t on 'token:' || t.public_id = a.actor
    order by 1;
end $$;

-- The same without whoever only has a limit of his own, for replicas of the release before.
create or replace function api.brake_state()
returns table (actor text, name text, removals bigint, override_limit bigint, override_until timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query select a.actor, a.name, a.removals, a.override_limit, a.override_until from api.brake_actors() a
    where a.removals > 0 or a.override_until is not null;
end $$;

-- The brake on deletions and deactivations: how far it is, and letting more through for a while.

-- Lets p_limit removals an hour (0: any number) through for an actor, for p_duration from now; a duration of zero ends it.
-- p_actor: the public id or name of a token that is not revoked, or another actor of the audit log (os:, login:, user:). Returns the
-- actor. Raises IDVAL, and IDNOF for a token that nobody has.
create or replace function api.brake_override(p_actor text, p_limit bigint, p_duration interval, p_audit jsonb) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
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
  if p_duration > interval '24 hours' or p_duration < interval '0' then
    perform store.fail('IDVAL', 'an override lasts at most a day', 'for');
  end if;
  if p_limit not between 0 and 1000000 then
    perform store.fail('IDVAL', 'the limit must be between 0 and 1000000', 'limit');
  end if;
  delete from store.brake_overrides o where o.actor = v_actor or o.until <= api.now();
  if p_duration > interval '0' then
    insert into store.brake_overrides (actor, removal_limit, until) values (v_actor, p_limit, api.now() + p_duration);
  end if;
  perform store.audit_write(p_audit, 'override', 'brake', null,
    jsonb_build_object('actor', v_actor, 'limit', p_limit, 'seconds', extract(epoch from p_duration)::bigint));
  return v_actor;
end $$;

-- Who has removed how many users in the last hour, and which overrides last.
create or replace function api.brake_state()
returns table (actor text, name text, removals bigint, override_limit bigint, override_until timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select coalesce(r.actor, o.actor), t.name, coalesce(r.number, 0), o.removal_limit, o.until
    from (select x.actor, count(*) as number from store.removals x where x.at > api.now() - interval '1 hour' group by x.actor) r
      full join (select y.* from store.brake_overrides y where y.until > api.now()) o on o.actor = r.actor
      left join store.tokens t on 'token:' || t.public_id = coalesce(r.actor, o.actor)
    order by 1;
end $$;

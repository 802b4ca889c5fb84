-- POSIX names: one name space for the groups of the provider and the private groups of users; protected local names.

-- Claims a group name for p_owner. False when another owner has it; waits for a rival that is about to commit.
create or replace function store.group_name_claim(p_name text, p_owner uuid) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  insert into store.posix_group_names (name, owner) values (p_name, p_owner) on conflict do nothing;
  return found or exists (select from store.posix_group_names n where n.name = p_name and n.owner = p_owner);
end $$;

-- Gives back the name of p_owner.
create or replace function store.group_name_release(p_name text, p_owner uuid) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  delete from store.posix_group_names where name = p_name and owner = p_owner;
end $$;

-- Chooses and claims a name for p_owner: p_wanted when it was asked for, else p_derived. A derived name that is taken gets
-- a number behind it: for a group always (its name is no one's identity), for a user when p_options.collision is
-- 'suffix'. p_resource: 'user' (the name of the user and of his private group) or 'group'.
-- p_private: whether the user has a private group that needs the name too. Raises IDRSV (a protected local account),
-- IDDUP (held by another). Never adopts.
create or replace function store.posix_name_claim(p_owner uuid, p_resource text, p_private boolean, p_wanted text,
                                                  p_derived text, p_options jsonb) returns text
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_name text := coalesce(p_wanted, p_derived);
  v_attribute text := case p_resource when 'user' then 'posixUserName' else 'posixGroupName' end;
  v_may_suffix boolean := p_wanted is null and (p_resource = 'group' or p_options->>'collision' = 'suffix');
  v_limit int := case p_resource when 'user' then 32 else 255 end;
  v_protected boolean;
  v_number int := 1;
begin
  loop
    v_protected := coalesce(p_options->'protected' ? v_name, false);
    if not v_protected
       and (p_resource <> 'user' or not exists (select from store.users u where u.posix_name = v_name
                                                and u.deleted_at is null and u.id <> p_owner)) then
      if p_resource = 'user' and not p_private then
        return v_name;
      end if;
      if store.group_name_claim(v_name, p_owner) then
        return v_name;
      end if;
    end if;
    if not v_may_suffix or v_number > 1000 then
      if v_protected then
        perform store.fail('IDRSV', format('the POSIX name %s belongs to a protected local account', v_name), v_attribute);
      end if;
      perform store.fail('IDDUP', format('the POSIX name %s is already in use', v_name), v_attribute);
    end if;
    v_number := v_number + 1;
    v_name := left(p_derived, v_limit - length(v_number::text)) || v_number;
  end loop;
end $$;

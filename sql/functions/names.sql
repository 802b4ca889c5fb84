-- POSIX names: one name space for the groups of the provider and the private groups of users; protected local names.

-- Whether a name belongs to a local account that nobody may take: p_options.protected, separated by commas, which no POSIX
-- name holds.
create or replace function store.is_protected(p_name text, p_options jsonb) returns boolean
language sql immutable
as $$
  select coalesce(pg_catalog.strpos(',' || (p_options->>'protected') || ',', ',' || p_name || ',') > 0, false)
$$;

-- Says why a name cannot be had.
create or replace function store.posix_name_refuse(p_resource text, p_name text, p_protected boolean) returns void
language plpgsql
as $$
declare
  v_attribute text := case p_resource when 'user' then 'posixUserName' else 'posixGroupName' end;
begin
  if p_protected then
    perform store.fail('IDRSV', format('the POSIX name %s belongs to a protected local account (posix-protected-names)', p_name), v_attribute);
  end if;
  perform store.fail('IDDUP', format('the POSIX name %s is already in use', p_name), v_attribute);
end $$;

-- Gives back the name of p_owner.
create or replace function store.group_name_release(p_name text, p_owner uuid) returns void
language plpgsql
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
language plpgsql
as $$
declare
  v_name text := coalesce(p_wanted, p_derived);
  v_protected boolean;
  v_number int := 1;
  v_room int;
begin
  loop
    v_protected := store.is_protected(v_name, p_options);
    if not v_protected then
      if p_resource = 'user' and not p_private then
        -- Nothing to claim: the unique index over the names of live users decides.
        return v_name;
      end if;
      insert into store.posix_group_names (name, owner) values (v_name, p_owner) on conflict do nothing;
      if found then
        return v_name;
      end if;
      exit when exists (select from store.posix_group_names n where n.name = v_name and n.owner = p_owner);
    end if;
    if p_wanted is not null or v_number > 1000
       or (p_resource = 'user' and p_options->>'collision' is distinct from 'suffix') then
      perform store.posix_name_refuse(p_resource, v_name, v_protected);
    end if;
    v_number := v_number + 1;
    -- The limit is one of bytes: characters are taken off until the number fits.
    v_room := case p_resource when 'user' then 32 else 255 end - length(v_number::text);
    v_name := left(p_derived, v_room);
    while octet_length(v_name) > v_room loop
      v_name := left(v_name, -1);
    end loop;
    v_name := v_name || v_number;
  end loop;
  return v_name;
end $$;

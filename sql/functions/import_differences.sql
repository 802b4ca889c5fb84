-- Moving in again: those who are there stay as they are, and a report says where the file has them otherwise.

-- The members of a file's document that a stored one has with other values, as text.
create or replace function store.import_doc_differences(p_file jsonb, p_there jsonb)
returns table (attribute text, value text, there text)
language sql immutable
as $$
  select f.key, f.value #>> '{}', p_there -> f.key #>> '{}'
  from pg_catalog.jsonb_each(p_file) f
  -- Files without columns for types and labels bring the addresses alone.
  where case f.key when 'emails' then pg_catalog.jsonb_path_query_array(f.value, '$[*].value')
                     is distinct from pg_catalog.jsonb_path_query_array(p_there -> 'emails', '$[*].value')
                   else f.value is distinct from p_there -> f.key end
$$;

-- What staged users say of themselves that is not so of those who are there: what a file leaves out is no difference, and
-- neither is an administrator or a locked user whom it does not call one, since most formats cannot. In the order of the file, at most
-- p_limit lines; `total` is how many there are in all.
create or replace function api.import_users_differences(p_import uuid, p_options jsonb, p_limit int)
returns table (line bigint, attribute text, value text, reason text, total bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
begin
  return query
    select s.line, d.attribute, d.value, format('the user who is there has %s and keeps it', coalesce(nullif(d.there, ''), 'none')),
           count(*) over ()
    from store.import_users s
      join store.users u on u.user_name_key = s.user_name_key and u.deleted_at is null
      cross join lateral (
        select x.attribute, x.value, x.there
          from (values ('homeDirectory', s.home, u.home),
                       ('loginShell', s.shell, coalesce(u.shell, p_options->>'shell', '/bin/bash')),
                       ('gecos', nullif(s.gecos, ''), u.gecos),
                       ('privateGroup', s.private_group::text, u.private_group::text),
                       ('admin', case when s.admin then 'true' end, u.admin::text),
                       ('active', case when s.locked then 'false' end, (not u.locked)::text)) x(attribute, value, there)
          where x.value <> x.there
        union all
        select d.attribute, d.value, d.there from store.import_doc_differences(s.doc, u.doc) d) d
    where s.import = p_import
    order by s.line, d.attribute limit p_limit;
end $$;

-- The same of staged groups; members are added to those that are there and so are no difference.
create or replace function api.import_groups_differences(p_import uuid, p_limit int)
returns table (line bigint, attribute text, value text, reason text, total bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
begin
  return query
    select s.line, d.attribute, d.value, format('the group that is there has %s and keeps it', coalesce(nullif(d.there, ''), 'none')),
           count(*) over ()
    from store.import_groups s
      join store.groups g on g.display_name_key = s.display_name_key and g.deleted_at is null
      cross join lateral store.import_doc_differences(s.doc, g.doc) d
    where s.import = p_import
    order by s.line, d.attribute limit p_limit;
end $$;

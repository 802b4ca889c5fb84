-- Moving in groups: members that are nobody and are left out because the operator wants it so.

-- Those members of staged groups who are neither there nor in the file, in the order of the file, at most p_limit lines; `total` is how
-- many there are in all.
create or replace function api.import_unknown_members(p_import uuid, p_limit int)
returns table (line bigint, attribute text, value text, reason text, total bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
    select s.line, 'members', t.value, 'there is no such user or group: left out', count(*) over ()
    from store.import_targets(p_import, 0, 9223372036854775807) t
      join store.import_groups s on s.import = p_import and s.number = t.number
    where t.user_id is null and t.group_id is null and t.group_number is null
    order by s.line, t.value limit p_limit;
end $$;

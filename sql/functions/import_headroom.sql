-- Moving in: whether the pool has numbers for all the staged records that bring none.

-- Of the staged users (p_users; else groups) that are not there and bring no number: the first line, how many they are, and how many
-- numbers the pool has left for them when those that the file itself brings are taken. No row when they are none.
create or replace function api.import_headroom(p_import uuid, p_users boolean, p_options jsonb)
returns table (line bigint, wanted bigint, remaining bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_next bigint;
  v_high bigint;
  v_brought bigint;
begin
  if p_users then
    select min(s.line), count(*) into line, wanted from store.import_users s
      where s.import = p_import and s.uid is null
        and not exists (select from store.users u where u.user_name_key = s.user_name_key and u.deleted_at is null);
  else
    select min(s.line), count(*) into line, wanted from store.import_groups s
      where s.import = p_import and s.gid is null
        and not exists (select from store.groups g where g.display_name_key = s.display_name_key and g.deleted_at is null);
  end if;
  if wanted = 0 then
    return;
  end if;
  if p_users then
    v_high := (p_options->>'uid_max')::bigint;
    v_next := (select greatest(case when s.is_called then s.last_value + 1 else s.last_value end, (p_options->>'uid_start')::bigint)
               from store.uid_seq s);
    v_brought := (select count(distinct s.uid) from store.import_users s
                  where s.import = p_import and s.uid between v_next and v_high
                    and not exists (select from store.posix_ids i where i.id = s.uid)
                    and not exists (select from store.id_reserved r where r.block @> s.uid));
  else
    v_high := (p_options->>'gid_max')::bigint;
    v_next := (select greatest(case when s.is_called then s.last_value + 1 else s.last_value end, (p_options->>'gid_start')::bigint)
               from store.gid_seq s);
    v_brought := (select count(distinct s.gid) from store.import_groups s
                  where s.import = p_import and s.gid between v_next and v_high
                    and not exists (select from store.posix_ids i where i.id = s.gid)
                    and not exists (select from store.id_reserved r where r.block @> s.gid));
  end if;
  remaining := (select h.remaining from api.id_headroom(p_options) h where h.pool = case when p_users then 'user' else 'group' end)
    - v_brought;
  return next;
end $$;

-- The nodes that ask the read API, and how long each may show what it was told.

-- Notes who has asked: a batch, written by every replica that knows a primary, every ten seconds. p_sights: [{"name", "cache_ttl_s", "at", "from"}],
-- each name once with cache_ttl_s and once without at most. More than 20,000 rows are not kept: a token in wrong hands could invent names.
create or replace function api.nodes_note(p_sights jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into store.nodes as n (name, cache_ttl_s, seen_at, seen_from)
    with sights as (
      select s.*, exists (select from store.nodes k
                          where k.name = s.name and (k.cache_ttl_s is null) = (s.cache_ttl_s is null)) as known
      from jsonb_to_recordset(p_sights) s (name text, cache_ttl_s integer, at timestamptz, "from" text)),
    kept as (
      select * from sights where known
      union all
      (select * from sights where not known limit (select greatest(20000 - count(*), 0) from store.nodes)))
    select k.name, k.cache_ttl_s, k.at, k."from" from kept k
    order by k.name, k.cache_ttl_s is null
    on conflict (name, (cache_ttl_s is null)) do update
      set cache_ttl_s = excluded.cache_ttl_s, seen_at = excluded.seen_at, seen_from = excluded.seen_from
      where n.seen_at < excluded.seen_at;
end $$;

-- The nodes that have asked within the last week, by name.
create or replace function api.node_list()
returns table (name text, cache_ttl_s integer, seen_at timestamptz, seen_from text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select n.name, n.cache_ttl_s, n.seen_at, n.seen_from from store.nodes n
    where n.seen_at > api.now() - interval '7 days'
    order by n.name, n.cache_ttl_s nulls first;
end $$;

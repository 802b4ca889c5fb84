-- Which nodes ask, as they say themselves: before somebody gets another name or uid an operator wants to know where the old one is
-- still seen, and for how long.
create table store.nodes (
  name        text not null,
  -- Null: it follows the change feed.
  cache_ttl_s integer,
  seen_at     timestamptz not null,
  seen_from   text not null,
  constraint nodes_name check (name ~ '^[A-Za-z0-9._-]{1,64}$'),
  constraint nodes_cache_ttl check (cache_ttl_s between 1 and 300)
);
-- On one node an agent may follow the feed, and processes that do not reach it keep caches of their own.
create unique index nodes_key on store.nodes (name, (cache_ttl_s is null));

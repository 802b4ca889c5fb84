-- The clock and the conditions that the contract raises.

-- The only reader of the clock. Stable within one transaction. Without a SET clause, so that the planner inlines it.
create or replace function api.now() returns timestamptz
language sql stable
as $$ select pg_catalog.now() $$;

-- Raises a condition of the class ID: p_message is for a person, p_subject names the attribute or value it is about.
create or replace function store.fail(p_code text, p_message text, p_subject text default null) returns void
language plpgsql
as $$
begin
  raise exception using errcode = p_code, message = p_message, detail = coalesce(p_subject, '');
end $$;

-- Gives a batch up: one of its parts needs what only the function for one part does. Nothing is done for anybody, and the
-- caller sends the parts one by one.
create or replace function store.one_by_one() returns void
language plpgsql
as $$
begin
  perform store.fail('IDDUP', 'these cannot be carried out together');
end $$;

-- What a site lets the database remember: blocks of numbers of its own, and limits of single clients.
alter table store.id_reserved add column by_site boolean not null default false;

-- How many deletions and deactivations an hour an actor may make (0: any number), instead of what the setting says.
create table store.brake_limits (
  actor text primary key,
  removal_limit bigint not null check (removal_limit >= 0)
);

-- Over all rows, no longer over the live ones alone: a partial index may serve any query with its condition, and for tables that
-- have just been filled, about which nothing is known yet, the planner read one of these from end to end instead of looking a
-- key up in the index over keys.
drop index store.users_last_modified;
create index users_last_modified on store.users (last_modified, id);
drop index store.users_display_name_key;
create index users_display_name_key on store.users (display_name_key);
drop index store.groups_last_modified;
create index groups_last_modified on store.groups (last_modified, id);

-- Lists are sorted by userName with its index, and one that says its key is not null does not serve them. The index of POSIX names goes
-- on saying so, and is made after it: between two that look alike, as all do while the table is empty, the planner takes the younger.
drop index store.users_user_name_key;
create unique index users_user_name_key on store.users (user_name_key) where deleted_at is null;
drop index store.users_posix_name;
create unique index users_posix_name on store.users (posix_name) where deleted_at is null and posix_name is not null;

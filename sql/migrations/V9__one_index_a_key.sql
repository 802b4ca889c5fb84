-- A name is looked up by its own index, also by plans that were made while the table was empty: to the planner the two looked
-- alike then, and whichever it took it read from end to end. An index that says its key is not null serves nobody who asks for
-- another key.
drop index store.users_posix_name;
create unique index users_posix_name on store.users (posix_name) where deleted_at is null and posix_name is not null;
drop index store.users_user_name_key;
create unique index users_user_name_key on store.users (user_name_key) where deleted_at is null and user_name_key is not null;

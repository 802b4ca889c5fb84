-- A userName is looked up by its own index, also by plans that were made while the table was empty: to the planner the two looked
-- alike then, and it read this one from end to end. An index that says its key is not null serves nobody who asks for another key.
-- That of userNames stays as it is, because lists are sorted by it.
drop index store.users_posix_name;
create unique index users_posix_name on store.users (posix_name) where deleted_at is null and posix_name is not null;

-- What a database administrator runs once, as superuser, before the first `rollcall migrate`, to keep the three roles
-- apart (printed by `rollcall migrate --roles-sql`). Choose your own passwords, or certificates, for the LOGIN roles.

create role rollcall_owner nologin;
create role rollcall_migrate login noinherit;
create role rollcall_app login;
create role rollcall_read login;
grant rollcall_owner to rollcall_migrate;

alter role rollcall_app set statement_timeout = '5s';
alter role rollcall_app set lock_timeout = '2s';
alter role rollcall_app set jit = off;
alter role rollcall_app set idle_in_transaction_session_timeout = '10s';
alter role rollcall_read set statement_timeout = '1s';
alter role rollcall_read set jit = off;
alter role rollcall_read set default_transaction_read_only = on;

-- In the database of the service:
-- create database rollcall owner rollcall_owner;
revoke temporary on database :"DBNAME" from public;
grant create on database :"DBNAME" to rollcall_owner;

# shellcheck shell=bash
# The steps `import` and `copy` of loadtest/scale: populations by bulk import, and what COPY takes for the same rows. Sourced, not run.

# Groups that each user is in.
each=1

empty_database() { # NAME
    psql_as_superuser postgres "drop database if exists $1"
    psql_as_superuser postgres "create database $1 owner rollcall"
    rm -f "$work/$1".*token
    rollcall "$1" migrate >/dev/null
    rollcall "$1" token generate bench --no-expiry >"$work/$1.token"
}

# A population that is there stays: delete the folder, or its .whole file, to measure again. A killed import goes on where it stopped.
step_import() {
    local size is_new
    for size in $sizes; do
        [ ! -e "$work/users_$size.whole" ] || { import_again "$size"; continue; }
        is_new=no
        if [ ! -s "$work/users_$size.token" ]; then
            empty_database "users_$size"
            rm -f "$work/groups_$size.progress"
            is_new=yes
        fi
        "$loadtest" populate --files "$work/files_$size" --users "$size"
        import_users "$size"
        timeout 1800 "$loadtest" populate --even-groups --users "$size" --groups $((size * each / 50)) --connections 4 \
            --progress "$work/groups_$size.progress" --database-uri "host=$work user=rollcall dbname=users_$size"
        rm -r "$work/files_$size"
        psql_as_superuser "users_$size" "vacuum analyze"
        psql_as_superuser postgres checkpoint
        # The second half of an import is no measurement of one.
        [ $is_new = yes ] || forget "import of $size"
        sed -i "s/\"step\":\"import of $size\"/\"step\":\"import\"/" "$records"
        grep -F '"step":"import"' "$records" | grep -F "\"size\":$size," >"$work/users_$size.whole" || true
    done
}

# What an import took is known from the run that made the population.
import_again() { cat "$work/users_$1.whole" >>"$records"; }

# The same settings as the services have: numbers are given in the file or taken from these ranges.
import_users() { # SIZE
    local began=$EPOCHREALTIME
    rollcall "users_$1" user import "$work/files_$1/users.csv" --format csv \
        --user-provisioning-start-uid 1879048192 --user-provisioning-max-uid 2147352575 \
        --group-provisioning-start-gid 2100000000 --group-provisioning-max-gid 2147352575
    record "\"kind\":\"users\",\"count\":$1,\"size\":$1,\"seconds\":$(elapsed "$began"),\"step\":\"import of $1\""
}

# The rows of all tables that an import of users fills, copied into tables with the same constraints and indexes, in the same server.
step_copy() {
    local size=$largest tables began table names
    psql_as_superuser "users_$size" "drop schema if exists floor cascade" 2>/dev/null
    psql_as_superuser "users_$size" "create schema floor"
    tables=$(psql_as_superuser "users_$size" "select relname from pg_stat_user_tables where schemaname = 'store' and n_live_tup >= $size * 0.9
        and relname not like '%member%' order by relname")
    for table in $tables; do
        psql_as_superuser "users_$size" "create table floor.$table (like store.$table including all)"
        psql_as_superuser "users_$size" "copy store.$table to '$work/$table.copy' (format binary)"
    done
    names=${tables//$'\n'/ }
    began=$EPOCHREALTIME
    for table in $tables; do psql_as_superuser "users_$size" "copy floor.$table from '$work/$table.copy' (format binary)"; done
    record "\"size\":$size,\"seconds\":$(elapsed "$began"),\"tables\":\"$names\",\"step\":\"copy\""
    psql_as_superuser "users_$size" "drop schema floor cascade" 2>/dev/null
    for table in $tables; do rm -f "$work/$table.copy"; done
    psql_as_superuser postgres checkpoint
}

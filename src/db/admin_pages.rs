//! What the administrators' pages read: pages of a bounded size, each found by an index.

mod rows;

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

pub use rows::{
    FailedPush, Found, GroupLine, MemberLine, Membership, Place, Provenance, SessionUser, TokenLine, UserLine, Wanted,
};

use super::pool::Database;
use super::sessions::Hash;
use crate::error::Error;

/// Most candidates that one page of a search looks at; when they are used up it says where to go on.
const SCAN: i32 = 2_000;

impl Database {
    /// `api.admin_session`: whose open session this is; asked of the primary, so that an end or a lost right holds at once.
    pub async fn admin_session(&self, id_hash: Hash) -> Result<Option<SessionUser>, Error> {
        let sql = "select * from api.admin_session($1)";
        let rows = self
            .read("admin_session", sql, &[(&id_hash.as_slice(), Type::BYTEA)])
            .await?;
        Ok(rows.first().map(|row| SessionUser {
            id: row.get("user_id"),
            user_name: text(row, "user_name"),
            posix_name: row.get("posix_name"),
            admin: row.get("admin"),
        }))
    }

    /// `api.admin_users_find`: at most `limit` live users, from `place` on. A page may be short and still have a next one.
    pub async fn admin_users_find(&self, wanted: &Wanted, place: &Place, limit: i32) -> Result<Found<UserLine>, Error> {
        let sql = "select * from api.admin_users_find($1, $2, $3, $4, $5, $6, $7)";
        let parameters = &[
            (&wanted.key as _, Type::TEXT),
            (&wanted.text as _, Type::TEXT),
            (&place.stage as _, Type::INT4),
            (&place.key as _, Type::TEXT),
            (&place.id as _, Type::UUID),
            (&(limit + 1) as _, Type::INT4),
            (&SCAN as _, Type::INT4),
        ];
        let rows = self.read("admin_users_find", sql, parameters).await?;
        Ok(found(&rows, limit, |row| UserLine {
            id: row.get("id"),
            user_name: text(row, "user_name"),
            display_name: row.get("display_name"),
            posix_name: row.get("posix_name"),
            uid: row.get("uid"),
            admin: row.get("admin"),
            locked: row.get("locked"),
        }))
    }

    /// `api.admin_groups_find`: the same for groups.
    pub async fn admin_groups_find(
        &self,
        wanted: &Wanted,
        place: &Place,
        limit: i32,
    ) -> Result<Found<GroupLine>, Error> {
        let sql = "select * from api.admin_groups_find($1, $2, $3, $4, $5, $6)";
        let parameters = &[
            (&wanted.key as _, Type::TEXT),
            (&wanted.text as _, Type::TEXT),
            (&place.stage as _, Type::INT4),
            (&place.key as _, Type::TEXT),
            (&(limit + 1) as _, Type::INT4),
            (&SCAN as _, Type::INT4),
        ];
        let rows = self.read("admin_groups_find", sql, parameters).await?;
        Ok(found(&rows, limit, group_line))
    }

    /// `api.admin_memberships`: the groups that a user or group is in itself, behind the group `after`.
    pub async fn admin_memberships(&self, member: Uuid, after: Uuid, limit: i32) -> Result<Vec<Membership>, Error> {
        let sql = "select * from api.admin_memberships($1, $2, $3)";
        let parameters = &[
            (&member as _, Type::UUID),
            (&after as _, Type::UUID),
            (&limit as _, Type::INT4),
        ];
        let rows = self.read("admin_memberships", sql, parameters).await?;
        let memberships = rows.iter().map(|row| Membership {
            group: group_line(row),
            provenance: Provenance(row.get("provenance")),
        });
        Ok(memberships.collect())
    }

    /// `api.admin_members`: the members of a group behind the member `after`.
    pub async fn admin_members(&self, group: Uuid, after: Uuid, limit: i32) -> Result<Vec<MemberLine>, Error> {
        let sql = "select * from api.admin_members($1, $2, $3)";
        let parameters = &[
            (&group as _, Type::UUID),
            (&after as _, Type::UUID),
            (&limit as _, Type::INT4),
        ];
        let rows = self.read("admin_members", sql, parameters).await?;
        let members = rows.iter().map(|row| MemberLine {
            id: row.get("id"),
            is_group: row.get("is_group"),
            name: text(row, "name"),
            posix_name: text(row, "posix_name"),
            number: row.get::<_, Option<i64>>("number").unwrap_or_default(),
            locked: row.get("locked"),
            provenance: Provenance(row.get("provenance")),
        });
        Ok(members.collect())
    }

    /// `api.admin_members_count`: how many members a group has, counted no further than `most`.
    pub async fn admin_members_count(&self, group: Uuid, most: i32) -> Result<i64, Error> {
        let sql = "select api.admin_members_count($1, $2)";
        let parameters = &[(&group as _, Type::UUID), (&most as _, Type::INT4)];
        let rows = self.read("admin_members_count", sql, parameters).await?;
        Ok(rows.first().map_or(0, |row| row.get(0)))
    }

    /// `api.admin_user_sessions`: how many open sessions a user has, to 1,000, and when the last of them was used.
    pub async fn admin_user_sessions(&self, id: Uuid) -> Result<(i64, Option<Timestamp>), Error> {
        let sql = "select * from api.admin_user_sessions($1)";
        let rows = self.read("admin_user_sessions", sql, &[(&id, Type::UUID)]).await?;
        Ok(rows.first().map_or((0, None), |row| (row.get(0), row.get(1))))
    }

    /// `api.admin_tokens`: at most `limit` tokens, newest first, behind the one made then under that public id.
    pub async fn admin_tokens(&self, before: Option<(Timestamp, &str)>, limit: i32) -> Result<Vec<TokenLine>, Error> {
        self.admin_tokens_read(None, before, limit).await
    }

    /// The token of that public id, unless it is revoked.
    pub async fn admin_token(&self, public_id: &str) -> Result<Option<TokenLine>, Error> {
        Ok(self.admin_tokens_read(Some(public_id), None, 1).await?.pop())
    }

    async fn admin_tokens_read(
        &self,
        public_id: Option<&str>,
        before: Option<(Timestamp, &str)>,
        limit: i32,
    ) -> Result<Vec<TokenLine>, Error> {
        let sql = "select * from api.admin_tokens($1, $2, $3, $4)";
        let parameters = &[
            (&public_id as _, Type::TEXT),
            (&before.map(|(at, _)| at) as _, Type::TIMESTAMPTZ),
            (&before.map(|(_, id)| id) as _, Type::TEXT),
            (&limit as _, Type::INT4),
        ];
        let rows = self.read("admin_tokens", sql, parameters).await?;
        let tokens = rows.iter().map(|row| TokenLine {
            public_id: row.get("public_id"),
            name: row.get("name"),
            scopes: row.get("scopes"),
            dialect: row.get("dialect"),
            created: row.get("created"),
            created_by: row.get("created_by"),
            expires_at: row.get("expires_at"),
            last_used_at: row.get("last_used_at"),
            last_used_from: row.get("last_used_from"),
            failed: row.get("failed"),
        });
        Ok(tokens.collect())
    }

    /// `api.admin_failed_pushes`: the last `each` refused requests of each of at most `tokens` tokens, newest first.
    pub async fn admin_failed_pushes(&self, tokens: i32, each: i32) -> Result<Vec<FailedPush>, Error> {
        let sql = "select * from api.admin_failed_pushes($1, $2)";
        let parameters = &[(&tokens as _, Type::INT4), (&each as _, Type::INT4)];
        let rows = self.read("admin_failed_pushes", sql, parameters).await?;
        let pushes = rows.iter().map(|row| FailedPush {
            token: row.get("token"),
            token_name: row.get("token_name"),
            at: row.get("at"),
            method: row.get("method"),
            target: row.get("target"),
            status: row.get("status"),
            scim_type: row.get("scim_type"),
            detail: row.get("detail"),
            request_id: row.get("request_id"),
        });
        Ok(pushes.collect())
    }

    /// `api.admin_database`: version, replication settings and estimates.
    pub async fn admin_database(&self) -> Result<Value, Error> {
        let rows = self.read("admin_database", "select api.admin_database()", &[]).await?;
        Ok(rows.first().map_or(Value::Null, |row| row.get(0)))
    }
}

/// Cuts off the row that was read only to know whether there is a next page; a row without a name is where a search that
/// has looked at enough goes on.
fn found<T>(rows: &[Row], limit: i32, read_row: impl Fn(&Row) -> T) -> Found<T> {
    let limit = usize::try_from(limit).unwrap_or_default();
    let is_marker = |row: &Row| row.get::<_, Option<String>>("posix_name").is_none();
    let place = |row: &Row| Place {
        stage: row.get("stage"),
        key: row.get("key"),
        id: row.get("id"),
    };
    let next = if rows.len() > limit && limit > 0 {
        rows.get(limit - 1).map(place)
    } else {
        rows.last().filter(|row| is_marker(row)).map(place)
    };
    let shown = rows.iter().take(limit).filter(|row| !is_marker(row));
    Found {
        rows: shown.map(read_row).collect(),
        next,
    }
}

fn group_line(row: &Row) -> GroupLine {
    GroupLine {
        id: row.get("id"),
        display_name: text(row, "display_name"),
        posix_name: row.get("posix_name"),
        gid: row.get("gid"),
    }
}

fn text(row: &Row, column: &str) -> String {
    row.get::<_, Option<String>>(column).unwrap_or_default()
}

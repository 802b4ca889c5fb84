//! Reading the members of a group, a slice at a time, so that memory does not grow with the group, and what becomes one.

use std::collections::HashMap;

use tokio_postgres::types::Type;
use uuid::Uuid;

use super::pool::Database;
use crate::error::Error;
use crate::scim::schema::ResourceType;

/// Members in one slice; a group up to this size is read in one snapshot.
pub const SLICE: i64 = 5_000;

/// One member of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The user's or group's id.
    pub id: Uuid,
    /// Whether it is a group.
    pub is_group: bool,
}

impl Database {
    /// What these ids are; those that are nothing of ours are left out.
    pub async fn member_kinds(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, ResourceType>, Error> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = self
            .read(
                "member_kinds",
                "select id, false as is_group from api.users where id = any ($1)
                 union all select id, true from api.groups where id = any ($1)",
                &[(&ids, Type::UUID_ARRAY)],
            )
            .await?;
        let kind = |is_group| {
            if is_group {
                ResourceType::Group
            } else {
                ResourceType::User
            }
        };
        Ok(rows.iter().map(|row| (row.get(0), kind(row.get(1)))).collect())
    }

    /// The members of a group whose id is above `after`, in the order of their ids, at most `SLICE`. No connection is
    /// held between two slices, so a slow client holds none.
    pub async fn members_after(&self, group: Uuid, after: Option<Uuid>) -> Result<Vec<Member>, Error> {
        let after = after.unwrap_or(Uuid::nil());
        let rows = self
            .read(
                "members_after",
                "select member_id, is_group from api.memberships
                 where group_id = $1 and member_id > $2 order by member_id limit $3",
                &[(&group, Type::UUID), (&after, Type::UUID), (&SLICE, Type::INT8)],
            )
            .await?;
        Ok(rows
            .iter()
            .map(|row| Member {
                id: row.get(0),
                is_group: row.get(1),
            })
            .collect())
    }
}

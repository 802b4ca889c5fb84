//! Pages of users and groups: the only statements whose text depends on the request.

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::groups::group_row;
use super::pool::Database;
use super::search::{Order, Parameters, SqlValue, condition};
use super::users::user_row;
use crate::error::Error;
use crate::scim::group::GroupRow;
use crate::scim::list::{Cursor, ListQuery, Page as Place};
use crate::scim::schema::ResourceType;
use crate::scim::user::UserRow;

/// A page of resources.
#[derive(Debug)]
pub struct Page<T> {
    /// The resources in order.
    pub rows: Vec<T>,
    /// How many the query has in all; `None` with cursors, where nobody needs it and counting costs the whole table.
    pub total: Option<u64>,
    /// Where the next page begins; with cursors only, `None` on the last page.
    pub next: Option<Cursor>,
}

/// What a page of one type is made of.
struct Shape {
    view: &'static str,
    /// What the rows of the view give.
    columns: &'static str,
    /// What is looked up for each row `r` by itself: more columns.
    each: &'static str,
    /// The same for all rows of a page `p` at once: more columns of `r` and `b`, and where `b` comes from.
    together: (&'static str, &'static str),
}

const USERS: Shape = Shape {
    view: "api.users",
    columns: "r.id, r.posix_name, r.uid, r.primary_gid, r.home, r.shell, r.admin, r.locked, r.created, \
              r.last_modified, r.version, r.doc",
    each: ", r.last_sign_in, null::jsonb as groups",
    together: (
        ", b.last_sign_in, b.groups",
        "left join api.users_beside((select array_agg(p.id) from page p), false) b on b.id = r.id",
    ),
};
const USERS_WITH_GROUPS: Shape = Shape {
    each: ", r.last_sign_in, api.user_groups(r.id) as groups",
    together: (
        ", b.last_sign_in, b.groups",
        "left join api.users_beside((select array_agg(p.id) from page p), true) b on b.id = r.id",
    ),
    ..USERS
};
const GROUPS: Shape = Shape {
    view: "api.groups",
    columns: "r.id, r.posix_name, r.gid, r.created, r.last_modified, r.version, r.doc",
    each: "",
    together: ("", ""),
};

impl Database {
    /// A page of users, with their groups when asked for. Raises what `condition` cannot say in SQL as an empty page,
    /// and `Error::TooMuchWork` when the statement takes too long.
    pub async fn user_page(&self, query: &ListQuery, with_groups: bool) -> Result<Page<UserRow>, Error> {
        let shape = if with_groups { &USERS_WITH_GROUPS } else { &USERS };
        self.page(ResourceType::User, shape, query, |row| user_row(row, None))
            .await
    }

    /// A page of groups without their members.
    pub async fn group_page(&self, query: &ListQuery) -> Result<Page<GroupRow>, Error> {
        self.page(ResourceType::Group, &GROUPS, query, group_row).await
    }

    async fn page<T>(
        &self,
        resource_type: ResourceType,
        shape: &Shape,
        query: &ListQuery,
        read_row: impl Fn(&Row) -> Result<T, Error>,
    ) -> Result<Page<T>, Error> {
        let Shape { view, columns, .. } = shape;
        let mut parameters = Parameters::default();
        let filter = match &query.filter {
            Some(filter) => condition(filter, resource_type, &mut parameters),
            None => "true".to_owned(),
        };
        let counted = parameters.values().len();
        let order = Order::new(query.sort.as_ref(), resource_type);
        let (after, offset, limit) = match &query.page {
            Place::Index(start) => (None, start.saturating_sub(1), u64::from(query.count)),
            Place::First => (None, 0, u64::from(query.count) + 1),
            Place::After(cursor) => {
                let after = order.after(cursor, &mut parameters).ok_or(Error::InvalidCursor)?;
                (Some(after), 0, u64::from(query.count) + 1)
            }
        };
        let mut rows = Vec::new();
        if query.count > 0 {
            let (key, by) = (order.key_as_text(), order.order_by());
            let after = after.as_deref().unwrap_or("true");
            let page = format!(
                "{key} as sort_key from {view} r where ({filter}) and {after} order by {by} limit {limit} offset {offset}"
            );
            let sql = if query.filter.is_some() && offset == 0 {
                // Few are found as a rule, and a filter is planned anew for each value: the plainest statement.
                format!("select {columns}{each}, {page}", each = shape.each)
            } else {
                // A whole page, and nothing is looked up for those whom an offset skips.
                let (beside, joined) = shape.together;
                format!(
                    "with page as materialized (select {columns}, {page}) \
                     select r.*{beside} from (select p.*, row_number() over () as place from page p) r {joined} \
                     order by r.place"
                )
            };
            rows = self
                .read(op(resource_type, "page"), &sql, &typed(parameters.values()))
                .await?;
        }
        let by_cursor = !matches!(query.page, Place::Index(_));
        let next = if by_cursor {
            cut_for_next(&mut rows, query)
        } else {
            None
        };
        let total = if by_cursor {
            None
        } else {
            Some(if let Some(total) = known_total(rows.len(), offset, query.count) {
                total
            } else {
                let sql = format!("select count(*) from {view} r where ({filter})");
                let used = parameters.values().get(..counted).unwrap_or_default();
                let counts = self.read(op(resource_type, "count"), &sql, &typed(used)).await?;
                counts
                    .first()
                    .map_or(0, |row| u64::try_from(row.get::<_, i64>(0)).unwrap_or(0))
            })
        };
        Ok(Page {
            rows: rows.iter().map(read_row).collect::<Result<_, _>>()?,
            total,
            next,
        })
    }
}

/// Takes off the row that was read only to know whether there is a next page, and says where that begins.
fn cut_for_next(rows: &mut Vec<Row>, query: &ListQuery) -> Option<Cursor> {
    let count = query.count as usize;
    if rows.len() <= count || count == 0 {
        return None;
    }
    rows.truncate(count);
    let last = rows.last()?;
    Some(Cursor {
        issued_at: jiff::Timestamp::now().as_second(),
        query_hash: query.query_hash,
        count: query.count,
        sort_key: last.get("sort_key"),
        id: last.get("id"),
    })
}

/// The total, when the page itself tells it: it is not full, and it is not past the end.
fn known_total(rows: usize, offset: u64, count: u32) -> Option<u64> {
    let rows = rows as u64;
    (rows < u64::from(count) && (rows > 0 || offset == 0)).then_some(offset + rows)
}

fn op(resource_type: ResourceType, what: &str) -> &'static str {
    match (resource_type, what) {
        (ResourceType::User, "page") => "user_page",
        (ResourceType::User, _) => "user_count",
        (ResourceType::Group, "page") => "group_page",
        (ResourceType::Group, _) => "group_count",
    }
}

fn typed(values: &[SqlValue]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    values
        .iter()
        .map(|value| {
            let kind = match value {
                SqlValue::Text(_) => Type::TEXT,
                SqlValue::Texts(_) => Type::TEXT_ARRAY,
                SqlValue::Int(_) => Type::INT8,
                SqlValue::Float(_) => Type::FLOAT8,
                SqlValue::Bool(_) => Type::BOOL,
                SqlValue::Time(_) => Type::TIMESTAMPTZ,
                SqlValue::Uuid(_) => Type::UUID,
            };
            (value.as_parameter(), kind)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::known_total;

    #[test]
    fn a_page_that_is_not_full_tells_the_total() {
        assert_eq!(known_total(3, 0, 100), Some(3));
        assert_eq!(known_total(3, 200, 100), Some(203));
        assert_eq!(known_total(0, 0, 100), Some(0));
        assert_eq!(known_total(0, 500, 100), None);
        assert_eq!(known_total(100, 0, 100), None);
        assert_eq!(known_total(0, 0, 0), None);
    }
}

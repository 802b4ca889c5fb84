//! Cursors: where a page ended, as opaque text of RFC 3986 unreserved characters (RFC 9865 §2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::super::error::ScimError;
use super::super::limits::{CURSOR_BYTES, Limits};
use super::Parameters;

/// Version of the encoding.
const ENCODING: u8 = 1;
/// Bytes before the sort key: encoding, time, query, count, id, flag.
const FIXED_BYTES: usize = 1 + 8 + 8 + 4 + 16 + 1;

/// Which page a query asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// From this position on, counted from 1.
    Index(u64),
    /// The first page of a walk with cursors.
    First,
    /// The page after the one that ended here.
    After(Cursor),
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// When it was issued, in seconds since 1970.
    pub issued_at: i64,
    /// [`super::ListQuery::query_hash`] of its query.
    pub query_hash: [u8; 8],
    /// Page size of its walk.
    pub count: u32,
    /// Sort key of the last resource as text; `None` when the attribute is not present or nothing is sorted by.
    pub sort_key: Option<String>,
    /// Id of the last resource.
    pub id: Uuid,
}

impl Cursor {
    /// As text, of letters, digits, `-` and `_` only.
    pub fn encode(&self) -> String {
        let key = self.sort_key.as_deref().unwrap_or_default();
        let mut bytes = Vec::with_capacity(FIXED_BYTES + key.len());
        bytes.push(ENCODING);
        bytes.extend(self.issued_at.to_be_bytes());
        bytes.extend(self.query_hash);
        bytes.extend(self.count.to_be_bytes());
        bytes.extend(self.id.as_bytes());
        bytes.push(u8::from(self.sort_key.is_some()));
        bytes.extend(key.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// From text. Raises 400 `invalidCursor`.
    pub fn decode(text: &str) -> Result<Self, ScimError> {
        read(text).ok_or_else(|| ScimError::invalid_cursor("The cursor is not one that this service issued."))
    }
}

fn read(text: &str) -> Option<Cursor> {
    if text.len() > CURSOR_BYTES {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (encoding, rest) = bytes.split_first()?;
    let (issued_at, rest) = rest.split_first_chunk()?;
    let (query_hash, rest) = rest.split_first_chunk()?;
    let (count, rest) = rest.split_first_chunk()?;
    let (id, rest) = rest.split_first_chunk()?;
    let (has_key, key) = rest.split_first()?;
    let key = std::str::from_utf8(key).ok().filter(|key| !key.contains('\0'))?;
    let sort_key = match has_key {
        0 if key.is_empty() => None,
        1 => Some(key.to_owned()),
        _ => return None,
    };
    (*encoding == ENCODING).then(|| Cursor {
        issued_at: i64::from_be_bytes(*issued_at),
        query_hash: *query_hash,
        count: u32::from_be_bytes(*count),
        sort_key,
        id: Uuid::from_bytes(*id),
    })
}

impl Page {
    pub(super) fn parse(
        parameters: &Parameters,
        query_hash: [u8; 8],
        count: u32,
        limits: &Limits,
        now: i64,
    ) -> Result<Self, ScimError> {
        let Some(text) = parameters.cursor.as_deref() else {
            return parameters.start_index().map(Self::Index);
        };
        if text.is_empty() {
            return Ok(Self::First);
        }
        let cursor = Cursor::decode(text)?;
        if cursor.query_hash != query_hash {
            return Err(ScimError::invalid_cursor("The cursor belongs to a query with another filter or order."));
        }
        if now.saturating_sub(cursor.issued_at) > i64::from(limits.cursor_seconds) {
            return Err(ScimError::expired_cursor("The cursor has expired; start again with an empty one."));
        }
        if cursor.count != count {
            return Err(ScimError::invalid_count("\"count\" must stay the same from page to page."));
        }
        Ok(Self::After(cursor))
    }
}

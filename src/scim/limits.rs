//! Every limit of the SCIM language, with its number, and the check of JSON nesting that runs before parsing.

use super::error::ScimError;

/// Longest filter or PATCH path, in bytes.
pub const FILTER_BYTES: usize = 8 * 1024;
/// Deepest nesting of a filter: parentheses, `not` and brackets together.
pub const FILTER_DEPTH: usize = 32;
/// Most attribute expressions in one filter.
pub const FILTER_TERMS: usize = 200;
/// Most operations in one PATCH request.
pub const PATCH_OPERATIONS: usize = 1_000;
/// Most text that the operations of one PATCH request may look at or write in multi-valued attributes: bytes of the
/// attribute times expressions of the filter, and what stands in the values afterwards, summed over the operations.
pub const PATCH_WORK: usize = 64 * 1024 * 1024;
/// Most operations in one Bulk request.
pub const BULK_OPERATIONS: usize = 1_000;
/// Most values of a multi-valued attribute.
pub const VALUES: usize = 1_000;
/// Most values of `Group.members` in one request.
pub const MEMBERS: usize = 100_000;
/// Longest string, in bytes.
pub const STRING_BYTES: usize = 64 * 1024;
/// Longest `userName` and `displayName`, in characters.
pub const NAME_CHARACTERS: usize = 255;
/// Longest `externalId`, in characters.
pub const EXTERNAL_ID_CHARACTERS: usize = 1_024;
/// Largest resource without its members, as compact JSON, in bytes.
pub const DOCUMENT_BYTES: usize = 256 * 1024;
/// Deepest nesting of a request body.
pub const JSON_DEPTH: usize = 64;
/// Most JSON values in a request body: a value takes many times its text in memory.
pub const JSON_VALUES: usize = 20_000;
/// Most JSON values in a body of `/Groups` or `/Bulk`: 100,000 members of two values each, and some more.
pub const LARGE_JSON_VALUES: usize = 300_000;
/// Fewest bytes per JSON value in a body with more than [`JSON_VALUES`]; a member takes twice that.
pub const JSON_VALUE_BYTES: usize = 12;
/// Most entries in `attributes` or `excludedAttributes`.
pub const PROJECTION_ENTRIES: usize = 200;
/// Page size when `count` is absent.
pub const DEFAULT_COUNT: u32 = 100;
/// Largest page; a larger `count` is lowered to it silently.
pub const MAX_COUNT: u32 = 1_000;
/// Lifetime of a cursor, in seconds.
pub const CURSOR_SECONDS: u32 = 600;
/// Longest cursor, in characters.
pub const CURSOR_BYTES: usize = 8 * 1024;
/// Largest Bulk body, in bytes.
pub const BULK_BYTES: usize = 8 * 1024 * 1024;
/// Most tags in an `If-Match` or `If-None-Match` list.
pub const VERSION_TAGS: usize = 100;

/// The limits a client is told about in `ServiceProviderConfig`; a site may set lower ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most operations in one Bulk request.
    pub bulk_operations: usize,
    /// Largest Bulk body, in bytes.
    pub bulk_bytes: usize,
    /// Page size when `count` is absent.
    pub default_count: u32,
    /// Largest page.
    pub max_count: u32,
    /// Lifetime of a cursor, in seconds.
    pub cursor_seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bulk_operations: BULK_OPERATIONS,
            bulk_bytes: BULK_BYTES,
            default_count: DEFAULT_COUNT,
            max_count: MAX_COUNT,
            cursor_seconds: CURSOR_SECONDS,
        }
    }
}

/// Refuses a JSON text that nests deeper than [`JSON_DEPTH`], in one pass and without allocating.
///
/// It looks at brackets outside strings only; whether the text is JSON at all is the parser's business.
/// Raises 400 `invalidSyntax`.
pub fn check_depth(json: &[u8]) -> Result<(), ScimError> {
    // Who opens no more than that, strings and all, cannot nest deeper: nearly every body.
    if json.iter().filter(|byte| matches!(byte, b'{' | b'[')).count() <= JSON_DEPTH {
        return Ok(());
    }
    let mut depth = 0_usize;
    for byte in structure(json) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > JSON_DEPTH {
                    let detail = format!("The request body nests deeper than {JSON_DEPTH} levels.");
                    return Err(ScimError::invalid_syntax(detail));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Refuses a JSON text that holds more than `most` values, names of members not counted, in one pass and without
/// allocating. An eight-megabyte array of numbers would otherwise take some hundred megabytes once parsed.
///
/// Raises 413.
pub fn check_values(json: &[u8], most: usize) -> Result<(), ScimError> {
    // Every value but the first stands behind a bracket or a comma: one byte each.
    if json.len() < most {
        return Ok(());
    }
    let others = structure(json).filter(|byte| matches!(byte, b'{' | b'[' | b','));
    if others.take(most).count() >= most {
        let detail = format!("The request body holds more than {most} JSON values.");
        return Err(ScimError::too_large(detail));
    }
    Ok(())
}

/// The bytes of a JSON text outside its strings.
fn structure(json: &[u8]) -> impl Iterator<Item = u8> {
    let mut in_string = false;
    let mut escaped = false;
    json.iter().copied().filter(move |&byte| {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            return false;
        }
        in_string = byte == b'"';
        !in_string
    })
}

#[cfg(test)]
mod tests;

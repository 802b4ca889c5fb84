//! The ids of resources as clients write them.

use uuid::Uuid;

/// The id that a client means; `None` for a text that no resource has as its id.
///
/// Ids compare with case (RFC 7643 §3.1), so that another spelling of the same number (capitals, braces, no hyphens) is
/// not the id: two spellings in one request would otherwise be two members, and two URLs one resource.
pub fn parse(text: &str) -> Option<Uuid> {
    let id: Uuid = text.parse().ok()?;
    (id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_alone_is_the_id() {
        let id = Uuid::from_u128(0x0190_abcd_0000_7000_8000_0000_0000_00ef);
        assert_eq!(parse(&id.to_string()), Some(id));
        let capitals = id.to_string().to_uppercase();
        for other in [
            &capitals,
            &id.simple().to_string(),
            &id.urn().to_string(),
            &id.braced().to_string(),
            "",
            "7",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}

//! Tests of the filter language.

mod grammar;
mod hostile;
mod matching;
mod oracle;
mod roundtrip;

use super::*;
use crate::scim::ResourceType;

fn user(text: &str) -> Filter {
    parse(ResourceType::User, text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> &'static str {
    let error = parse(ResourceType::User, text).expect_err(text);
    assert_eq!(error.status, 400);
    error.scim_type.unwrap().as_str()
}

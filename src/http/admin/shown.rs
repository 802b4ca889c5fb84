//! Values as the pages show them.

use jiff::Timestamp;
use serde_json::Value;

/// Most addresses of one user that are shown.
const MOST_ADDRESSES: usize = 20;

/// A name and its value, for a list of attributes.
pub type Attribute = (&'static str, String);

/// A point in time, to the second.
pub fn time(at: Timestamp) -> String {
    format!("{} UTC", at.strftime("%Y-%m-%d %H:%M:%S"))
}

/// A string attribute of a document; empty when it has none.
pub fn text<'a>(document: &'a Value, name: &str) -> &'a str {
    document.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The e-mail addresses of a document, as one line.
pub fn addresses(document: &Value) -> String {
    let emails = document.get("emails").and_then(Value::as_array);
    let addresses: Vec<&str> = emails
        .into_iter()
        .flatten()
        .filter_map(|email| email.get("value")?.as_str())
        .take(MOST_ADDRESSES)
        .collect();
    addresses.join(", ")
}

/// The attributes that have a value.
pub fn present(attributes: impl IntoIterator<Item = Attribute>) -> Vec<Attribute> {
    attributes.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

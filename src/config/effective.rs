//! What `rollcall config` shows: every setting, its value with secrets hidden, and where it came from.

use super::secret::HIDDEN;
use super::setting::Setting;
use super::sources::{Origin, Values};

/// One setting as it is in force.
#[derive(Clone, Debug)]
pub struct Effective {
    /// Its row in the table.
    pub setting: &'static Setting,
    /// Its value as text; a placeholder for a secret; empty when not set.
    pub shown: String,
    /// Where the value came from.
    pub origin: Origin,
}

/// Every setting of `values`, in the order of the table.
pub(super) fn of(values: &Values) -> Vec<Effective> {
    super::settings()
        .map(|setting| {
            let given = values.given(setting);
            let shown = if setting.is_secret() && !given.text.is_empty() {
                HIDDEN.to_owned()
            } else {
                given.text
            };
            Effective {
                setting,
                shown,
                origin: given.origin,
            }
        })
        .collect()
}

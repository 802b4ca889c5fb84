//! What is logged, and how.

use super::setting::section;
use super::value::choice;

choice! {
    /// How a log line looks.
    enum LogFormat {
        /// One JSON object a line.
        Json = "json",
        /// Text for people.
        Text = "text",
    }
}

section! {
    /// What is logged, and how.
    struct Logging, "Logging" {
        /// Least level that is logged (`error`, `warn`, `info`, `debug`, `trace`), or directives such as
        /// `info,rollcall::db=debug`.
        level: String = "log-level", default "info";
        /// How a log line looks: `json` for machines, `text` for people.
        format: LogFormat = "log-format", default "json";
    }
}

//! The only table from SQLSTATE to `Error`, and what may be done about the rest (reference: POSTGRES, error → action).

use tokio_postgres::error::{DbError, SqlState};

use crate::error::Error;
use crate::telemetry::metrics::METRICS;

/// What to do after a failed call.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The contract refused the call: tell the caller.
    Refused(Error),
    /// Nothing was done; the same call may succeed later, on this connection or another.
    Retry { drop_connection: bool },
    /// It is not known whether the call took effect: repeat it only if it is idempotent, on another connection.
    Ambiguous,
}

/// Judges an error of the driver.
pub(super) fn judge(error: &tokio_postgres::Error) -> Verdict {
    let Some(db) = error.as_db_error() else {
        count("other");
        // Closed without a word, a broken socket, or a connection that was never made.
        return if error.is_closed()
            || std::error::Error::source(error).is_some_and(<dyn std::error::Error + 'static>::is::<std::io::Error>)
        {
            Verdict::Ambiguous
        } else {
            Verdict::Refused(Error::Internal(format!("database driver: {error}")))
        };
    };
    count(class(db.code()));
    judge_code(db)
}

fn judge_code(db: &DbError) -> Verdict {
    let message = db.message().to_owned();
    let subject = db.detail().unwrap_or_default().to_owned();
    match db.code().code() {
        "IDDUP" => Verdict::Refused(Error::Taken { message, subject }),
        "IDRSV" => Verdict::Refused(Error::Reserved { message, subject }),
        "IDUSE" => Verdict::Refused(Error::InUse { message }),
        "IDNOF" => Verdict::Refused(Error::NotFound { message }),
        "IDVER" => Verdict::Refused(Error::VersionMismatch { message }),
        "IDFUL" | "2200H" => Verdict::Refused(Error::PoolExhausted { message }),
        "IDVAL" => Verdict::Refused(Error::InvalidValue { message, subject }),
        "IDREF" => Verdict::Refused(Error::DanglingReference { message, subject }),
        "IDBRK" => Verdict::Refused(Error::Brake { message }),
        "23505" => Verdict::Refused(taken(db)),
        // Text, JSON, a number or a time that PostgreSQL cannot hold, such as \u0000: the languages above refuse it first.
        "22P02" | "22021" | "22P05" | "22003" | "22007" | "22008" => Verdict::Refused(Error::InvalidValue {
            message: "a value cannot be stored".into(),
            subject: String::new(),
        }),
        "57014" => Verdict::Refused(Error::TooMuchWork),
        "40001" | "40P01" | "55P03" => Verdict::Retry { drop_connection: false },
        // A prepared statement that a migration has changed, or that a pooler has lost (0A000, 26000).
        "0A000" | "26000" | "25006" | "57P03" | "53300" | "53400" => Verdict::Retry { drop_connection: true },
        "57P01" | "57P02" | "57P05" | "25P03" | "25P04" => Verdict::Ambiguous,
        code if code.starts_with("08") => Verdict::Ambiguous,
        code if code.starts_with("53") => Verdict::Retry { drop_connection: false },
        code => Verdict::Refused(Error::Internal(format!("database: {code} {message}"))),
    }
}

/// A unique index that a rival won: said in the words of the attribute it guards.
fn taken(db: &DbError) -> Error {
    let (subject, message) = match db.constraint() {
        Some("users_user_name_key") => ("userName", "a user with this userName exists already"),
        Some("users_posix_name") => ("posixUserName", "the POSIX name is already in use"),
        Some("groups_display_name_key") => ("displayName", "a group with this displayName exists already"),
        Some("posix_group_names_pkey") => ("posixGroupName", "the POSIX group name is already in use"),
        Some("users_pkey" | "groups_pkey") => ("id", "a resource with this id exists already"),
        _ => ("", "a value is already in use"),
    };
    Error::Taken {
        message: message.into(),
        subject: subject.into(),
    }
}

fn class(code: &SqlState) -> &str {
    match code.code().get(..2) {
        Some(known @ ("08" | "23" | "25" | "40" | "53" | "57" | "ID")) => known,
        _ => "other",
    }
}

fn count(class: &str) {
    METRICS.db_errors.with_label_values(&[class]).inc();
}

//! The settings of a bootstrap file that the database keeps.

use rollcall::bootstrap::{Bootstrap, DeletionLimit, ReservedIds, Source};
use rollcall::db::id_blocks::IdBlock;
use rollcall::error::Error;

use super::apply::{Done, Work};
use super::report::Action;

impl Work<'_> {
    pub(super) async fn reserved_ids(&self, wanted: &ReservedIds) -> anyhow::Result<Done> {
        let block = IdBlock {
            first: wanted.first.into(),
            last: wanted.last.into(),
            hard: wanted.hard,
            reason: wanted.reason.clone(),
            by_site: true,
        };
        let action = self.db.id_block_reserve(&block, self.dry_run, &self.origin).await?;
        Ok((action_of(&action)?, None))
    }

    /// The limit of a token, after the tokens: the file may make it.
    pub(super) async fn deletion_limit(&self, wanted: &DeletionLimit, bootstrap: &Bootstrap) -> anyhow::Result<Done> {
        let limit = Some(wanted.per_hour.into());
        let set = self
            .db
            .brake_limit_set(&wanted.token, limit, self.dry_run, &self.origin)
            .await;
        match set {
            Ok((_, action)) => Ok((action_of(&action)?, Some(format!("{} an hour", wanted.per_hour)))),
            Err(Error::NotFound { .. }) if self.dry_run && makes(bootstrap, &wanted.token) => {
                Ok((Action::Create, None))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a file makes a token of this name or public id.
fn makes(bootstrap: &Bootstrap, name: &str) -> bool {
    let mut tokens = bootstrap.tokens.iter();
    tokens.any(|token| token.name == name || matches!(&token.source, Source::Hash(id, _) if id == name))
}

/// What the contract says that it did, or would do.
fn action_of(word: &str) -> anyhow::Result<Action> {
    match word {
        "create" => Ok(Action::Create),
        "change" => Ok(Action::Change),
        "keep" => Ok(Action::Keep),
        other => Err(Error::Internal(format!("a setting was answered with {other}")).into()),
    }
}

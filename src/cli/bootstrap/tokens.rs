//! The tokens of a bootstrap file: known by public id, never changed, never brought back once revoked.

use std::path::Path;

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use rollcall::bootstrap::{Source, Token};
use rollcall::db::tokens::{Token as Known, TokenDraft};
use rollcall::error::Error;
use rollcall::tokens::{MAX_LENGTH, MIN_SECRET_LENGTH, NewToken, SecretHash, split};

use super::apply::{Done, Work};
use super::report::Action;
use crate::cli::whole_file::{Outcome, keep_or_write};

impl Work<'_> {
    pub(super) async fn token(&self, wanted: &Token, known: &[Known]) -> anyhow::Result<Done> {
        let (public_id, hash) = match &wanted.source {
            Source::Hash(public_id, hash) => (public_id.clone(), *hash),
            Source::File(path) => match from_file(path) {
                Some(Ok(found)) => found,
                Some(Err(fault)) => return Ok((Action::Conflict, Some(fault))),
                None => return self.token_into(path, wanted, known).await,
            },
        };
        if let Some(present) = known.iter().find(|known| known.public_id == public_id) {
            let is_same = present.hash == hash
                && present.name == wanted.name
                && present.dialect == wanted.dialect.as_str()
                && present.scopes == wanted.scopes;
            return Ok(if is_same {
                (Action::Keep, None)
            } else {
                let text = "a token of this id has another secret, name, dialect or scope: make a new token";
                (Action::Conflict, Some(text.into()))
            });
        }
        if self.dry_run {
            return Ok((Action::Create, None));
        }
        let stored = self
            .db
            .token_store(&public_id, &hash, &draft(wanted)?, &self.origin)
            .await;
        match stored {
            Ok(()) => Ok((Action::Create, Some(format!("id {public_id}")))),
            Err(Error::Taken { .. }) => Ok((Action::Keep, Some("was revoked, and stays so".into()))),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a token and writes it into a file that is not there, unless a token of this name is valid: its secret went to
    /// another machine.
    async fn token_into(&self, path: &Path, wanted: &Token, known: &[Known]) -> anyhow::Result<Done> {
        if known.iter().any(|known| known.name == wanted.name) {
            let text = format!(
                "{} is missing, and a token of this name is valid elsewhere",
                path.display()
            );
            return Ok((Action::Keep, Some(text)));
        }
        if path.is_symlink() {
            let text = format!("{} is a link that leads nowhere", path.display());
            return Ok((Action::Conflict, Some(text)));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            let text = format!(
                "cannot write {}: there is no folder {}",
                path.display(),
                folder.display()
            );
            return Ok((Action::Conflict, Some(text)));
        }
        if self.dry_run {
            return Ok((Action::Create, None));
        }
        let token = NewToken::generate();
        // The file first: whoever is ended between the two finds the token in it the next time, and only then makes it valid.
        match keep_or_write(path, &(token.reveal() + "\n"), 0o600) {
            Err(error) => return Ok((Action::Conflict, Some(format!("{error:#}")))),
            Ok(Outcome::Written) => {}
            Ok(_) => return Ok((Action::Conflict, Some(format!("{} has just appeared", path.display())))),
        }
        self.db.token_create(&token, &draft(wanted)?, &self.origin).await?;
        Ok((Action::Create, Some(format!("written into {}", path.display()))))
    }
}

/// Public id and hash of the token in a file; `None` when there is no such file, a fault when it holds no token.
fn from_file(path: &Path) -> Option<Result<(String, SecretHash), String>> {
    use std::io::Read as _;
    let file = match std::fs::File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        file => file,
    };
    let mut text = String::new();
    let read = file.and_then(|file| file.take(MAX_LENGTH as u64 + 2).read_to_string(&mut text));
    if let Err(error) = read {
        return Some(Err(format!("cannot read {}: {error}", path.display())));
    }
    let path = path.display();
    Some(match split(text.trim()) {
        None => Err(format!("{path} must hold rc_<id>.<secret> and nothing else")),
        Some((_, secret)) if secret.len() < MIN_SECRET_LENGTH => Err(format!(
            "the secret in {path} must have {MIN_SECRET_LENGTH} characters at least, as generated ones have"
        )),
        Some((public_id, secret)) => Ok((public_id.to_owned(), SecretHash::of(secret))),
    })
}

fn draft(wanted: &Token) -> anyhow::Result<TokenDraft<'_>> {
    let until = |days: i64| Timestamp::now().checked_add(SignedDuration::from_hours(24 * days));
    Ok(TokenDraft {
        name: &wanted.name,
        scopes: &wanted.scopes,
        dialect: wanted.dialect.as_str(),
        parent: None,
        expires_at: wanted.days.map(until).transpose().context("a time beyond reckoning")?,
    })
}

//! Tokens: stored by hash, listed for the replicas, revoked by name.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use tokio_postgres::types::{Json, Type};

use super::audit::Origin;
use super::call::Repeat;
use super::pool::Database;
use crate::error::Error;
use crate::tokens::{NewToken, Scope, SecretHash};

/// A token that is neither revoked nor forgotten.
#[derive(Debug, Clone)]
pub struct Token {
    /// The part that names it.
    pub public_id: String,
    /// The name its maker gave it.
    pub name: String,
    /// The hash of its secret.
    pub hash: SecretHash,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// The client's dialect of SCIM.
    pub dialect: String,
    /// The token that lent it, when it is an access token of OAuth 2.0.
    pub parent: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When it stops to be valid.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to about ten seconds.
    pub last_used_at: Option<Timestamp>,
    /// From where.
    pub last_used_from: Option<String>,
}

/// What a new token is to be.
#[derive(Debug)]
pub struct TokenDraft<'a> {
    /// The name its maker gives it.
    pub name: &'a str,
    /// What it may be used for; not empty.
    pub scopes: &'a [Scope],
    /// The client's dialect of SCIM.
    pub dialect: &'a str,
    /// The token that lends it.
    pub parent: Option<&'a str>,
    /// When it stops to be valid.
    pub expires_at: Option<Timestamp>,
}

/// When and from where a token was used.
#[derive(Debug, Clone, Serialize)]
pub struct TokenUse {
    /// Which token.
    pub public_id: String,
    /// When.
    pub at: Timestamp,
    /// The client's address.
    pub from: String,
}

impl Database {
    /// `api.token_create`: stores what is stored of `token`.
    pub async fn token_create(&self, token: &NewToken, draft: &TokenDraft<'_>, origin: &Origin) -> Result<(), Error> {
        self.token_store(&token.public_id, &token.hash(), draft, origin).await
    }

    /// `api.token_create`, for a token whose secret others keep.
    pub async fn token_store(
        &self,
        public_id: &str,
        hash: &SecretHash,
        draft: &TokenDraft<'_>,
        origin: &Origin,
    ) -> Result<(), Error> {
        let scopes: Vec<&str> = draft.scopes.iter().map(|scope| scope.as_str()).collect();
        let value = json!({
            "public_id": public_id, "name": draft.name, "secret_hash": hash.hex(), "scopes": scopes,
            "dialect": draft.dialect, "parent": draft.parent, "expires_at": draft.expires_at,
        });
        self.write(
            "token_create",
            Repeat::Never,
            "select api.token_create($1, $2)",
            &[(&Json(&value), Type::JSONB), (&Json(&origin.value()), Type::JSONB)],
        )
        .await?;
        Ok(())
    }

    /// `api.token_version`: moves with every change of a token.
    pub async fn token_version(&self) -> Result<i64, Error> {
        let rows = self
            .trailing_read("token_version", "select api.token_version()", &[])
            .await?;
        Ok(rows.first().map_or(0, |row| row.get(0)))
    }

    /// `api.token_list`: live tokens, oldest first; with those that OAuth 2.0 lent when asked for.
    pub async fn token_list(&self, with_access_tokens: bool) -> Result<Vec<Token>, Error> {
        let rows = self
            .trailing_read(
                "token_list",
                "select * from api.token_list($1)",
                &[(&with_access_tokens, Type::BOOL)],
            )
            .await?;
        rows.iter()
            .map(|row| {
                let hash: Vec<u8> = row.get("secret_hash");
                let scopes: Vec<String> = row.get("scopes");
                Ok(Token {
                    public_id: row.get("public_id"),
                    name: row.get("name"),
                    hash: SecretHash(
                        hash.try_into()
                            .map_err(|_| Error::Internal("a token hash is not 32 bytes long".into()))?,
                    ),
                    // A scope of a later release is one that this release does not honour.
                    scopes: scopes.iter().filter_map(|scope| scope.parse().ok()).collect(),
                    dialect: row.get("dialect"),
                    parent: row.get("parent"),
                    created: row.get("created"),
                    created_by: row.get("created_by"),
                    expires_at: row.get("expires_at"),
                    last_used_at: row.get("last_used_at"),
                    last_used_from: row.get("last_used_from"),
                })
            })
            .collect()
    }

    /// `api.token_revoke`: by name or public id, or all; returns the public ids.
    pub async fn token_revoke(&self, name: Option<&str>, origin: &Origin) -> Result<Vec<String>, Error> {
        let rows = self
            .write(
                "token_revoke",
                Repeat::Idempotent,
                "select api.token_revoke($1, $2)",
                &[(&name, Type::TEXT), (&Json(&origin.value()), Type::JSONB)],
            )
            .await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// `api.token_touch`: notes last uses, a batch at a time.
    pub async fn token_touch(&self, uses: &[TokenUse]) -> Result<(), Error> {
        let value: Value = serde_json::to_value(uses).map_err(|error| Error::Internal(error.to_string()))?;
        self.write(
            "token_touch",
            Repeat::Idempotent,
            "select api.token_touch($1)",
            &[(&Json(&value), Type::JSONB)],
        )
        .await?;
        Ok(())
    }
}

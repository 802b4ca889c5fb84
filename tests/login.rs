//! Sign-in: just-in-time provisioning, sessions and forward-auth.

mod admin_group;
pub mod api;
pub mod browser;
mod forward_auth;
#[cfg(feature = "saml")]
pub mod identity_provider;
pub mod openid;
mod pages;
pub mod peers;
pub mod provider;
pub mod proxy;
mod reconcile;
#[cfg(feature = "saml")]
mod saml;
mod sessions;
mod storm;

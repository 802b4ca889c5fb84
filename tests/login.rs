//! Sign-in: just-in-time provisioning, sessions and forward-auth.

mod api;
mod browser;
mod openid;
mod provider;
mod proxy;
mod reconcile;
mod sessions;
mod storm;

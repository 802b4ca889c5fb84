//! Sign-in: just-in-time provisioning, sessions and forward-auth.

mod api;
mod proxy;
mod reconcile;
mod sessions;
mod storm;

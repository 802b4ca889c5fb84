//! Sign-in: just-in-time provisioning, sessions and forward-auth.

mod api;
mod reconcile;
mod storm;

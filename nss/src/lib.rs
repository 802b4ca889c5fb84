//! The NSS module `pwb`, the node agent `rollcall-node`, and the shared map between them.
//!
//! Four artefacts come from here. `libnss_pwb.so.2` (the crate in `nss/module/`, over [`map`]) is loaded into every process that asks for
//! a user, so it holds only what an answer from the map needs. `libnss_pwb_full.so` (the crate in `nss/full/`, over [`lookup`]) is loaded for
//! what the map does not answer: it enumerates, and asks the agent. `libnss_pwb_direct.so` (the crate in `nss/direct/`, over
//! [`direct`]) is loaded at the first look-up that really needs the network. `rollcall-node` ([`agent`]) writes the map.
//!
//! Layers, lower ones know nothing of higher ones:
//!
//! | Layer | Modules |
//! |---|---|
//! | rules, formats | [`rules`], [`hash`], [`record`], [`config`], [`clock`] |
//! | the shared map | [`map`] |
//! | the module | [`page`], [`local`], [`ask`], [`breaker`], [`lookup`], [`enumeration`], [`plugin`], [`foreign`], [`fill`] |
//! | the read API | [`contract`], [`net`], [`resolve`], [`tls`], [`http`], [`token`], [`client`], [`direct`] |
//! | the agent | [`agent`] |
//! | what else a node does for its users | [`account`], [`home`] |
#![cfg_attr(not(test), deny(clippy::expect_used, clippy::panic, clippy::indexing_slicing))]
#![deny(unsafe_code)]

pub mod account;
pub mod agent;
pub mod ask;
pub mod breaker;
pub mod client;
pub mod clock;
pub mod config;
pub mod contract;
pub mod direct;
pub mod enumeration;
pub mod fill;
pub mod foreign;
pub mod hash;
pub mod home;
pub mod http;
pub mod local;
pub mod lookup;
pub mod map;
pub mod net;
pub mod page;
pub mod plugin;
pub mod record;
pub mod resolve;
pub mod rules;
pub mod tls;
pub mod token;

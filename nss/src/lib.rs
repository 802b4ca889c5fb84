//! The NSS module `pwb`.

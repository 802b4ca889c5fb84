//! The configuration reader: any text gives a configuration within its bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollcall_nss::config::{ADDRESSES_MAX, parse};

fuzz_target!(|bytes: &[u8]| {
    let (config, _) = parse(&String::from_utf8_lossy(bytes));
    assert!(config.addresses.len() <= ADDRESSES_MAX);
    assert!((50..=30_000).contains(&config.request_timeout_ms) && config.negative_ttl_s <= 15);
    for address in &config.addresses {
        assert!(address.host_header().bytes().all(|byte| (0x21..0x7f).contains(&byte)));
    }
});

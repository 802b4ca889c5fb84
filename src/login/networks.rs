//! Networks a proxy may connect from, in CIDR notation (RFC 4632, RFC 4291 §2.3).

use std::net::IpAddr;

use anyhow::{Context, bail};

/// A list of networks.
#[derive(Debug, Clone)]
pub struct Networks(Vec<Network>);

/// The first bits of an address in its 128-bit form; IPv4 as IPv4-mapped IPv6.
#[derive(Debug, Clone, Copy)]
struct Network {
    bits: u128,
    mask: u128,
}

impl Networks {
    /// Reads networks such as `10.0.0.0/8`, `fd00::/8` or a single address. Raises an entry that is none, with bits behind
    /// its prefix, or that would trust everybody.
    pub fn parse(entries: &[String]) -> anyhow::Result<Self> {
        entries
            .iter()
            .map(|entry| parse(entry))
            .collect::<anyhow::Result<_>>()
            .map(Self)
    }

    /// Whether `address` lies in one of them. An IPv4-mapped IPv6 address counts as the IPv4 address that it is.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = wide(address);
        self.0.iter().any(|network| address & network.mask == network.bits)
    }
}

fn parse(entry: &str) -> anyhow::Result<Network> {
    let (address, prefix) = entry.split_once('/').unwrap_or((entry, ""));
    let address: IpAddr = address.parse().with_context(|| format!("{entry:?} is no network"))?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let length: u32 = match prefix {
        "" if !entry.contains('/') => longest,
        digits => digits
            .parse()
            .with_context(|| format!("{entry:?} has no prefix length"))?,
    };
    if length > longest {
        bail!("{entry:?} has a prefix longer than {longest} bits");
    }
    if length == 0 {
        bail!("{entry:?} would trust everybody");
    }
    let mask = u128::MAX << (longest - length).min(127);
    let bits = wide(address);
    if bits & !mask != 0 {
        bail!("{entry:?} has bits behind its prefix");
    }
    Ok(Network { bits, mask })
}

fn wide(address: IpAddr) -> u128 {
    let address = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    address.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(entries: &[&str]) -> anyhow::Result<Networks> {
        Networks::parse(&entries.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn addresses_are_compared_by_bits() {
        let list = networks(&["10.0.0.0/8", "192.0.2.7", "2001:db8::/33", "fe80::1"]).unwrap();
        for inside in [
            "10.255.0.1",
            "::ffff:10.1.2.3",
            "192.0.2.7",
            "2001:db8:7fff::1",
            "fe80::1",
        ] {
            assert!(list.contain(inside.parse().unwrap()), "{inside}");
        }
        for outside in [
            "11.0.0.1",
            "192.0.2.70",
            "192.0.2.8",
            "2001:db8:8000::1",
            "::10.0.0.1",
            "fe80::2",
            "::1",
        ] {
            assert!(!list.contain(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn what_is_no_network_or_everybody_is_refused() {
        for entry in [
            "",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "::/0",
            "0.0.0.0/0",
            "example.org",
            "10.0.0.0/-1",
        ] {
            assert!(networks(&[entry]).is_err(), "{entry}");
        }
    }
}

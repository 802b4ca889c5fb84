//! Database hosts as network namespaces on one bridge; the bridge, the balancers, the replicas and the clients are the hub.

use std::process::Command;

use super::files::ACCOUNT;
use super::share::Share;
use super::{output, slow};
use crate::harness::children::{self, Running};

/// The bridge's name; the namespace is the test's own, so no other can have it.
const BRIDGE: &str = "hub";

/// Addresses of the hub: the replicas' and the balancer's.
const HUB: [&str; 4] = ["10.77.0.21", "10.77.0.22", "10.77.0.23", "10.77.0.30"];

/// Makes the bridge with the addresses of the hub.
pub fn build_hub() {
    ip("link set lo up");
    ip(&format!("link add {BRIDGE} type bridge"));
    for address in HUB {
        ip(&format!("address add {address}/24 dev {BRIDGE}"));
    }
    ip(&format!("link set {BRIDGE} up"));
}

/// A host with an address of its own.
pub struct Host {
    /// `db1`, `db2`, `db3`.
    pub name: String,
    /// Its IPv4 address.
    pub address: String,
    /// Its share of the processors.
    pub share: Share,
    link: String,
    holder: Running,
    is_slow: bool,
}

impl Host {
    /// A new host, `number` from 1.
    pub fn create(number: u8) -> Self {
        let mut holder = children::mortal("unshare");
        holder.args(["--net", "sleep", "infinity"]);
        let holder = children::start(holder);
        let (name, address) = (format!("db{number}"), format!("10.77.0.{}", 10 + number));
        let link = format!("to-{name}");
        let host = Self {
            share: Share::of(&name),
            name,
            address,
            link,
            holder,
            is_slow: false,
        };
        host.await_namespace();
        let (link, pid) = (&host.link, host.holder.id());
        ip(&format!("link add {link} type veth peer name eth0 netns {pid}"));
        ip(&format!("link set {link} master {BRIDGE} up"));
        for inside in [
            "link set lo up".to_owned(),
            format!("address add {}/24 dev eth0", host.address),
            "link set eth0 up".to_owned(),
        ] {
            host.ip(&inside);
        }
        host
    }

    /// A command that runs on the host as the servers' account and dies with the test.
    pub fn command(&self, program: &str) -> Command {
        let mut command = self.enter("setpriv");
        command
            .args(["--reuid", ACCOUNT, "--regid", ACCOUNT, "--init-groups"])
            .args(["--pdeathsig", "KILL", "--", program])
            .current_dir("/");
        command
    }

    /// Cuts it off the network, or joins it again. Its processes live on.
    pub fn set_link(&self, up: bool) {
        ip(&format!("link set {} {}", self.link, if up { "up" } else { "down" }));
    }

    /// Cuts it off the other hosts but not off the hub, or undoes that.
    pub fn set_alone(&self, alone: bool) {
        let word = if alone { "on" } else { "off" };
        output(Command::new("bridge").args(["link", "set", "dev", &self.link, "isolated", word]));
    }

    /// Puts a slow and lossy network ([`slow`]) in front of it, under the same addresses.
    pub fn slow_down(&mut self) {
        let (hub_side, host_side) = (format!("slow-{}", self.name), format!("eth1-{}", self.name));
        slow::connect(&hub_side, &host_side);
        let shown = output(self.enter("ip").args(["-o", "link", "show", "eth0"]));
        let card = shown.split_whitespace().skip_while(|word| *word != "link/ether").nth(1);
        ip(&format!(
            "link set {host_side} address {}",
            card.expect("an Ethernet address")
        ));
        ip(&format!("link set {host_side} netns {}", self.holder.id()));
        self.set_link(false);
        self.ip(&format!("address del {}/24 dev eth0", self.address));
        self.ip(&format!("address add {}/24 dev {host_side}", self.address));
        self.ip(&format!("link set {host_side} up"));
        ip(&format!("link set {hub_side} master {BRIDGE} up"));
        self.is_slow = true;
    }

    /// Undoes [`slow_down`](Self::slow_down).
    pub fn speed_up(&mut self) {
        if !std::mem::take(&mut self.is_slow) {
            return;
        }
        ip(&format!("link del slow-{}", self.name));
        self.ip(&format!("link del eth1-{}", self.name));
        self.ip(&format!("address add {}/24 dev eth0", self.address));
        self.set_link(true);
    }

    /// `ip` on the host.
    fn ip(&self, words: &str) {
        output(self.enter("ip").args(words.split(' ')));
    }

    fn enter(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net=/proc/{}/ns/net", self.holder.id()))
            .arg("--")
            .arg(program);
        command
    }

    /// The holder has left the hub's namespace once its own differs.
    fn await_namespace(&self) {
        let namespace = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/net")).ok();
        let own = namespace("self");
        let pid = self.holder.id().to_string();
        for _ in 0..500 {
            if namespace(&pid).is_some_and(|there| Some(there) != own) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("no network namespace for {}", self.name);
    }
}

fn ip(words: &str) {
    output(Command::new("ip").args(words.split(' ')));
}

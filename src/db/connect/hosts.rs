//! The hosts of a connection string one by one.

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::Address;

impl Address {
    /// An address for each host that the connection string names, in its order.
    pub(in crate::db) fn each_host(&self) -> Vec<Self> {
        let hosts = self.config.get_hosts().iter().enumerate();
        hosts
            .map(|(place, host)| Self {
                config: at_host(&self.config, place, host),
                tls: self.tls.clone(),
            })
            .collect()
    }
}

/// The same with one of its hosts: the driver's configuration takes further hosts, and gives none back.
fn at_host(all: &Config, place: usize, host: &Host) -> Config {
    let mut one = Config::new();
    match host {
        Host::Tcp(name) => one.host(name),
        Host::Unix(folder) => one.host_path(folder),
    };
    if let Some(address) = all.get_hostaddrs().get(place) {
        one.hostaddr(*address);
    }
    // libpq's rule: one port is that of all hosts.
    if let Some(port) = all.get_ports().get(place).or(all.get_ports().first()) {
        one.port(*port);
    }
    one.ssl_mode(all.get_ssl_mode())
        .ssl_negotiation(all.get_ssl_negotiation())
        .channel_binding(all.get_channel_binding())
        .target_session_attrs(all.get_target_session_attrs())
        .keepalives(all.get_keepalives())
        .keepalives_idle(all.get_keepalives_idle());
    if let Some(user) = all.get_user() {
        one.user(user);
    }
    if let Some(password) = all.get_password() {
        one.password(password);
    }
    if let Some(database) = all.get_dbname() {
        one.dbname(database);
    }
    if let Some(options) = all.get_options() {
        one.options(options);
    }
    if let Some(name) = all.get_application_name() {
        one.application_name(name);
    }
    if let Some(time) = all.get_connect_timeout() {
        one.connect_timeout(*time);
    }
    if let Some(time) = all.get_tcp_user_timeout() {
        one.tcp_user_timeout(*time);
    }
    if let Some(time) = all.get_keepalives_interval() {
        one.keepalives_interval(time);
    }
    if let Some(times) = all.get_keepalives_retries() {
        one.keepalives_retries(times);
    }
    one
}

//! A certificate authority and one server certificate for all addresses, so that every connection to PostgreSQL is
//! `verify-full`.

use std::process::Command;

use super::files::Folder;
use super::output;

/// Writes `ca.pem`, `server.pem` and `server.key` into `etc/rollcall-ha`.
pub fn write(folder: &Folder) {
    let at = |name: &str| folder.path("etc/rollcall-ha").join(name);
    let key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ];
    output(
        Command::new("openssl")
            .args(["req", "-x509", "-subj", "/CN=rollcall test authority"])
            .args(key)
            .arg("-keyout")
            .arg(at("ca.key"))
            .arg("-out")
            .arg(at("ca.pem")),
    );
    let names = ["11", "12", "13", "30"]
        .map(|host| format!("IP:10.77.0.{host}"))
        .join(",");
    output(
        Command::new("openssl")
            .args(["req", "-x509", "-subj", "/CN=rollcall test server"])
            .args(key)
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-addext", &format!("subjectAltName={names}")])
            .arg("-CA")
            .arg(at("ca.pem"))
            .arg("-CAkey")
            .arg(at("ca.key"))
            .arg("-keyout")
            .arg(at("server.key"))
            .arg("-out")
            .arg(at("server.pem")),
    );
    output(Command::new("chmod").arg("0600").arg(at("server.key")));
    folder.give_away();
}

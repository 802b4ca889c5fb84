//! `rollcall doctor --scope node`: each fault of a node's set-up is found.

use std::path::Path;

use serde_json::Value;

use super::agent;
use super::machine::{Machine, assert_found};
use crate::harness::Rollcall;
use crate::harness::command::run;
use crate::harness::database::Role;

/// The file it is in, how it is planted, the check that finds it, and what is said.
type Fault<'a> = (&'a str, Box<dyn Fn() + 'a>, &'a str, &'a str);

/// The module, in one of the folders of the loader.
const MODULE: &str = "usr/lib64/libnss_pwb.so.2";

/// A node on which everything is right, with a running service.
pub async fn node() -> (Rollcall, Machine) {
    let rollcall = Rollcall::start().await;
    let machine = Machine::new();
    let folder = machine.0.join("etc/rstudio");
    let url = rollcall.service.url("read");
    rollcall
        .command(&[
            "nss-conf",
            "install",
            "--folder",
            folder.to_str().unwrap(),
            "--server-address",
            &url,
        ])
        .succeeded();
    // On a node the files are beneath /etc/rstudio; here the folder of the test took its place.
    machine.write("etc/rstudio/workbench-nss.conf", &format!("server-address={url}\n"));
    machine.write(
        "etc/nsswitch.conf",
        "passwd: files systemd pwb sss\ngroup: files pwb [NOTFOUND=return] sss # us\nshadow: files pwb\n",
    );
    machine.write(MODULE, "\x7fELF _nss_pwb_getpwnam_r");
    agent::start(&machine, &url).await;
    (rollcall, machine)
}

/// What is found on a node, its agent aside where there can be none.
fn findings(machine: &Machine, uri: &str) -> (i32, Vec<Value>) {
    let (code, mut found) = super::machine::findings("node", machine, uri, &[]);
    found.retain(|finding| finding["check"] != "agent" || agent::may_be_there(machine));
    (code, found)
}

#[tokio::test]
async fn a_good_node_has_no_finding() {
    let (rollcall, machine) = node().await;
    let uri = rollcall.database.uri(Role::App);
    assert_eq!(findings(&machine, &uri), (0, vec![]));
    rollcall.finish().await;
}

#[tokio::test]
async fn a_node_needs_no_settings_of_the_service() {
    let (rollcall, machine) = node().await;
    let arguments = ["doctor", "--scope", "node", "--root", machine.root()];
    for settings in [&[][..], &[("ROLLCALL_DATABASE_POOL_SIZE", "many")]] {
        let told = run(&arguments, settings).succeeded().stdout;
        assert!(told.contains("nsswitch"), "{told}");
    }
    machine.remove("etc/nsswitch.conf");
    assert_eq!(run(&arguments, &[]).code, 1);
    rollcall.finish().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of faults, one after the other")]
async fn faults_of_a_node_are_each_found() {
    let (rollcall, machine) = node().await;
    rollcall.command(&["user", "add", "jane"]).succeeded();
    let uri = rollcall.database.uri(Role::App);
    let url = rollcall.service.url("read");
    let good = |path: &str| std::fs::read_to_string(machine.0.join(path)).unwrap();
    let switch = "etc/nsswitch.conf";
    let conf = "etc/rstudio/workbench-nss.conf";
    let token = "etc/rstudio/user-token";
    let text = |path: &'static str, text: &str| {
        let text = text.to_owned();
        let machine = &machine;
        Box::new(move || drop(machine.write(path, &text))) as Box<dyn Fn()>
    };
    let mut faults: Vec<Fault<'_>> = vec![
        (
            switch,
            text(switch, "passwd: files sss\ngroup: files pwb\nshadow: files pwb\n"),
            "nsswitch",
            "not asked for passwd",
        ),
        (
            switch,
            text(switch, "passwd: files pwb\ngroup: files sss pwb\nshadow: files pwb\n"),
            "nsswitch",
            "sss hides",
        ),
        (
            switch,
            text(switch, "passwd: pwb files\ngroup: files pwb\nshadow: files pwb\n"),
            "nsswitch",
            "first",
        ),
        (
            switch,
            text(switch, "passwd: files pwb\ngroup: files pwb\n"),
            "nsswitch",
            "not asked for shadow",
        ),
        (
            switch,
            text(
                switch,
                "passwd: files [NOTFOUND=return] pwb\ngroup: files pwb\nshadow: files pwb\n",
            ),
            "nsswitch",
            "nobody else is asked",
        ),
        (MODULE, Box::new(|| machine.remove(MODULE)), "module", "no folder"),
        (MODULE, text(MODULE, ""), "module", "is empty"),
        (
            MODULE,
            text(MODULE, "_nss_pwb_getpwnam_r"),
            "module",
            "no shared object",
        ),
        (
            MODULE,
            text(MODULE, "\x7fELF _nss_sss_getpwnam_r"),
            "module",
            "another module",
        ),
        (conf, Box::new(|| machine.remove(conf)), "configuration", "No such file"),
        (
            conf,
            text(conf, "user-token-path=/etc/rstudio/user-token\n"),
            "configuration",
            "server-address is missing",
        ),
        (
            conf,
            text(conf, &format!("server-address={url}\nserver-adress=x\n")),
            "configuration",
            "server-adress",
        ),
        (
            conf,
            text(conf, &format!("server-address={url}\nverify-ssl-certs=0\n")),
            "configuration",
            "believed",
        ),
        (
            conf,
            text(conf, "server-address=rollcall.example.org\n"),
            "configuration",
            "server-address is missing",
        ),
        (
            conf,
            text(
                conf,
                &format!("server-address={url}\nminimum-id=5000\nmaximum-id=4000\n"),
            ),
            "configuration",
            "above maximum-id",
        ),
        (
            conf,
            text(conf, "server-address=http://127.0.0.1:1\n"),
            "look-up",
            "127.0.0.1:1",
        ),
        (
            token,
            text(
                token,
                "rc_0123456789abcdef.0000000000000000000000000000000000000000000\n",
            ),
            "look-up",
            "refuses the token",
        ),
        (token, text(token, "\n"), "user token", "empty"),
        (
            "etc/passwd",
            text("etc/passwd", "jane:x:1001:1001::/:/bin/sh\n"),
            "local accounts",
            "jane (1001)",
        ),
    ];
    for (line, words) in [
        ("minimum-id=soon", "line 2: minimum-id"),
        ("request-timeout-ms=abc", "line 2: request-timeout-ms"),
        ("enumerate=perhaps", "line 2: enumerate"),
        ("home-mode=9999", "line 2: home-mode"),
        ("home-hook=relative", "line 2: home-hook"),
        ("direct-mode=x", "line 2: direct-mode"),
        ("direct-mode", "line 2: not of the form"),
    ] {
        let value = text(conf, &format!("server-address={url}\n{line}\n"));
        faults.push((conf, value, "configuration", words));
    }
    for (path, plant, check, words) in faults {
        let before = good(path);
        plant();
        assert_found(&findings(&machine, &uri).1, check, words);
        machine.write(path, &before);
    }
    for (path, wrong, right, check) in [
        ("etc/rstudio/admin-token", 0o644, 0o600, "admin token"),
        (token, 0o600, 0o644, "user token"),
        (conf, 0o666, 0o644, "configuration"),
    ] {
        machine.mode(path, wrong);
        assert_found(
            &findings(&machine, &uri).1,
            check,
            Path::new(path).file_name().unwrap().to_str().unwrap(),
        );
        machine.mode(path, right);
    }
    machine.write("run/nscd/socket", "");
    assert_found(&findings(&machine, &uri).1, "nscd", "passwd and group");
    machine.write("etc/nscd.conf", "enable-cache passwd no\n\tenable-cache\tgroup\tno\n");
    assert_eq!(findings(&machine, &uri), (0, vec![]), "and no finding is left behind");
    rollcall.finish().await;
}

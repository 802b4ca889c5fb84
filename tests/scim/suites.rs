//! What suites that others wrote find. Each is skipped with a message where it cannot be had.

use crate::harness::Rollcall;
use crate::harness::children::mortal;
use crate::login::peers::installed;

/// How many checks scim2-tester 0.5.2 makes of what the dialect `core` shows, at least: fewer mean that it gave up early.
const CHECKS: usize = 120;

#[tokio::test]
async fn scim2_tester_finds_no_fault_in_what_the_dialect_core_shows() {
    let Some(scim) = installed("scim2-tester") else { return };
    let rollcall = Rollcall::start_unlimited(&[]).await;
    let token = rollcall.token(&["--dialect", "core"]);
    let output = mortal(&scim)
        .env("SCIM_CLI_HEADERS", format!("Authorization: Bearer {token}"))
        .args(["--url", &format!("{}/scim/v2", rollcall.service.url("api")), "test"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let lines = |status: &str| told.lines().filter(|line| line.starts_with(status)).count();
    assert!(
        output.status.success() && lines("ERROR ") == 0,
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(lines("SUCCESS ") >= CHECKS, "{told}");
    rollcall.finish().await;
}

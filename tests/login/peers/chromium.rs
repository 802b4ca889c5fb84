//! Chromium looks at pages: what its scripts saw, and what holds for every page of ours.

use std::path::Path;

use serde_json::{Value, json};

use super::installed;
use crate::harness::children::mortal;

/// What this script of `tests/peers/chromium` saw by its plan; `None`, with a message, where there is no Chromium.
pub fn visit(script: &str, plan: &Value) -> Option<Value> {
    let cache = installed("chromium")?;
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/chromium");
    let output = mortal("node")
        .arg(scripts.join(script))
        .arg(cache)
        .arg(plan.to_string())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// Fails unless the page is silent, free of axe's findings, without script, narrow enough, and Tab reaches every control in order,
/// visibly.
pub fn expect_usable(seen: &Value) {
    for empty in ["complaints", "violations"] {
        assert_eq!(seen[empty], json!([]), "{seen:#}");
    }
    let facts = [&seen["scripts"], &seen["language"], &seen["narrow"]];
    assert_eq!(facts, [&json!(0), &json!("en"), &json!(true)], "{seen:#}");
    let stops = seen["keyboard"].as_array().unwrap();
    let reached: Vec<&Value> = stops.iter().map(|stop| &stop["text"]).collect();
    let controls: Vec<&Value> = seen["controls"].as_array().unwrap().iter().collect();
    assert_eq!(reached, controls, "Tab goes from one to the next: {seen:#}");
    assert!(stops.iter().all(|stop| stop["seen"] == true), "{seen:#}");
}

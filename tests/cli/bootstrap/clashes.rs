//! Entries of one file that stand in each other's way: a dry run promises nothing that the run refuses.

use super::Folder;
use crate::harness::Rollcall;

#[tokio::test]
async fn entries_that_clash_within_the_file_are_refused_by_the_dry_run_and_the_run_alike() {
    let folder = Folder::new();
    let rollcall = Rollcall::start().await;
    let text = "[[settings.reserved-ids]]\nfirst = 5000\nlast = 5999\nreason = \"x\"\nhard = true\n\
                [[user]]\nuser-name = \"jane@example.org\"\n\
                [[user]]\nuser-name = \"j.doe@example.org\"\nposix-name = \"jane\"\n\
                [[user]]\nuser-name = \"low\"\nuid = 5001\n\
                [[group]]\ndisplay-name = \"Team\"\nmembers = [\"low\"]\n\
                [[group]]\ndisplay-name = \"Lab\"\nposix-name = \"jane\"\n";
    let file = folder.write("team.toml", text);
    let run = |arguments: &[&str]| {
        let told = rollcall.command(&[&["bootstrap", &file, "--output", "json"], arguments].concat());
        assert_eq!(told.code, 3, "{}", told.stderr);
        let entries = told.json()["entries"].as_array().unwrap().clone();
        let told = entries.into_iter().map(|entry| {
            let (line, action) = (entry["line"].as_u64().unwrap(), entry["action"].clone());
            (line, action.as_str().unwrap().to_owned())
        });
        told.collect::<Vec<_>>()
    };
    let dry = run(&["--dry-run"]);
    let expected = [
        (2, "create"),
        (7, "create"),
        (9, "conflict"),
        (12, "conflict"),
        (15, "conflict"),
        (18, "conflict"),
    ];
    assert_eq!(dry, expected.map(|(line, action)| (line, action.to_owned())));
    assert_eq!(run(&[]), dry);
    // The one who got the name keeps it, and the next start says the same of the others.
    let again = run(&["--dry-run"]);
    let kept = |(line, action): &(u64, String)| (*line < 9 && action == "keep") || (*line >= 9 && action == "conflict");
    assert!(again.iter().all(kept), "{again:?}");
    rollcall.finish().await;
}

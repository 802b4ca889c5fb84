//! What is wrong usage or a wrong file, and not a refusal: exit code 2.

use crate::harness::Rollcall;
use crate::harness::command::run;
use crate::harness::database::Role;

#[tokio::test]
async fn wrong_usage_and_files_that_are_none_end_with_two() {
    let rollcall = Rollcall::start().await;
    let folder = std::env::temp_dir().join(format!("rollcall-usage-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir(&folder).unwrap();
    let no_toml = folder.join("no.toml");
    std::fs::write(&no_toml, "this is = = no TOML\n").unwrap();
    let no_toml = no_toml.to_str().unwrap();
    for (arguments, words) in [
        (vec!["ids", "reserve", "6000", "5000", "--reason", "robots"], "higher"),
        (vec!["ids", "reserve", "5000", "6000", "--reason", " "], "--reason"),
        (vec!["ids", "release", "6000", "5000"], "higher"),
        (vec!["bootstrap"], "bootstrap-file"),
        (vec!["bootstrap", "/nonexistent"], "cannot read /nonexistent"),
        (vec!["bootstrap", no_toml], "not applied"),
        (
            vec!["user", "import", "--format", "passwd", "/nonexistent"],
            "cannot open /nonexistent",
        ),
        (vec!["user", "import", "--format", "group", no_toml], "passwd"),
        (vec!["user", "export", "--format", "ldif"], "csv"),
        (vec!["user", "import", "--format", "passwd", "/"], "folder"),
        (
            vec!["user", "import", "--format", "passwd", "--domain", "", no_toml],
            "example.org",
        ),
        (
            vec!["user", "import", "--ldap-uri", "example.org", "--ldap-base", "dc=x"],
            "ldaps://",
        ),
        (vec!["user", "list", "--filter", "userName zz"], "filter"),
        (vec!["user", "ssh-keys", "jane", "--add", "/nonexistent"], "cannot read"),
        (
            vec!["nss-conf", "generate", "--server-address", "nonsense"],
            "unix:/path",
        ),
    ] {
        let outcome = rollcall.command(&arguments);
        assert_eq!(outcome.code, 2, "{arguments:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(words), "{arguments:?}: {}", outcome.stderr);
    }
    rollcall
        .command(&["ids", "reserve", "5000", "6000", "--reason", "robots"])
        .succeeded();
    let overlap = rollcall.command(&["ids", "reserve", "5500", "5600", "--reason", "others"]);
    assert_eq!(overlap.code, 3, "a rule of the database: {}", overlap.stderr);
    std::fs::remove_dir_all(folder).unwrap();
    rollcall.finish().await;
}

#[tokio::test]
async fn a_token_whose_file_is_lost_is_told_to_people_too() {
    let rollcall = Rollcall::start().await;
    let folder = std::env::temp_dir().join(format!("rollcall-lost-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir(&folder).unwrap();
    let token = folder.join("token");
    let file = folder.join("team.toml");
    let text = format!(
        "[[token]]\nname = \"okta\"\nscopes = [\"scim\"]\nfile = {:?}\n",
        token.to_str().unwrap()
    );
    std::fs::write(&file, text).unwrap();
    let uri = rollcall.database.uri(Role::App);
    let apply = || {
        run(
            &["bootstrap", file.to_str().unwrap()],
            &[("ROLLCALL_DATABASE_URI", &uri)],
        )
        .succeeded()
    };
    assert!(apply().stdout.contains("created"));
    assert!(apply().stdout.contains("as the file says"));
    std::fs::remove_file(&token).unwrap();
    let told = apply().stdout;
    assert!(
        told.contains("kept") && told.contains("is missing, and a token of this name is valid"),
        "{told}"
    );
    std::fs::remove_dir_all(folder).unwrap();
    rollcall.finish().await;
}

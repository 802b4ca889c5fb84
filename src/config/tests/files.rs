//! The configuration file and the files of secrets.

use super::*;
use crate::config::file::LARGEST_FILE;
use crate::config::{Database, Secret};

fn uri(config: &Config) -> String {
    let Database::External(external) = &config.database else {
        panic!("expected a database that is given")
    };
    external.uri.as_ref().map(Secret::expose).unwrap().to_owned()
}

/// Sources whose file holds `content`, and nothing else.
fn file_only(content: &str) -> (Scratch, Sources) {
    let (file, sources) = with_file(content);
    (
        file,
        Sources {
            flags: BTreeMap::new(),
            ..sources
        },
    )
}

#[test]
fn the_default_file_may_be_absent_but_a_named_one_may_not() {
    let mut sources = sources();
    assert!(load(&sources).is_ok());
    sources.file.named_at = Origin::Environment("ROLLCALL_CONFIG".to_owned());
    assert!(error(&sources).starts_with("environment ROLLCALL_CONFIG: cannot read /nonexistent/rollcall.conf: "));
}

#[test]
fn comments_blank_lines_and_blanks_around_key_and_value_are_passed_over() {
    let (_file, sources) = with_file("\u{feff}# one\n  \n\t# two\n user-homedir-path =  /srv/home # three\r\n");
    assert_eq!(load(&sources).unwrap().provisioning.homedir_path, "/srv/home");
}

#[test]
fn a_hash_inside_a_value_is_part_of_it() {
    let (_file, sources) = file_only("database-uri=postgres://app:a#b=c@db/rollcall\n");
    assert_eq!(uri(&load(&sources).unwrap()), "postgres://app:a#b=c@db/rollcall");
}

#[test]
fn a_line_without_an_equals_sign_is_refused_without_repeating_it() {
    for line in ["listen 127.0.0.1:1", "=x", "two words=1", "[section]"] {
        let (file, sources) = with_file(&format!("role=all\n{line}\n"));
        let expected = format!(
            "{}:2: expected key=value, a comment beginning with #, or a blank line",
            file.text()
        );
        assert_eq!(error(&sources), expected);
    }
}

#[test]
fn a_key_that_stands_twice_is_refused_with_both_lines() {
    let (file, sources) = with_file("www-port=1\nrole=all\n\nrole=read\n");
    let path = file.text();
    assert_eq!(
        error(&sources),
        format!("{path}:4: role is set a second time; the first is at {path}:2")
    );
}

#[test]
fn a_file_that_is_too_large_or_not_text_is_refused() {
    let (_file, sources) = with_file(&"#".repeat(usize::try_from(LARGEST_FILE).unwrap() + 1));
    assert!(error(&sources).ends_with("the file is larger than 1 MiB"));
    let file = Scratch::new(b"role=\xff\xfe\n");
    let named = ConfigFile {
        path: file.path().to_owned(),
        named_at: Origin::Flag("config".to_owned()),
    };
    assert!(
        error(&Sources {
            file: named,
            ..self::sources()
        })
        .contains("UTF-8")
    );
}

#[test]
fn a_secret_comes_from_a_file_without_its_last_newline() {
    for content in [
        "postgres://db/rollcall",
        "postgres://db/rollcall\n",
        "postgres://db/rollcall\r\n",
    ] {
        let secret = Scratch::new(content);
        let (_file, sources) = file_only(&format!("database-uri-file={}\n", secret.text()));
        let config = load(&sources).unwrap();
        assert_eq!(uri(&config), "postgres://db/rollcall");
        let shown = config
            .effective()
            .find(|row| row.setting.name == "database-uri")
            .unwrap();
        assert_eq!(shown.shown, "(hidden)");
    }
}

#[test]
fn an_empty_or_many_lined_secret_file_is_refused() {
    for (content, fault) in [
        ("", "is empty"),
        ("\n", "is empty"),
        ("a\nb\n", "holds more than one line"),
        ("a\n\n", "holds more than one line"),
    ] {
        let secret = Scratch::new(content);
        let (file, sources) = file_only(&format!("database-uri-file={}\n", secret.text()));
        let expected = format!(
            "{}:1: the file {} that should hold database-uri {fault}",
            file.text(),
            secret.text()
        );
        assert_eq!(error(&sources), expected);
    }
}

#[test]
fn a_missing_secret_file_is_refused() {
    let (file, sources) = file_only("database-uri-file=/nonexistent/uri\n");
    assert!(error(&sources).starts_with(&format!("{}:1: cannot read /nonexistent/uri: ", file.text())));
}

#[test]
fn a_secret_given_twice_at_one_level_is_refused_and_at_two_levels_the_higher_wins() {
    let secret = Scratch::new("postgres://file/rollcall");
    let (file, sources) = file_only(&format!(
        "database-uri=postgres://text/x\ndatabase-uri-file={}\n",
        secret.text()
    ));
    let path = file.text();
    let expected =
        format!("{path}:2: database-uri and database-uri-file are both set; the other is at {path}:1. Keep one");
    assert_eq!(error(&sources), expected);

    let (_file, mut sources) = file_only("database-uri=postgres://text/x\n");
    sources
        .environment
        .push(("ROLLCALL_DATABASE_URI_FILE".to_owned(), secret.text().to_owned()));
    assert_eq!(uri(&load(&sources).unwrap()), "postgres://file/rollcall");
}

#[test]
fn no_secret_shows_in_debug_output_or_errors() {
    let (_file, sources) = file_only("database-uri=postgres://app:hunter2@db/rollcall\n");
    let config = load(&sources).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    let (_file, sources) = file_only("database-uri=hunter2\u{1}\n");
    let message = error(&sources);
    assert!(message.contains("database-uri = (hidden): expected text"), "{message}");
}

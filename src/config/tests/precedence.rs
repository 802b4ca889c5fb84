//! Which source wins, and which names are refused.

use super::*;

#[test]
fn a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default() {
    let (file, mut sources) = with_file("user-homedir-path=/file\n");
    assert_eq!(load(&self::sources()).unwrap().provisioning.homedir_path, "/home");
    assert_eq!(load(&sources).unwrap().provisioning.homedir_path, "/file");
    sources
        .environment
        .push(("ROLLCALL_USER_HOMEDIR_PATH".to_owned(), "/variable".to_owned()));
    assert_eq!(load(&sources).unwrap().provisioning.homedir_path, "/variable");
    sources.flags.insert("user-homedir-path".to_owned(), "/flag".to_owned());
    let config = load(&sources).unwrap();
    assert_eq!(config.provisioning.homedir_path, "/flag");
    let shown = config
        .effective()
        .find(|row| row.setting.name == "user-homedir-path")
        .unwrap();
    assert_eq!(
        (shown.shown.as_str(), shown.origin.to_string().as_str()),
        ("/flag", "flag --user-homedir-path")
    );
    drop(file);
}

#[test]
fn every_setting_has_a_place_in_the_effective_list() {
    let config = load(&variables(&[("ROLLCALL_LOG_LEVEL", "debug")])).unwrap();
    assert_eq!(config.effective().count(), crate::config::settings().count());
    let origin = |name: &str| {
        config
            .effective()
            .find(|row| row.setting.name == name)
            .unwrap()
            .origin
            .to_string()
    };
    assert_eq!(origin("log-level"), "environment ROLLCALL_LOG_LEVEL");
    assert_eq!(origin("listen"), "default");
}

#[test]
fn a_misspelt_key_is_refused_with_file_line_and_the_nearest_name() {
    let (file, sources) = with_file("# ours\n\nuser-provisioning-start-udi=2000\n");
    let expected = format!(
        "{}:3: unknown setting user-provisioning-start-udi; did you mean user-provisioning-start-uid?",
        file.text()
    );
    assert_eq!(error(&sources), expected);
}

#[test]
fn a_misspelt_name_of_a_secrets_file_is_refused() {
    let (_file, sources) = with_file("database-uri-fiel=/etc/rollcall/uri\n");
    assert!(error(&sources).ends_with("unknown setting database-uri-fiel; did you mean database-uri-file?"));
}

#[test]
fn a_key_in_the_wrong_case_is_refused() {
    let (_file, sources) = with_file("Listen=127.0.0.1:1\n");
    assert!(error(&sources).ends_with("unknown setting Listen; did you mean listen?"));
}

#[test]
fn a_misspelt_variable_is_refused_with_the_nearest_variable() {
    let sources = variables(&[("ROLLCALL_DATABASE_URL", "postgres://x")]);
    let expected =
        "environment ROLLCALL_DATABASE_URL: unknown setting ROLLCALL_DATABASE_URL; did you mean ROLLCALL_DATABASE_URI?";
    assert_eq!(error(&sources), expected);
    assert!(error(&variables(&[("ROLLCALL_listen", "127.0.0.1:1")])).contains("did you mean ROLLCALL_LISTEN?"));
}

#[test]
fn unknown_names_far_from_ours_are_ignored_with_one_warning() {
    let (file, mut sources) = with_file("www-port=8787\nserver-user=rstudio-server\n");
    sources
        .environment
        .push(("ROLLCALL_SOMETHING_ELSE_ENTIRELY".to_owned(), "1".to_owned()));
    let warnings = warnings(&sources);
    let expected = format!(
        "ignored 3 settings that Rollcall does not know: ROLLCALL_SOMETHING_ELSE_ENTIRELY (environment \
         ROLLCALL_SOMETHING_ELSE_ENTIRELY), server-user ({path}:2), www-port ({path}:1)",
        path = file.text()
    );
    assert_eq!(warnings.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
}

#[test]
fn an_option_of_workbench_is_never_taken_for_a_misspelling() {
    for option in [
        "auth-saml-sp-base-uri",
        "metrics-port",
        "auth-openid-base-uri",
        "auth-proxy-sign-out-url",
    ] {
        let (_file, sources) = with_file(&format!("{option}=1\n"));
        assert_eq!(warnings(&sources).len(), 1, "{option}");
    }
}

#[test]
fn the_variables_of_a_kubernetes_service_are_passed_over_silently() {
    let sources = variables(&[
        ("ROLLCALL_SERVICE_HOST", "10.0.0.1"),
        ("ROLLCALL_SERVICE_PORT", "8080"),
        ("ROLLCALL_PORT", "tcp://10.0.0.1:8080"),
        ("ROLLCALL_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("ROLLCALL_READ_SERVICE_PORT_HTTP", "8081"),
        ("ROLLCALL_CONFIG", "/etc/rollcall/rollcall.conf"),
        ("PATH", "/bin"),
    ]);
    assert_eq!(warnings(&sources), []);
}

#[test]
fn the_token_file_of_workbench_is_added_to_ours() {
    let mut sources = variables(&[("WORKBENCH_USER_SERVICE_AUTH_TOKEN_PATH", "/etc/rstudio/scim-token")]);
    assert_eq!(
        load(&sources).unwrap().scim.token_files,
        [PathBuf::from("/etc/rstudio/scim-token")]
    );
    sources.flags.insert("scim-token-file".to_owned(), "/a, /b".to_owned());
    let files = load(&sources).unwrap().scim.token_files;
    assert_eq!(
        files,
        [
            PathBuf::from("/a"),
            PathBuf::from("/b"),
            PathBuf::from("/etc/rstudio/scim-token")
        ]
    );
}

//! The private PostgreSQL in a data directory.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rollcall::private_postgres::{DatabaseRole, PrivatePostgres, PrivatePostgresError};
use serde_json::json;
use tokio_postgres::{Client, NoTls};

use crate::harness::client::Scim;
use crate::harness::command::{Outcome, run};
use crate::harness::service::Service;
use crate::harness::wait_until;

const USER: &str = "postgres";

/// A data directory, removed at the end of the test.
struct DataDir(PathBuf);

impl DataDir {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!(
            "rollcall-private-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn connect(private: &PrivatePostgres) -> Client {
    let (client, connection) = tokio_postgres::connect(&private.uri(DatabaseRole::Owner), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

async fn number(client: &Client, query: &str) -> i64 {
    client.query_one(query, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn data_survives_a_stop_and_a_start() {
    let data = DataDir::new();
    let private = PrivatePostgres::start(&data.0, USER).await.unwrap();
    let client = connect(&private).await;
    client
        .batch_execute("create table kept as select 7::bigint as value")
        .await
        .unwrap();
    private.stop().await;
    assert!(client.simple_query("select 1").await.is_err());
    let private = PrivatePostgres::start(&data.0, USER).await.unwrap();
    assert_eq!(number(&connect(&private).await, "select value from kept").await, 7);
    private.stop().await;
}

#[tokio::test]
async fn it_listens_on_no_network_address_and_syncs_its_writes() {
    let data = DataDir::new();
    let private = PrivatePostgres::start(&data.0, USER).await.unwrap();
    let client = connect(&private).await;
    let setting = async |name: &str| -> String {
        client
            .query_one("select current_setting($1)", &[&name])
            .await
            .unwrap()
            .get(0)
    };
    assert_eq!(setting("listen_addresses").await, "");
    assert_eq!(setting("fsync").await, "on");
    assert_eq!(setting("server_encoding").await, "UTF8");
    private.stop().await;
}

#[tokio::test]
async fn a_command_uses_the_running_one_and_leaves_it_running() {
    let data = DataDir::new();
    let service = PrivatePostgres::start(&data.0, USER).await.unwrap();
    let command = PrivatePostgres::attach_or_start(&data.0, USER).await.unwrap();
    assert!(service.is_owned() && !command.is_owned());
    assert_eq!(command.uri(DatabaseRole::App), service.uri(DatabaseRole::App));
    command.stop().await;
    assert_eq!(number(&connect(&service).await, "select 1::bigint").await, 1);
    service.stop().await;
    let command = PrivatePostgres::attach_or_start(&data.0, USER).await.unwrap();
    assert!(command.is_owned());
    command.stop().await;
}

#[tokio::test]
async fn a_command_makes_no_database_where_none_is_and_migrate_does() {
    let data = DataDir::new();
    let folder = data.0.to_str().unwrap();
    let user = |name: &'static str| ["user", "add", name, "--data-dir", folder];
    for is_there in [false, true] {
        if is_there {
            std::fs::create_dir(&data.0).unwrap();
        }
        for arguments in [&user("jane")[..], &["ids", "list", "--data-dir", folder]] {
            let refused = run(arguments, &[]);
            assert_eq!(refused.code, 2, "{}", refused.stderr);
            let wanted = format!("there is no private PostgreSQL in {folder}: check data-dir");
            assert!(refused.stderr.contains(&wanted), "{}", refused.stderr);
        }
        let doctor = run(&["doctor", "--data-dir", folder], &[]);
        assert_eq!(doctor.code, 1);
        assert!(
            doctor.stdout.contains("there is no private PostgreSQL"),
            "{}",
            doctor.stdout
        );
        let is_empty = || std::fs::read_dir(&data.0).unwrap().next().is_none();
        assert!(if is_there { is_empty() } else { !data.0.exists() }, "nothing is made");
    }
    let file = data.0.join("file");
    std::fs::write(&file, "").unwrap();
    assert_eq!(
        run(&["user", "list", "--data-dir", file.to_str().unwrap()], &[]).code,
        2
    );
    run(&["migrate", "--data-dir", folder], &[]).succeeded();
    run(&user("jane"), &[]).succeeded();
}

#[tokio::test]
async fn a_second_start_waits_for_the_first_to_stop() {
    let data = DataDir::new();
    let first = PrivatePostgres::start(&data.0, USER).await.unwrap();
    let folder = data.0.clone();
    let second = tokio::spawn(async move { PrivatePostgres::start(&folder, USER).await });
    tokio::task::yield_now().await;
    assert_eq!(number(&connect(&first).await, "select 1::bigint").await, 1);
    assert!(!second.is_finished(), "the first one still has the lock");
    first.stop().await;
    let second = second.await.unwrap().unwrap();
    assert!(second.is_owned());
    second.stop().await;
}

#[tokio::test]
async fn a_server_that_is_killed_is_started_again_with_what_it_had_committed() {
    let data = DataDir::new();
    let private = PrivatePostgres::start(&data.0, USER).await.unwrap();
    connect(&private)
        .await
        .batch_execute("create table kept as select 7::bigint as value")
        .await
        .unwrap();
    let pid_file = std::fs::read_to_string(data.0.join("postgres/postmaster.pid")).unwrap();
    let pid = pid_file.lines().next().unwrap();
    assert!(
        std::process::Command::new("kill")
            .args(["-s", "KILL", pid])
            .status()
            .unwrap()
            .success()
    );
    let uri = private.uri(DatabaseRole::Owner);
    wait_until("the server is back", Duration::from_secs(20), async || {
        let Ok((client, connection)) = tokio_postgres::connect(&uri, NoTls).await else {
            return false;
        };
        tokio::spawn(connection);
        client
            .query_one("select value from kept", &[])
            .await
            .is_ok_and(|row| row.get::<_, i64>(0) == 7)
    })
    .await;
    private.stop().await;
}

#[tokio::test]
async fn a_cluster_of_another_major_version_is_refused_naming_both() {
    let data = DataDir::new();
    PrivatePostgres::start(&data.0, USER).await.unwrap().stop().await;
    std::fs::write(data.0.join("postgres/PG_VERSION"), "9\n").unwrap();
    let message = PrivatePostgres::start(&data.0, USER).await.unwrap_err().to_string();
    assert!(
        message.contains("was made by PostgreSQL 9, but only PostgreSQL 1"),
        "{message}"
    );
}

#[tokio::test]
async fn an_unfinished_cluster_is_made_anew() {
    let data = DataDir::new();
    std::fs::create_dir_all(data.0.join("postgres.unfinished/base")).unwrap();
    let private = PrivatePostgres::start(&data.0, USER).await.unwrap();
    assert!(!data.0.join("postgres.unfinished").exists());
    private.stop().await;
}

#[tokio::test]
async fn a_data_directory_with_a_long_path_and_a_comma_works() {
    let data = DataDir::new();
    let folder = data.0.join(format!("a,b{}", "x".repeat(120)));
    let private = PrivatePostgres::start(&folder, USER).await.unwrap();
    assert_eq!(number(&connect(&private).await, "select 1::bigint").await, 1);
    private.stop().await;
}

/// A client of a service on a private PostgreSQL, with the token that its first start wrote.
fn client(service: &Service, data: &DataDir) -> Scim {
    let token = std::fs::read_to_string(data.0.join("scim-token")).unwrap();
    Scim::new(format!("{}/scim/v2", service.url("api")), token.trim())
}

fn serve(data: &DataDir) -> Service {
    Service::start(&[("data-dir", data.0.to_str().unwrap())])
}

#[tokio::test]
async fn a_service_that_is_killed_takes_its_database_along_and_finds_everything_again() {
    let data = DataDir::new();
    let mut service = serve(&data);
    let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "jane"});
    let created = client(&service, &data).post("/Users", &user).await.expect(201);
    service.process().kill();
    let service = serve(&data);
    let read = client(&service, &data)
        .get(&format!("/Users/{}", created.id()))
        .await
        .expect(200);
    assert_eq!(read.workbench("posixUserId"), created.workbench("posixUserId"));
}

#[tokio::test]
async fn the_first_token_is_readable_by_its_owner_alone_and_stays_the_same() {
    let data = DataDir::new();
    let mut service = serve(&data);
    let path = data.0.join("scim-token");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let token = std::fs::read_to_string(&path).unwrap();
    assert_eq!(service.stop(Duration::from_secs(20)).await, 0);
    assert!(
        !data.0.join("postgres/postmaster.pid").exists(),
        "PostgreSQL stops with the service"
    );
    let _service = serve(&data);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), token);
}

#[tokio::test]
async fn the_command_line_reaches_the_database_of_the_running_service_and_of_none() {
    let data = DataDir::new();
    let arguments = [
        "user",
        "list",
        "--output",
        "json",
        "--data-dir",
        data.0.to_str().unwrap(),
    ];
    let names = |outcome: Outcome| outcome.succeeded().stdout.contains("jane");
    let mut service = serve(&data);
    let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "jane"});
    client(&service, &data).post("/Users", &user).await.expect(201);
    assert!(names(run(&arguments, &[])));
    client(&service, &data).get("/Users").await.expect(200);
    assert_eq!(service.stop(Duration::from_secs(20)).await, 0);
    assert!(names(run(&arguments, &[])));
}

#[tokio::test]
async fn a_data_directory_that_only_this_user_can_reach_works_for_root_too() {
    let data = DataDir::new();
    std::fs::create_dir(&data.0).unwrap();
    std::fs::set_permissions(&data.0, Permissions::from_mode(0o700)).unwrap();
    match PrivatePostgres::start(&data.0.join("inner"), USER).await {
        Ok(private) => {
            assert_eq!(number(&connect(&private).await, "select 1::bigint").await, 1);
            let owner = |path: &str| std::fs::metadata(data.0.join(path)).unwrap().uid();
            assert_eq!(owner("inner/postgres"), owner("inner"));
            private.stop().await;
        }
        // Root, on a machine without user namespaces.
        Err(error) => assert!(matches!(error, PrivatePostgresError::OnlyRoot { .. }), "{error}"),
    }
}

//! The service behind `PgBouncer` in transaction mode, with fewer server connections than the service has clients.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::harness::children::{self, Running};
use crate::harness::database::{Database, Role};
use crate::harness::postgres::{Postgres, SUPERUSER};
use crate::harness::rollcall::UNLIMITED;
use crate::harness::service::Service;
use crate::harness::{Rollcall, wait_until};

/// A pooler in front of the shared PostgreSQL.
struct Pooler {
    folder: PathBuf,
    _process: Running,
}

impl Pooler {
    async fn start() -> Self {
        let folder = Postgres::shared().sockets().join("pgbouncer");
        std::fs::create_dir(&folder).unwrap();
        let settings = format!(
            "[databases]\n* = host={server}\n[pgbouncer]\npool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 100\n\
             listen_port = 6432\nunix_socket_dir = {folder}\nauth_type = trust\nauth_file = {folder}/users\n",
            server = Postgres::shared().sockets().display(),
            folder = folder.display(),
        );
        std::fs::write(folder.join("pgbouncer.ini"), settings).unwrap();
        std::fs::write(folder.join("users"), "\"rollcall_app\" \"\"\n\"rollcall_read\" \"\"\n").unwrap();
        let is_root = std::fs::metadata(&folder).is_ok_and(|folder| std::os::unix::fs::MetadataExt::uid(&folder) == 0);
        let mut command = if is_root {
            let owned = std::process::Command::new("chown")
                .args(["-R", SUPERUSER])
                .arg(&folder)
                .status()
                .unwrap();
            assert!(owned.success());
            children::mortal_as(SUPERUSER, "pgbouncer")
        } else {
            children::mortal("pgbouncer")
        };
        command
            .arg(folder.join("pgbouncer.ini"))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        let process = children::start(command);
        let socket = folder.join(".s.PGSQL.6432");
        wait_until("PgBouncer listens", Duration::from_secs(10), async || socket.exists()).await;
        Self {
            folder,
            _process: process,
        }
    }

    /// The connection string of a role, through the pooler.
    fn uri(&self, database: &Database, role: Role) -> String {
        let direct = database.uri(role);
        let rest = direct.split_once(' ').unwrap().1;
        format!("host={} port=6432 {rest}", self.folder.display())
    }
}

#[tokio::test]
async fn everything_works_behind_a_pooler_in_transaction_mode() {
    let database = Database::create().await;
    let pooler = Pooler::start().await;
    let (uri, read_uri) = (pooler.uri(&database, Role::App), pooler.uri(&database, Role::Read));
    let service = Service::start(
        &[
            &UNLIMITED[..],
            &[("database-uri", &uri), ("database-read-uri", &read_uri)],
        ]
        .concat(),
    );
    let made = crate::harness::command::run(
        &["token", "generate", "t", "--output", "json"],
        &[("ROLLCALL_DATABASE_URI", &uri)],
    );
    let scim = Rollcall::scim_at(&service, made.succeeded().json()["token"].as_str().unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..24 {
        let scim = scim.clone();
        tasks.spawn(async move {
            let name = format!("user-{n}");
            let created = scim
                .post(
                    "/Users",
                    &json!({"userName": name, "emails": [{"value": format!("{name}@x")}]}),
                )
                .await
                .expect(201);
            let path = format!("/Users/{}", created.id());
            scim.patch(&path, &json!([{"op": "replace", "path": "title", "value": "Dr"}]))
                .await
                .expect(200);
            let put = scim
                .put(&path, &json!({"userName": name, "title": "Prof"}))
                .await
                .expect(200);
            assert_eq!(put.body["title"], "Prof");
            let found = scim
                .query("/Users", &[("filter", &format!("userName eq \"{name}\""))])
                .await
                .expect(200);
            assert_eq!(found.body["totalResults"], 1);
            created.id().to_owned()
        });
    }
    let ids = tasks.join_all().await;
    let members: Vec<_> = ids.iter().map(|id| json!({"value": id})).collect();
    let team = scim
        .post("/Groups", &json!({"displayName": "team", "members": members}))
        .await
        .expect(201);
    assert_eq!(team.body["members"].as_array().unwrap().len(), 24);
    let path = format!("/Groups/{}", team.id());
    scim.patch(
        &path,
        &json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", ids[0])}]),
    )
    .await
    .expect(204);
    scim.put(&path, &json!({"displayName": "team", "members": members}))
        .await
        .expect(200);
    let page = scim.get("/Users?sortBy=userName&count=10&cursor").await.expect(200);
    assert!(page.body["nextCursor"].is_string());
    for id in &ids {
        scim.delete(&format!("/Users/{id}")).await.expect(204);
    }
    assert_eq!(scim.get("/Users?count=0").await.expect(200).body["totalResults"], 0);
    drop(service);
    database.finish().await;
}

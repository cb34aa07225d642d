//! `crypto-diag init` and `check`, and runs with the profile that they write and try.

#![cfg(unix)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::Value;
use support::{Said, bundle, run, text};
use tempfile::{TempDir, tempdir};

const PASSWORD: &str = "hush hush";

/// A server's folder: Synapse's configuration with its database, its log and one rotated file of it, and the log of an SFU.
struct Server {
    home: TempDir,
}

impl Server {
    fn new(database: &str) -> Server {
        let server = Server { home: tempdir().unwrap() };
        for folder in ["etc/matrix-synapse/conf.d", "var/log/matrix-synapse", "var/log/livekit", "data"] {
            fs::create_dir_all(server.path(folder)).unwrap();
        }
        let root = text(server.home.path());
        server.write(
            "etc/matrix-synapse/homeserver.yaml",
            &format!(
                "server_name: localhost\nlog_config: {root}/etc/matrix-synapse/log.yaml\nform_secret: {PASSWORD}\n"
            ),
        );
        server
            .write("etc/matrix-synapse/conf.d/database.yaml", &format!("database:\n{database}").replace("ROOT", root));
        server.write(
            "etc/matrix-synapse/log.yaml",
            &format!(
                "handlers:\n  file:\n    class: logging.handlers.TimedRotatingFileHandler\n    filename: {root}/{LOG}\n\
                 root:\n  level: INFO\n  handlers: [file]\n"
            ),
        );
        let log = fs::read_to_string(bundle("store-rollback").join("homeserver.log.txt")).unwrap();
        let middle = log.match_indices('\n').nth(log.matches('\n').count() / 2).unwrap().0 + 1;
        server.write(&format!("{LOG}.1"), &log[..middle]);
        server.write(LOG, &log[middle..]);
        server.write("var/log/livekit/livekit.log", SFU);
        let db = Connection::open(server.path("data/homeserver.db")).unwrap();
        db.execute_batch(
            "CREATE TABLE users (name TEXT);
             CREATE TABLE devices (user_id TEXT, device_id TEXT, last_seen BIGINT, hidden BOOLEAN);
             CREATE TABLE schema_version (version INTEGER);
             INSERT INTO schema_version VALUES (92);",
        )
        .unwrap();
        server
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// A profile that names its configuration and the SFU's log, and what else is given.
    fn profile(&self, more: &str) -> PathBuf {
        let root = text(self.home.path());
        self.write(
            "p.toml",
            &format!(
                "synapse-config = [\"{root}/etc/matrix-synapse/homeserver.yaml\", \"{root}/etc/matrix-synapse/conf.d\"]\n\
                 media-log = [\"{root}/var/log/livekit\"]\n{more}"
            ),
        );
        self.path("p.toml")
    }

    /// A command that runs others with this folder as their root: what it cannot do to a file is to write its path in itself.
    fn via(&self) -> String {
        let script = format!(
            "#!/bin/sh\nroot='{}'\nfor word do\n  shift\n  case $word in /*) word=$root$word ;; esac\n  set -- \"$@\" \"$word\"\ndone\n\
             said=$(mktemp)\n\"$@\" > \"$said\"\ncode=$?\nsed \"s|$root||g\" \"$said\"\nrm \"$said\"\nexit $code\n",
            self.home.path().display()
        );
        self.write("far", &script);
        fs::set_permissions(self.path("far"), fs::Permissions::from_mode(0o755)).unwrap();
        format!("'{}'", self.path("far").display())
    }
}

const LOG: &str = "var/log/matrix-synapse/homeserver.log";
const SFU: &str = "2026-11-23T08:35:58.123Z\tINFO\tlivekit\tservice/server.go:240\tstarting LiveKit server\t{}\n";
const SQLITE: &str = "  name: sqlite3\n  args:\n    database: ROOT/data/homeserver.db\n";
const POSTGRES: &str = "  name: psycopg2\n  args:\n    user: synapse\n    password: hush hush\n    database: synapse\n    \
                        host: 127.0.0.1\n    port: 1\n    cp_min: 5\n    cp_max: 10\n";

/// The line that says of a conclusion whether it could be proven.
fn prospect<'s>(said: &'s Said, title: &str) -> &'s str {
    said.out.lines().find(|line| line.contains(title)).unwrap_or_else(|| panic!("{title}: {}", said.out))
}

#[test]
fn a_profile_is_tried_and_says_what_could_be_proven_with_it() {
    let server = Server::new(SQLITE);
    let said = run(["check", "--profile", text(&server.profile("zone = \"+00:00\"\n"))]);
    for line in [
        "ok     synapse-config",
        &format!("{} and 1 older file: Synapse, from 20", text(&server.path(LOG))),
        "times taken as +00:00: it was stated",
        "livekit.log: LiveKit, from 2026-11-23 08:35:58.123 UTC",
        "ok     database        SQLite (sqlite ",
        "Synapse’s schema 92",
        "not to be asked: device_inbox: not in this version of Synapse, or not to be read by this role: device_inbox.",
    ] {
        assert!(said.out.contains(line), "{line}: {}{}", said.out, said.err);
    }
    assert_eq!(said.code, 1, "a question that cannot be asked");
    assert!(prospect(&said, "KE-1 cause: two contexts").contains("yes "), "{}", said.out);
    assert!(prospect(&said, "members at different SFUs").contains("yes "), "{}", said.out);
    let rollback = prospect(&said, "KE-1 cause: rollback");
    assert!(rollback.contains("partly ") && rollback.contains("not all of its query results"), "{rollback}");
}

#[test]
fn what_is_not_there_is_named_by_what_it_costs() {
    let server = Server::new(SQLITE);
    let log = server.path(LOG);
    let said = run(["check", "--log", text(&log), "--media-log", "/no/such.log"]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.out.contains("FAILS  media-log       /no/such.log: cannot be read"), "{}", said.out);
    assert!(said.out.contains("-      database        none is named"), "{}", said.out);
    let rollback = prospect(&said, "KE-1 cause: rollback");
    assert!(rollback.contains("partly ") && rollback.contains("would read, too: query results"), "{rollback}");
    let exhausted = prospect(&said, "one-time keys exhausted");
    assert!(exhausted.contains("no ") && exhausted.contains("needs: query results"), "{exhausted}");
    assert!(prospect(&said, "members at different SFUs").contains("needs: log of an SFU"), "{}", said.out);
    assert_eq!(run(["check", "--log", text(&log)]).code, 0, "nothing that was named fails");
}

#[test]
fn a_run_with_a_profile_reads_what_it_names_and_the_command_line_wins() {
    let server = Server::new(SQLITE);
    let report = bundle("store-rollback").join("victim.report.json");
    let collect = |more: &[&str]| {
        let out = tempdir().unwrap();
        let profile = server.profile("zone = \"+00:00\"\n");
        let mut words = vec!["collect", text(&report), "--profile", text(&profile), "--out", text(out.path())];
        words.extend(more);
        let said = run(words);
        assert_eq!(said.code, 0, "{}", said.err);
        let manifest = fs::read(PathBuf::from(said.out.trim_end()).join("manifest.json")).unwrap();
        (serde_json::from_slice::<Value>(&manifest).unwrap(), said.err)
    };
    let paths = |manifest: &Value| -> Vec<String> {
        let logs = manifest["coverage"]["logs"].as_array().unwrap().iter();
        let read = logs.flat_map(|log| log["read"].as_array().unwrap());
        read.map(|read| read["path"].as_str().unwrap().replace(text(server.home.path()), "")).collect()
    };
    let (manifest, _) = collect(&[]);
    assert_eq!(paths(&manifest), [format!("/{LOG}.1"), format!("/{LOG}"), "/var/log/livekit/livekit.log".to_owned()]);
    assert_eq!(manifest["coverage"]["database"]["engine"], "sqlite");
    assert_eq!(manifest["coverage"]["logs"][0]["zone"]["how"], "stated");

    let other = server.path("other.log");
    fs::copy(server.path(LOG), &other).unwrap();
    let (manifest, said) = collect(&["--log", text(&other), "--database", "sqlite:/no/such.db", "--zone", "+01:00"]);
    assert_eq!(paths(&manifest), ["/other.log", "/var/log/livekit/livekit.log"]);
    assert!(said.contains("the file that --database names cannot be opened"), "{said}");
    assert_eq!(manifest["coverage"]["logs"][0]["zone"]["minutes"], 60);
}

#[test]
fn the_databases_password_is_in_nothing_that_is_said_or_written() {
    let server = Server::new(POSTGRES);
    let profile = server.profile("");
    let check = run(["check", "--profile", text(&profile)]);
    assert_eq!(check.code, 1, "nobody listens at that port");
    assert!(
        check.out.contains("FAILS  database        PostgreSQL at 127.0.0.1, database synapse, role synapse: "),
        "{}",
        check.out
    );
    let out = tempdir().unwrap();
    let arguments = ["run", "--user", "@alice:localhost", "--profile", text(&profile), "--out", text(out.path())];
    let collected = run(arguments);
    assert!(collected.err.contains("not collected: database: "), "{}", collected.err);
    let made = server.path("made.toml");
    let init = run(["init", "--output", text(&made), "--via", &server.via()]);
    assert_eq!(init.code, 0, "{}", init.err);
    let said = [&check, &collected, &init].map(|said| format!("{}{}", said.out, said.err)).concat();
    assert!(!said.contains("hush"), "{said}");
    let written = files_below(out.path()).into_iter().chain([made]);
    for path in written {
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(4).any(|window| window == b"hush"), "{}", path.display());
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn init_finds_what_lies_where_packages_have_it_and_its_profile_works() {
    let server = Server::new(SQLITE);
    // Elsewhere its names are without the folder that stands for the root.
    for name in ["etc/matrix-synapse/homeserver.yaml", "etc/matrix-synapse/log.yaml"] {
        let text = fs::read_to_string(server.path(name)).unwrap().replace(text(server.home.path()), "");
        server.write(name, &text);
    }
    let made = server.path("made.toml");
    let said = run(["init", "--output", text(&made), "--via", &server.via()]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    for line in [
        "ok     log             /var/log/matrix-synapse/homeserver.log and 1 older file: Synapse",
        "ok     media-log       /var/log/livekit/livekit.log: LiveKit",
        "FAILS  synapse-config  database: it is an SQLite file, which is read on its own host only",
        "crypto-diag check --profile",
    ] {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
    let profile = fs::read_to_string(&made).unwrap();
    for line in [
        "synapse-config = [\"/etc/matrix-synapse/homeserver.yaml\", \"/etc/matrix-synapse/conf.d\"]\n",
        "media-log = [\"/var/log/livekit\"]\n",
        "# log = [\"…\"]\n",
        "# database = \"…\"\n",
    ] {
        assert!(profile.contains(line), "{line}: {profile}");
    }
    assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o600);
    let checked = run(["check", "--profile", text(&made)]);
    assert!(checked.out.contains("homeserver.log and 1 older file: Synapse"), "{}{}", checked.out, checked.err);
    let again = run(["init", "--output", text(&made)]);
    assert!(again.code == 3 && again.err.contains("nothing is overwritten"), "{}", again.err);
}

/// Programs of these names on the path, each a script, in front of all others.
fn path_with(folder: &Path, programs: &[(&str, &str)]) -> String {
    for (name, script) in programs {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

/// Containers as Docker lists them: one whose log is a file, one whose lines go elsewhere, a database, and one that is none of these.
const DOCKER: &str = r#"case "$*" in
'ps --no-trunc --format {{.Names}} {{.Image}}')
  printf '%s\n' 'homeserver matrixdotorg/synapse:v1.155.0' 'tokens ghcr.io/element-hq/lk-jwt-service:0.3.0' \
    'rows postgres:16' 'dashboard awesometechnologies/synapse-admin' ;;
'inspect -f {{.LogPath}} homeserver') echo /var/lib/docker/containers/0a1b/0a1b-json.log ;;
'inspect -f {{.LogPath}} tokens') echo ;;
'inspect -f {{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}} rows') echo '172.18.0.3 ' ;;
*) echo "not asked for: $*" >&2; exit 1 ;;
esac"#;

const SYSTEMCTL: &str = r#"[ "$1" = list-units ] || exit 1
printf '%s loaded active running %s\n' ssh.service OpenSSH postgresql@15-main.service PostgreSQL livekit.service LiveKit \
  matrix-synapse.service Synapse"#;

#[test]
fn init_asks_docker_for_containers_and_where_their_logs_are() {
    let server = Server::new(SQLITE);
    fs::remove_dir_all(server.path("etc")).unwrap();
    let lines = fs::read_to_string(server.path(LOG)).unwrap();
    fs::remove_dir_all(server.path("var")).unwrap();
    fs::create_dir_all(server.path("var/lib/docker/containers/0a1b")).unwrap();
    let wrapped = lines.lines().map(|line| {
        let row = serde_json::json!({"log": format!("{line}\n"), "stream": "stderr", "time": "2026-11-23T22:54:50.1Z"});
        format!("{row}\n")
    });
    server.write("var/lib/docker/containers/0a1b/0a1b-json.log", &wrapped.collect::<String>());
    let programs = tempdir().unwrap();
    let path = path_with(programs.path(), &[("docker", DOCKER), ("systemctl", "exit 1")]);
    let made = server.path("made.toml");
    let arguments = ["init", "--output", text(&made), "--via", &server.via()];
    let said = support::said(support::binary().args(arguments).env("PATH", &path).output().unwrap());
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    let profile = fs::read_to_string(&made).unwrap();
    assert!(profile.contains("\nlog = [\"/var/lib/docker/containers/0a1b/0a1b-json.log\"]\n"), "{profile}");
    for line in [
        "ok     log             /var/lib/docker/containers/0a1b/0a1b-json.log: Synapse",
        "`crypto-diag init --via 'docker exec -i homeserver'`",
        "Give them as `--media-log <(docker logs tokens 2>&1)`",
        "host=172.18.0.3 dbname=synapse user=synapse",
    ] {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
    assert!(!said.out.contains("dashboard"), "{}", said.out);
}

#[test]
fn init_asks_systemd_for_units_whose_lines_only_the_journal_has() {
    let server = Server::new(SQLITE);
    for folder in ["etc", "var"] {
        fs::remove_dir_all(server.path(folder)).unwrap();
    }
    let programs = tempdir().unwrap();
    let path = path_with(programs.path(), &[("docker", "exit 1"), ("systemctl", SYSTEMCTL)]);
    let made = server.path("made.toml");
    let arguments = ["init", "--output", text(&made), "--via", &server.via()];
    let said = support::said(support::binary().args(arguments).env("PATH", &path).output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    for line in [
        "`--log <(journalctl --no-pager --all -o short-iso-precise -u matrix-synapse.service)`",
        "`--media-log <(journalctl --no-pager --all -o short-iso-precise -u livekit.service)`",
        "PostgreSQL runs as the unit postgresql@15-main.service",
        "host=/run/postgresql dbname=synapse",
    ] {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
    assert!(!said.out.contains("ssh.service") && !said.out.contains("docker exec"), "{}", said.out);
}

#[test]
fn init_says_what_it_did_not_find_and_takes_no_password() {
    let server = Server::new(SQLITE);
    fs::remove_dir_all(server.path("etc")).unwrap();
    fs::remove_dir_all(server.path("var")).unwrap();
    let made = server.path("made.toml");
    let said = run(["init", "--output", text(&made), "--via", &server.via()]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("-      log             none is named"), "{}", said.out);
    assert!(said.out.contains("No Synapse was found") || said.out.contains("Synapse runs with"), "{}", said.out);
    let other = server.path("other.toml");
    let said = run(["init", "--output", text(&other), "--database", "postgresql://u:hush@h/synapse"]);
    assert!(
        said.code == 3 && said.err.contains("a profile holds no password") && !said.err.contains("hush"),
        "{}",
        said.err
    );
    assert!(!other.exists());
}

#[test]
fn what_cannot_be_used_is_3_with_file_and_line_and_what_to_do() {
    let server = Server::new(SQLITE);
    let profile = server.profile("logs = [\"x\"]\n");
    let broken = server.path("broken.yaml");
    fs::write(&broken, "database:\n  args:\n    password: [hush\n").unwrap();
    let user = ["--user", "@alice:localhost"];
    for (words, why) in [
        (vec!["check", "--profile", text(&profile)], "p.toml, line 3: unknown field `logs`"),
        (vec!["collect", "--profile", text(&profile), user[0], user[1]], "crypto-diag check --help"),
        (vec!["check", "--profile", "/no/such.toml"], "`crypto-diag init` writes a profile"),
        (vec!["check", "--synapse-config", text(&broken)], "broken.yaml, line "),
        (vec!["check", "--synapse-config", "/no/such.yaml"], "/no/such.yaml: cannot be read"),
        (vec!["check", "--via", "/no/such/program"], "cannot be run"),
    ] {
        let said = run(&words);
        assert_eq!((said.code, said.out.as_str()), (3, ""), "{words:?}: {}", said.err);
        assert!(said.err.contains(why) && !said.err.contains("hush"), "{words:?}: {}", said.err);
    }
}

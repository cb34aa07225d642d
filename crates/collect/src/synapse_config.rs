//! What Synapse's own configuration says of where its logs and its database are.
//!
//! Files are taken as Synapse takes them: those of a folder by name, and a later file's entry in place of an earlier one's. Of its secrets
//! only the database's password is kept, and that goes to the database alone. No error repeats what stands in a file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fmt, io};

use crypto_diag_triage::bundle::Refusal;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_saphyr::DuplicateKeyPolicy;

use crate::database::{Database, Password};
use crate::host::Host;
use crate::source::shown;

/// Bytes of one file at most. Synapse's longest sample had 100 KB.
const BYTES_MAX: u64 = 1 << 20;

/// Where PostgreSQL's sockets are on this machine, where the configuration names no host: in Debian's packages, and as its authors
/// have it.
const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// What a configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SynapseConfig {
    /// The files that Synapse's processes write their logs to, as they are named on its host.
    pub logs: Vec<PathBuf>,
    /// Logs that cannot be read where they are, and what would.
    pub unread_logs: Vec<Refusal>,
    /// Its database, or why that cannot be told.
    pub database: Result<Database, Refusal>,
}

/// Why a configuration cannot be read.
#[derive(Debug)]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// Its line and column, counted from 1.
    pub place: Option<(u64, u64)>,
    /// Why, in a sentence, without anything of what stands there.
    pub why: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ", line {line}, column {column}")?;
        }
        write!(f, ": {}; or name its log and its database instead (--log, --database)", self.why)
    }
}

impl std::error::Error for ConfigError {}

/// The entries that matter.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Settings {
    log_config: Option<String>,
    database: Option<DatabaseConnection>,
    databases: Option<BTreeMap<String, DatabaseConnection>>,
    instance_map: Option<BTreeMap<String, IgnoredAny>>,
    /// A worker's own file has these.
    worker_app: Option<String>,
    worker_name: Option<String>,
    worker_log_config: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DatabaseConnection {
    name: Option<String>,
    args: Option<ConnectionArgs>,
    data_stores: Option<Vec<String>>,
}

/// Those of psycopg2's arguments that say which database it is. Others, such as `cp_min`, are of Synapse's pool or of its patience.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ConnectionArgs {
    host: Option<String>,
    hostaddr: Option<String>,
    port: Option<String>,
    user: Option<String>,
    password: Option<Password>,
    dbname: Option<String>,
    /// psycopg2's older name of `dbname`; the path of an SQLite file.
    database: Option<String>,
    sslmode: Option<String>,
    /// May name another schema.
    options: Option<String>,
    /// These name a file of settings, or all of them in one text.
    service: Option<String>,
    dsn: Option<String>,
}

/// Python's form of a logging configuration.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Logging {
    handlers: Option<BTreeMap<String, Handler>>,
    loggers: Option<BTreeMap<String, Logger>>,
    root: Option<Logger>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Handler {
    filename: Option<String>,
    /// Where a handler that buffers gives its lines.
    target: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Logger {
    handlers: Option<Vec<String>>,
}

impl SynapseConfig {
    /// Reads files, and the `*.yaml` of folders, in the order in which Synapse gets them as `--config-path`.
    ///
    /// # Errors
    /// [`ConfigError`], if one of them, or a logging configuration that they name, cannot be read.
    pub fn read(paths: &[PathBuf], host: Host<'_>) -> Result<SynapseConfig, ConfigError> {
        let mut main = Settings::default();
        // What names the file of a logging configuration, for the main process and for each worker.
        let mut log_configs: Vec<(PathBuf, String)> = Vec::new();
        let mut main_log_config = None;
        let mut workers = BTreeSet::new();
        for path in paths {
            for file in files(path, host)? {
                let settings: Settings = parse(&file, host)?;
                if settings.worker_app.is_some() {
                    workers.extend(settings.worker_name);
                    log_configs.extend(settings.worker_log_config.map(|config| (file, config)));
                    continue;
                }
                main_log_config = settings.log_config.map(|config| (file, config)).or(main_log_config);
                main.database = settings.database.or(main.database);
                main.databases = settings.databases.or(main.databases);
                main.instance_map = settings.instance_map.or(main.instance_map);
            }
        }
        let named = shown(paths.last().map_or(Path::new(""), PathBuf::as_path));
        let mut config = SynapseConfig {
            logs: Vec::new(),
            unread_logs: Vec::new(),
            database: database(main.database, main.databases, host)
                .map_err(|why| Refusal { what: "database".to_owned(), why: format!("{why} ({named})") }),
        };
        if main_log_config.is_none() {
            config.unread(&named, format!("it names no log_config, so that Synapse logs to {STANDARD_OUTPUT}"));
        }
        for (file, log_config) in main_log_config.into_iter().chain(log_configs) {
            config.add_logs(&file, &log_config, host)?;
        }
        let missing = main.instance_map.unwrap_or_default().into_keys();
        let missing: Vec<String> =
            missing.filter(|name| !matches!(name.as_str(), "main" | "master") && !workers.contains(name)).collect();
        if !missing.is_empty() {
            let why =
                "they log for themselves: name their files behind those of the main process, or their logs with --log";
            config.unread(&format!("the workers {}", missing.join(", ")), why.to_owned());
        }
        Ok(config)
    }

    fn unread(&mut self, what: &str, why: String) {
        self.unread_logs.push(Refusal { what: what.to_owned(), why });
    }

    /// Adds the files that a logging configuration writes to.
    fn add_logs(&mut self, file: &Path, log_config: &str, host: Host<'_>) -> Result<(), ConfigError> {
        let path = Path::new(log_config);
        if !path.has_root() {
            let why = format!("{} names it without its folder: {RELATIVE}; name the log with --log", shown(file));
            self.unread(&shown(path), why);
            return Ok(());
        }
        let logging: Logging = parse(path, host)?;
        let names = file_names(&logging);
        if names.is_empty() {
            self.unread(&shown(path), format!("by it, Synapse logs to {STANDARD_OUTPUT}"));
        }
        for name in names {
            let log = PathBuf::from(name);
            if !log.has_root() {
                let why = format!("{} names it without its folder: {RELATIVE}; name it with --log", shown(path));
                self.unread(&shown(&log), why);
            } else if !self.logs.contains(&log) {
                self.logs.push(log);
            }
        }
        Ok(())
    }
}

const STANDARD_OUTPUT: &str = "its standard output: give what keeps that, such as `--log <(docker logs synapse 2>&1)`, or \
                               `--log <(journalctl --no-pager --all -o short-iso-precise -u matrix-synapse)`";

const RELATIVE: &str = "it is told from the folder in which Synapse was started";

/// The files that a path stands for.
fn files(path: &Path, host: Host<'_>) -> Result<Vec<PathBuf>, ConfigError> {
    match host.files_in(path).map_err(|error| unreadable(path, &error))? {
        Some(files) => {
            Ok(files.into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "yaml")).collect())
        }
        None => Ok(vec![path.to_owned()]),
    }
}

fn parse<T: DeserializeOwned + Default>(path: &Path, host: Host<'_>) -> Result<T, ConfigError> {
    let bytes = host.read(path, BYTES_MAX).map_err(|error| unreadable(path, &error))?;
    // As PyYAML reads it. Neither a message of the parser's nor a part of the text is used: both may hold a secret.
    let options = serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::LastWins, with_snippet: false };
    let read: Result<Option<T>, _> = serde_saphyr::from_slice_with_options(&bytes, options);
    read.map(Option::unwrap_or_default).map_err(|error| ConfigError {
        path: path.to_owned(),
        place: error.location().map(|place| (place.line(), place.column())),
        why: "what stands there is no YAML, or not what Synapse takes; mend it".to_owned(),
    })
}

fn unreadable(path: &Path, error: &io::Error) -> ConfigError {
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => {
            "; check the path; if Synapse runs in a container, add --via \"docker exec -i NAME\""
        }
        io::ErrorKind::PermissionDenied => "; run this as a user who may read it",
        _ => "",
    };
    ConfigError { path: path.to_owned(), place: None, why: format!("cannot be read: {error}{remedy}") }
}

/// The files that lines reach: of handlers that a logger uses, itself or through a buffer.
fn file_names(logging: &Logging) -> Vec<&str> {
    let handlers = logging.handlers.iter().flatten();
    let handlers: BTreeMap<&str, &Handler> = handlers.map(|(name, handler)| (name.as_str(), handler)).collect();
    let loggers = logging.root.iter().chain(logging.loggers.iter().flat_map(BTreeMap::values));
    let mut waiting: Vec<&str> =
        loggers.flat_map(|logger| logger.handlers.iter().flatten()).map(String::as_str).collect();
    let (mut seen, mut names) = (BTreeSet::new(), BTreeSet::new());
    while let Some(name) = waiting.pop() {
        let Some(handler) = handlers.get(name).filter(|_| seen.insert(name)) else { continue };
        names.extend(handler.filename.as_deref());
        waiting.extend(handler.target.as_deref());
    }
    names.into_iter().collect()
}

/// The database that holds users' devices and keys.
fn database(
    one: Option<DatabaseConnection>,
    several: Option<BTreeMap<String, DatabaseConnection>>,
    host: Host<'_>,
) -> Result<Database, String> {
    let is_main = |connection: &DatabaseConnection| {
        connection.data_stores.as_ref().is_none_or(|stores| stores.iter().any(|store| store == "main"))
    };
    let connection = several.unwrap_or_default().into_values().find(is_main).or(one);
    let connection = connection.ok_or("the configuration names no database; name it with --database")?;
    let args = connection.args.unwrap_or_default();
    match connection.name.as_deref() {
        Some("sqlite3") => sqlite(args.database.as_deref(), host),
        Some("psycopg2") => postgres(args, host),
        _ => Err("the configuration names a database that is neither psycopg2 nor sqlite3; name it with --database"
            .to_owned()),
    }
}

fn sqlite(path: Option<&str>, host: Host<'_>) -> Result<Database, String> {
    match path {
        _ if host.is_elsewhere() => {
            Err("it is an SQLite file, which is read on its own host only: run this program there".to_owned())
        }
        Some(path) if Path::new(path).has_root() => Ok(format!("sqlite:{path}").into()),
        Some(":memory:") => Err("it is in Synapse's memory, where nobody else can read it".to_owned()),
        _ => Err(format!("it is an SQLite file without its folder: {RELATIVE}; name it with --database")),
    }
}

fn postgres(args: ConnectionArgs, host: Host<'_>) -> Result<Database, String> {
    if args.service.is_some() || args.dsn.is_some() {
        return Err("its `service` or `dsn` is not read; name the database with --database".to_owned());
    }
    let mut address = args.host;
    if address.is_none() && args.hostaddr.is_none() && !host.is_elsewhere() {
        address = SOCKET_FOLDERS.iter().find(|folder| Path::new(folder).is_dir()).map(|folder| (*folder).to_owned());
    }
    let words = [
        ("host", address),
        ("hostaddr", args.hostaddr),
        ("port", args.port),
        ("user", args.user),
        ("dbname", args.dbname.or(args.database)),
        ("sslmode", args.sslmode),
        ("options", args.options),
    ];
    let words = words.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", quoted(&value?))));
    Ok(Database { url: words.collect::<Vec<_>>().join(" "), password: args.password })
}

/// A value of a connection string, as libpq reads it.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\\', r"\\").replace('\'', r"\'"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder with these files, in which `DIR` stands for the folder itself.
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text.replace("DIR", folder.path().to_str().unwrap())).unwrap();
        }
        folder
    }

    fn read(folder: &tempfile::TempDir, names: &[&str]) -> Result<SynapseConfig, ConfigError> {
        let paths: Vec<PathBuf> = names.iter().map(|name| folder.path().join(name)).collect();
        SynapseConfig::read(&paths, Host::of(None))
    }

    /// As Debian's package has it: a buffer in front of the file.
    const DEBIAN_LOG: &str = "version: 1
formatters:
  precise:
    format: '%(asctime)s - %(name)s - %(lineno)d - %(levelname)s - %(request)s - %(message)s'
handlers:
  file:
    class: logging.handlers.TimedRotatingFileHandler
    formatter: precise
    filename: /var/log/matrix-synapse/homeserver.log
    when: midnight
    backupCount: 3
  buffer:
    class: synapse.logging.handlers.PeriodicallyFlushingMemoryHandler
    target: file
    capacity: 10
  console:
    class: logging.StreamHandler
    formatter: precise
  unused:
    class: logging.FileHandler
    filename: /var/log/unused.log
loggers:
  synapse.storage.SQL:
    level: INFO
root:
  level: INFO
  handlers: [buffer]
disable_existing_loggers: false
";

    const POSTGRES: &str = "
server_name: example.org
log_config: DIR/log.yaml
database:
  name: psycopg2
  txn_limit: 10000
  args:
    user: synapse
    password: 'hu sh'
    database: synapse
    host: 10.10.10.44
    port: 5433
    cp_min: 5
    cp_max: 10
    keepalives_idle: 10
registration_shared_secret: &secret hush2
macaroon_secret_key: *secret
";

    #[test]
    fn a_configuration_names_the_log_behind_a_buffer_and_the_database_without_its_password() {
        let folder = folder(&[("homeserver.yaml", POSTGRES), ("log.yaml", DEBIAN_LOG)]);
        let config = read(&folder, &["homeserver.yaml"]).unwrap();
        assert_eq!(config.logs, [Path::new("/var/log/matrix-synapse/homeserver.log")]);
        assert!(config.unread_logs.is_empty(), "{config:?}");
        let database = config.database.clone().unwrap();
        assert_eq!(database.url, "host='10.10.10.44' port='5433' user='synapse' dbname='synapse'");
        assert_eq!(database.password.as_ref().unwrap().expose(), "hu sh");
        assert_eq!(database.shown(), "PostgreSQL at 10.10.10.44, database synapse, role synapse");
        assert!(!format!("{config:?}").contains("hu sh") && !format!("{config:?}").contains("hush2"), "{config:?}");
    }

    #[test]
    fn a_later_file_takes_the_place_of_an_earlier_ones_entry_as_synapse_has_it() {
        let folder = folder(&[
            ("homeserver.yaml", POSTGRES),
            ("log.yaml", DEBIAN_LOG),
            ("conf.d/a.yaml", "database: {name: psycopg2, args: {host: a, dbname: one}}\n"),
            ("conf.d/b.yaml", "database: {name: psycopg2, args: {host: b, dbname: two, password: 1234}}\n"),
            ("conf.d/empty.yaml", "# nothing\n"),
            ("conf.d/c.txt", "database: {name: sqlite3}\n"),
        ]);
        let config = read(&folder, &["homeserver.yaml", "conf.d"]).unwrap();
        let database = config.database.unwrap();
        assert_eq!(database.url, "host='b' dbname='two'");
        assert_eq!(database.password.unwrap().expose(), "1234", "a number's digits are a password, too");
        assert_eq!(config.logs.len(), 1);
    }

    #[test]
    fn of_several_databases_the_one_with_the_main_store_is_asked() {
        let folder = folder(&[(
            "homeserver.yaml",
            "databases:
  a: {name: psycopg2, data_stores: [state], args: {host: a, dbname: state}}
  b: {name: psycopg2, data_stores: [main], args: {host: b, dbname: main, user: \"o'n\\\\e\"}}
",
        )]);
        let database = read(&folder, &["homeserver.yaml"]).unwrap().database.unwrap();
        assert_eq!(database.url, r"host='b' user='o\'n\\e' dbname='main'");
        assert_eq!(database.shown(), r"PostgreSQL at b, database main, role o'n\e", "it is read as it is written");
    }

    #[test]
    fn workers_have_logs_of_their_own_and_one_whose_file_is_missing_is_named() {
        let log = |name: &str| DEBIAN_LOG.replace("homeserver.log", name);
        let folder = folder(&[
            (
                "homeserver.yaml",
                &format!("{POSTGRES}instance_map: {{main: {{port: 1}}, one: {{port: 2}}, two: {{}}}}\n"),
            ),
            ("log.yaml", DEBIAN_LOG),
            (
                "workers/one.yaml",
                "worker_app: synapse.app.generic_worker\nworker_name: one\nworker_log_config: DIR/one.log.yaml\n",
            ),
            ("one.log.yaml", &log("one.log")),
        ]);
        let config = read(&folder, &["homeserver.yaml", "workers"]).unwrap();
        let logs = ["homeserver.log", "one.log"].map(|name| Path::new("/var/log/matrix-synapse").join(name));
        assert_eq!(config.logs, logs);
        let [missing] = &config.unread_logs[..] else { panic!("{config:?}") };
        assert_eq!(missing.what, "the workers two");
    }

    #[test]
    fn a_log_that_is_no_file_is_named_with_what_would_read_it() {
        let console = DEBIAN_LOG.replace("[buffer]", "[console]");
        let relative = DEBIAN_LOG.replace("/var/log/matrix-synapse/", "");
        for (log_config, log, why) in [
            ("DIR/log.yaml", &*console, "docker logs"),
            ("log.yaml", DEBIAN_LOG, "without its folder"),
            ("DIR/log.yaml", &*relative, "without its folder"),
            ("DIR/log.yaml", "", "docker logs"),
        ] {
            let folder = folder(&[("homeserver.yaml", &format!("log_config: {log_config}\n")), ("log.yaml", log)]);
            let config = read(&folder, &["homeserver.yaml"]).unwrap();
            assert!(config.logs.is_empty(), "{config:?}");
            let [unread] = &config.unread_logs[..] else { panic!("{config:?}") };
            assert!(unread.why.contains(why), "{unread:?}");
        }
        let folder = folder(&[("homeserver.yaml", "server_name: x\n")]);
        let config = read(&folder, &["homeserver.yaml"]).unwrap();
        assert!(config.unread_logs[0].why.contains("names no log_config"), "{config:?}");
    }

    #[test]
    fn a_database_that_cannot_be_told_is_named_with_a_way_out() {
        for (text, why) in [
            ("server_name: x", "names no database"),
            ("database:", "names no database"),
            ("database: {name: mysql}", "neither psycopg2 nor sqlite3"),
            ("database: {name: sqlite3, args: {database: ':memory:'}}", "memory"),
            ("database: {name: sqlite3, args: {database: homeserver.db}}", "without its folder"),
            ("database: {name: psycopg2, args: {service: synapse}}", "`service`"),
        ] {
            let folder = folder(&[("homeserver.yaml", text)]);
            let refusal = read(&folder, &["homeserver.yaml"]).unwrap().database.unwrap_err();
            assert!(refusal.why.contains(why), "{text}: {refusal:?}");
        }
        let sqlite = folder(&[("homeserver.yaml", "database: {name: sqlite3, args: {database: /data/homeserver.db}}")]);
        assert_eq!(read(&sqlite, &["homeserver.yaml"]).unwrap().database.unwrap().url, "sqlite:/data/homeserver.db");
    }

    #[test]
    fn an_error_names_file_and_line_and_repeats_nothing_of_the_file() {
        for (text, line) in [
            ("database:\n  args:\n    password: [hush]\n", 3),
            ("database:\n  args: hush\n", 2),
            ("database: {args: {password: 'hush\n", 1),
            ("macaroon_secret_key: hush: hush\n", 1),
            ("- hush\n", 1),
        ] {
            let folder = folder(&[("homeserver.yaml", text)]);
            let error = read(&folder, &["homeserver.yaml"]).unwrap_err();
            assert!(error.place.is_some_and(|(at, _)| at >= line), "{text}: {error}");
            let said = format!("{error} {error:?}");
            assert!(said.contains("homeserver.yaml, line ") && !said.contains("hush"), "{said}");
        }
        let folder = folder(&[("homeserver.yaml", "log_config: DIR/gone.yaml\n")]);
        let said = read(&folder, &["homeserver.yaml"]).unwrap_err().to_string();
        assert!(said.contains("gone.yaml: cannot be read") && said.contains("--via"), "{said}");
    }
}

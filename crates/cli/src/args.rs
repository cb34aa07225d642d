//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

const EXIT_CODES: &str = "\
Exit codes of run and triage: 0 nothing is wrong, 1 something is proven, 2 something is unknown for lack of artefacts, 3 the \
input cannot be used. compare: 0 nothing goes on, 1 something does or is new, 2 it is not known, 3 the two do not compare. verify: 0 nothing has changed, 1 something has, 3 it is no folder of run, nor its zip. check: 0 each source that is named can be read, 1 one cannot. Other commands: 0 done, 3 not. \
130 interrupted. It only reads: no command changes a server.";

const RUN_EXAMPLE: &str = "\
Example:
  crypto-diag run alice.json bob.json --log /var/log/matrix-synapse --database \"host=/run/postgresql dbname=synapse\"
  crypto-diag run alice.json bob.json --profile crypto-diag.toml
  crypto-diag run alice.json bob.json --log /var/log/matrix-synapse --minimal --zip
  crypto-diag run alice.json bob.json --log /var/log/matrix-synapse --pseudonyms ../names.tsv --zip";

const VERIFY_EXAMPLE: &str = "\
Example:
  crypto-diag verify 2026-11-23T08-35-57Z";

const REVEAL_EXAMPLE: &str = "\
Example:
  crypto-diag reveal --dictionary names.tsv < 2026-11-23T08-35-57Z-pseudonyms/answer.md";

const COLLECT_EXAMPLE: &str = "\
Example:
  crypto-diag collect alice.json --log /var/log/matrix-synapse --database \"host=/run/postgresql dbname=synapse\"";

const INIT_EXAMPLE: &str = "\
Example:
  crypto-diag init --via \"ssh root@host pct exec 151 --\" && crypto-diag check --profile crypto-diag.toml";

const CHECK_EXAMPLE: &str = "\
Example:
  crypto-diag check --profile crypto-diag.toml";

const TRIAGE_EXAMPLE: &str = "\
Example:
  crypto-diag triage alice.json bob.har homeserver.log.gz --output answer.html";

const COMPARE_EXAMPLE: &str = "\
Example:
  crypto-diag compare alice-monday.json alice-tuesday.json";

const QUERIES_EXAMPLE: &str = "\
Example:
  crypto-diag queries alice.json --log /data/homeserver.log";

const ROWS_EXAMPLE: &str = "\
Example:
  crypto-diag rows --key deployment.key < reports.ndjson > rows.ndjson";

const JUDGE_EXAMPLE: &str = "\
Example:
  LC_ALL=C sort incidents.tsv | crypto-diag judge --key deployment.key > judged.ndjson";

/// Finds out what E2EE failures of Matrix clients come from.
#[derive(Debug, Parser)]
#[command(name = "crypto-diag", version, about, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Collects, judges, and packs both into one new folder that can be handed on and verified. Runs on the server.
    #[command(after_help = RUN_EXAMPLE)]
    Run(Box<RunArguments>),
    /// Checks that nothing has changed in a folder of `run` or its zip, and that its answer comes out of it again.
    #[command(after_help = VERIFY_EXAMPLE)]
    Verify(VerifyArguments),
    /// Puts users, devices, rooms and servers back into a text about a folder of `run --pseudonyms`: standard input to standard output.
    #[command(after_help = REVEAL_EXAMPLE)]
    Reveal(RevealArguments),
    /// Gathers the server's side of a capture into a new folder and prints its name. Runs on the server.
    #[command(after_help = COLLECT_EXAMPLE)]
    Collect(Box<CollectArguments>),
    /// Looks for a server's logs, configuration and database, and writes what it finds into a new profile.
    #[command(after_help = INIT_EXAMPLE)]
    Init(InitArguments),
    /// Tries to read each source that a profile or an option names, and says which conclusions `run` could prove with them.
    #[command(after_help = CHECK_EXAMPLE)]
    Check(CheckArguments),
    /// Says what a bundle proves, what it refutes, and what is unknown and how to find out.
    #[command(after_help = TRIAGE_EXAMPLE)]
    Triage(TriageArguments),
    /// Says what stopped, what goes on and what is new between two reports of one user, before and after a remedy.
    #[command(after_help = COMPARE_EXAMPLE)]
    Compare(CompareArguments),
    /// Prints the greps and the SQL for a report, with its ids filled in, for servers where this program cannot run.
    #[command(after_help = QUERIES_EXAMPLE)]
    Queries(QueriesArguments),
    /// Turns many reports into rows for a database, without ids or text: a report a line in, a row a line out.
    #[command(after_help = ROWS_EXAMPLE)]
    Rows(RowsArguments),
    /// Says what the reports of each incident prove together: `incident ⇥ report ⇥ body` in, sorted by incident; a verdict a line out.
    #[command(after_help = JUDGE_EXAMPLE)]
    Judge(JudgeArguments),
}

#[derive(Debug, Args)]
pub struct NameArguments {
    /// The deployment's key, 32 bytes or more, such as `openssl rand -hex 32` prints. Every id becomes a pseudonym under it.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// A homeserver whose name stays readable in rows, since it has so many users that its name points to nobody.
    #[arg(long = "server-name", value_name = "NAME")]
    pub server_names: Vec<String>,
}

#[derive(Debug, Args)]
pub struct RowsArguments {
    #[command(flatten)]
    pub names: NameArguments,
    /// Also prints the reports themselves, as rows of the table `bodies`, for `judge`. They hold ids: keep them apart.
    #[arg(long)]
    pub bodies: bool,
    /// Reads rageshakes instead of standard input: folders in which they lie at any depth, each in a folder of its own with its
    /// `details.json`. A report that is attached is taken, else the consoles.
    #[arg(long, value_name = "FOLDER", num_args = 1..)]
    pub rageshake: Vec<PathBuf>,
    /// Counts the requests of a homeserver's log on standard input instead, by minute, route and duration, as rows of the table
    /// `latency`. SERVER is the homeserver's name.
    #[arg(long, value_name = "SERVER", conflicts_with_all = ["rageshake", "bodies"])]
    pub log: Option<String>,
    /// The zone of the log's times where they do not say one: `UTC`, `+02:00`. Without it, they are taken for UTC.
    #[arg(long, value_name = "OFFSET", value_parser = zone, allow_hyphen_values = true, requires = "log")]
    pub zone: Option<i32>,
}

#[derive(Debug, Args)]
pub struct JudgeArguments {
    #[command(flatten)]
    pub names: NameArguments,
}

#[derive(Debug, Args)]
pub struct RunArguments {
    #[command(flatten)]
    pub collect: CollectArguments,
    /// Makes a second, smaller folder beside the first. Hand on the second and keep the first. It has the reports, and of logs, HARs and
    /// rows only what the verdicts rest on. It says what was left out; verdicts that rest on its absence become *attested*.
    #[arg(long)]
    pub minimal: bool,
    /// Makes a folder beside it in which users, devices, rooms and servers have pseudonyms, with the same verdicts, and a new file
    /// that undoes them for `reveal`. Hand the folder on and keep the file, which only you can read.
    #[arg(long, value_name = "DICTIONARY")]
    pub pseudonyms: Option<PathBuf>,
    /// The key of the pseudonyms, 32 bytes or more, such as `openssl rand -hex 32` prints, so that an id has the same pseudonym in several
    /// hand-offs. Without it a key is made and thrown away.
    #[arg(long, value_name = "FILE", requires = "pseudonyms")]
    pub pseudonym_key: Option<PathBuf>,
    /// Also packs the folder into one file beside it, which `verify` takes as well; where several folders are made, the last one.
    #[arg(long)]
    pub zip: bool,
}

#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// The folder that `crypto-diag run` printed, or its zip.
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
}

#[derive(Debug, Args)]
pub struct RevealArguments {
    /// The file that `crypto-diag run --pseudonyms` wrote.
    #[arg(long, value_name = "FILE")]
    pub dictionary: PathBuf,
}

#[derive(Debug, Args)]
pub struct CompareArguments {
    /// The earlier report, or a folder with it and what belongs to it.
    #[arg(value_name = "BEFORE")]
    pub before: PathBuf,
    /// The later report, made after the remedy, or its folder.
    #[arg(value_name = "AFTER")]
    pub after: PathBuf,
}

#[derive(Debug, Args)]
pub struct TriageArguments {
    /// Folders or single files: reports, HARs, server logs, query results (psql's output, too); `-` is standard input.
    /// Files may be packed with gzip, zstd, xz or bzip2, or lie in a zip or tar. Their kind is told by what is in them.
    #[arg(required = true, value_name = "BUNDLE")]
    pub inputs: Vec<PathBuf>,
    /// How to write the answer. Without it: by the output file's ending, else text.
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Writes the answer to a new file that only you can read, and one sentence of it to standard output.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The zone of the server's log where its times have none: `UTC`, `+02:00`. Without it, it is worked out or said to be
    /// assumed.
    #[arg(long, value_name = "OFFSET", value_parser = zone, allow_hyphen_values = true)]
    pub zone: Option<i32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal.
    Text,
    /// For machines: schema `crypto-diag/triage`.
    Json,
    /// For an issue tracker.
    Markdown,
    /// A page with a timeline, self-contained.
    Html,
    /// For tools that take findings: SARIF 2.1.0.
    Sarif,
    /// The timeline alone, as a picture.
    Svg,
}

impl Format {
    /// The format that a file's ending asks for.
    pub fn of_file(path: &std::path::Path) -> Option<Format> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        if name.ends_with(".sarif.json") {
            return Some(Format::Sarif);
        }
        match name.rsplit_once('.')?.1 {
            "txt" => Some(Format::Text),
            "json" => Some(Format::Json),
            "md" | "markdown" => Some(Format::Markdown),
            "html" | "htm" => Some(Format::Html),
            "sarif" => Some(Format::Sarif),
            "svg" => Some(Format::Svg),
            _ => None,
        }
    }
}

#[derive(Debug, Args)]
pub struct QueriesArguments {
    /// Reports, as users downloaded them; `-` is standard input.
    #[arg(required = true, value_name = "REPORT")]
    pub reports: Vec<PathBuf>,
    /// The server's log on its own host. Default: where Synapse's Debian package has it.
    #[arg(long, value_name = "FILE")]
    pub log: Option<String>,
    /// Markdown instead of plain text, for an issue or a chat.
    #[arg(long)]
    pub markdown: bool,
}

#[derive(Debug, Args)]
pub struct CollectArguments {
    /// Whatever `triage` takes; each file is told by what is in it. Reports, HARs and server logs are taken as by their options;
    /// query results, saved consoles, rageshakes and latency are copied. They stand first: `--log` takes every word up to the next
    /// option.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Reports, as users downloaded them: their ids are looked for, and their time.
    #[arg(long = "report", value_name = "FILE", num_args = 1..)]
    pub reports: Vec<PathBuf>,
    /// HARs, as browsers saved them. What they hold of secrets stays out of the bundle.
    #[arg(long = "har", value_name = "FILE", num_args = 1..)]
    pub hars: Vec<PathBuf>,
    /// The answer to a Prometheus range query, saved as a file.
    #[arg(long, value_name = "FILE")]
    pub prometheus: Option<PathBuf>,
    /// The window's begin instead of the reports': `2026-11-23T08:30:00Z`.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<i64>,
    /// The window's end.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<i64>,
    /// Reads only the window of a large file, found by bisection where its times go upwards. Lines about keys outside of the
    /// window, which are kept otherwise, are not looked for then.
    #[arg(long)]
    pub window_only: bool,
    /// Reads the logs on as they grow, during a call, until Ctrl-C; then the rest is gathered.
    #[arg(long)]
    pub follow: bool,
    /// Where the bundle's folder is made.
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// Does not measure how long requests took.
    #[arg(long)]
    pub no_latency: bool,
    /// Threads that search; as many as the machine has without it.
    #[arg(long, value_name = "COUNT", default_value_t = 0, hide_default_value = true)]
    pub threads: usize,
    #[command(flatten)]
    pub sources: SourceArguments,
    #[command(flatten)]
    pub ids: IdArguments,
}

#[derive(Debug, Args)]
pub struct CheckArguments {
    #[command(flatten)]
    pub sources: SourceArguments,
}

#[derive(Debug, Args)]
pub struct InitArguments {
    /// The profile that is written. It is made anew: nothing is overwritten.
    #[arg(long, short, value_name = "FILE", default_value = "crypto-diag.toml")]
    pub output: PathBuf,
    #[command(flatten)]
    pub sources: Sources,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Sources on the server")]
pub struct SourceArguments {
    /// A file with the options of this list, such as `log = ["/var/log/matrix-synapse"]`, as `crypto-diag init` writes it. An option
    /// on the command line takes the place of the file's.
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    #[command(flatten)]
    pub on_command_line: Sources,
}

/// Where a server's artefacts are: the options, and the entries of a profile, which have the same names and are explained by the same
/// sentences.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[command(next_help_heading = "Sources on the server")]
pub struct Sources {
    /// Reads logs, configuration and database where this command leads: `ssh root@host`, `docker exec -i synapse`,
    /// `ssh root@host pct exec 151 --`. What the other options name is then over there. Nothing is installed or written there.
    #[arg(long, value_name = "COMMAND")]
    pub via: Option<String>,
    /// Synapse's configuration, files and folders as it gets them itself: `/etc/matrix-synapse/homeserver.yaml
    /// /etc/matrix-synapse/conf.d`, and those of workers behind them. Its logs are read unless --log names some, and its database is
    /// asked unless --database names one. Its password goes to the database alone.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub synapse_config: Vec<PathBuf>,
    /// The homeserver's log, or any other: files (rotated and packed ones, too), folders, or `-` for standard input.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub log: Vec<PathBuf>,
    /// The logs of the call's SFU (LiveKit) and of its token service (lk-jwt-service), beside the homeserver's.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub media_log: Vec<PathBuf>,
    /// Synapse's database: `postgresql://user@host/synapse`, "host=/run/postgresql dbname=synapse", or
    /// `sqlite:/path/homeserver.db`. A password is taken from PGPASSWORD, with --via from ~/.pgpass over there.
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// The homeserver's address, `https://matrix.example.org`, whose Admin API is asked for devices, public keys and events: for whom neither
    /// its logs nor its database can be reached. `curl` asks, with an administrator's access token from CRYPTO_DIAG_ADMIN_TOKEN, which
    /// enters no file.
    #[arg(long, value_name = "URL")]
    pub admin_api: Option<String>,
    /// The zone of the logs' times, where they have none: `UTC`, `+02:00`. Without it, it is guessed, and said.
    #[arg(long, value_name = "OFFSET", value_parser = zone, allow_hyphen_values = true)]
    #[serde(with = "zone_entry")]
    pub zone: Option<i32>,
}

/// A zone as an entry of a profile: the option's text.
mod zone_entry {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Option<i32>, D::Error> {
        super::zone(&String::deserialize(input)?).map(Some).map_err(de::Error::custom)
    }

    pub fn serialize<S: Serializer>(minutes: &Option<i32>, output: S) -> Result<S::Ok, S::Error> {
        minutes.map(super::zone_text).serialize(output)
    }
}

/// Ids by hand, where there is no report or it names too few.
#[derive(Debug, Args)]
#[command(next_help_heading = "Ids by hand")]
pub struct IdArguments {
    /// A user, `@alice:example.org`.
    #[arg(long = "user", value_name = "ID")]
    pub users: Vec<String>,
    /// A device: `@alice:example.org/ABCDEFGHIJ`, or `ABCDEFGHIJ` with exactly one --user.
    #[arg(long = "device", value_name = "ID")]
    pub devices: Vec<String>,
    /// A one-time key's id, with or without its algorithm: `AAAAAAAAADQ`.
    #[arg(long = "key", value_name = "ID")]
    pub keys: Vec<String>,
    /// An event, `$…`.
    #[arg(long = "event", value_name = "ID")]
    pub events: Vec<String>,
    /// A room, `!…`.
    #[arg(long = "room", value_name = "ID")]
    pub rooms: Vec<String>,
    /// A delayed event's id.
    #[arg(long = "delay", value_name = "ID")]
    pub delays: Vec<String>,
    /// A to-device message's id.
    #[arg(long = "message", value_name = "ID")]
    pub messages: Vec<String>,
    /// A request of Synapse's log, `POST-48`.
    #[arg(long = "request", value_name = "ID")]
    pub requests: Vec<String>,
}

/// Milliseconds since the epoch, of a time with its zone or of such a number.
pub fn time(text: &str) -> Result<i64, String> {
    if let Ok(ms) = text.parse::<i64>() {
        return Ok(ms);
    }
    match crypto_diag_triage::stamp::read_iso(text.as_bytes()) {
        Some((stamp, length)) if length == text.len() && stamp.has_zone => Ok(stamp.ms),
        Some((_, length)) if length == text.len() => Err("say the zone, such as 2026-11-23T08:30:00Z".to_owned()),
        _ => Err("give a time such as 2026-11-23T08:30:00Z or 2026-11-23T10:30:00+02:00".to_owned()),
    }
}

/// Minutes ahead of UTC: `UTC`, `Z`, `+02`, `+02:00`, `-0530`.
pub fn zone(text: &str) -> Result<i32, String> {
    const HOW: &str = "give an offset such as UTC, +02:00 or -0530";
    if matches!(text, "UTC" | "utc" | "Z" | "z") {
        return Ok(0);
    }
    let (sign, digits) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(digits), _) => (1, digits),
        (_, Some(digits)) => (-1, digits),
        _ => return Err(HOW.to_owned()),
    };
    let digits = digits.replacen(':', "", 1);
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(HOW.to_owned());
    }
    let (hours, minutes) = digits.split_at(2);
    let number = |text: &str| text.parse::<i32>().unwrap_or(0);
    match (number(hours), number(minutes)) {
        (hours @ 0..=14, minutes @ 0..=59) => Ok(sign * (hours * 60 + minutes)),
        _ => Err(HOW.to_owned()),
    }
}

/// The same as a text: `+02:00`.
pub fn zone_text(minutes: i32) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_files_ending_asks_for_a_format() {
        let format = |name: &str| Format::of_file(std::path::Path::new(name));
        for (name, wanted) in [
            ("answer.TXT", Format::Text),
            ("a.b/answer.json", Format::Json),
            ("answer.md", Format::Markdown),
            ("answer.htm", Format::Html),
            ("answer.sarif", Format::Sarif),
            ("answer.sarif.json", Format::Sarif),
            ("timeline.svg", Format::Svg),
        ] {
            assert_eq!(format(name), Some(wanted), "{name}");
        }
        assert_eq!([format("answer"), format("answer.pdf"), format("a.json/answer")], [None; 3]);
    }

    #[test]
    fn a_time_says_its_zone() {
        assert_eq!(time("2026-11-23T08:30:00Z"), Ok(1_795_422_600_000));
        assert_eq!(time("2026-11-23T10:30:00+02:00"), Ok(1_795_422_600_000));
        assert_eq!(time("1795422600000"), Ok(1_795_422_600_000));
        assert!(time("2026-11-23T08:30:00").unwrap_err().contains("zone"));
        for wrong in ["", "yesterday", "2026-11-23T08:30:00Zz", "2026-13-01T00:00:00Z"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_zone_is_an_offset() {
        let right = [("UTC", 0), ("Z", 0), ("+02", 120), ("+02:00", 120), ("-0530", -330), ("+14:00", 840)];
        for (text, minutes) in right {
            assert_eq!(zone(text), Ok(minutes), "{text}");
            assert_eq!(zone(&zone_text(minutes)), Ok(minutes), "{text}");
        }
        for wrong in ["", "2", "+2", "Europe/Berlin", "+15:00", "+02:60", "+0a", "+02:0:", "+é0"] {
            assert!(zone(wrong).is_err(), "{wrong}");
        }
    }
}

//! `crypto-diag check`: whether each source can be read, and what could be proven with them.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use crypto_diag_collect::admin::{self, NOT_TOLD};
use crypto_diag_collect::look::{self, LogLook};
use crypto_diag_collect::{AdminApi, Database, Via, database};
use crypto_diag_core::showable;
use crypto_diag_server_log::LogLevel;
use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::bundle::Refusal;
use crypto_diag_triage::conclusion::Question;
use crypto_diag_triage::rules::{Prospect, RuleInput, prospects};
use crypto_diag_triage::stamp;

use crate::args::{CheckArguments, zone_text};
use crate::sources::Found;
use crate::{exit, output};

/// What users give, and no server has.
const OF_CLIENTS: [ArtefactKind; 2] = [ArtefactKind::Report, ArtefactKind::Har];

/// Tries each source, prints what came of it, and what each rule could do with those that can be read.
///
/// # Errors
/// In words, if nothing can be tried.
pub fn run(arguments: CheckArguments) -> Result<u8, String> {
    let found = Found::find(arguments.sources.stated()?, false)?;
    let mut check = Check::default();
    check.all(&found);
    check.say_what_could_be_proven();
    output::print(&check.text)?;
    Ok(if check.is_failed { exit::NOT_REACHED } else { exit::NOTHING_WRONG })
}

/// What was tried so far.
#[derive(Default)]
pub struct Check {
    /// A line for each source, and more below where there is more to say of it.
    pub text: String,
    is_failed: bool,
    /// Whether some questions cannot be asked of the database.
    is_answered_in_part: bool,
    given: Vec<RuleInput>,
}

impl Check {
    /// Tries each source.
    pub fn all(&mut self, found: &Found) {
        self.given.extend(OF_CLIENTS.map(RuleInput::Kind));
        if let Some(via) = &found.stated.via {
            self.works("via", &format!("{via}: it runs commands"));
        }
        if !found.stated.synapse_config.is_empty() {
            let names: Vec<String> =
                found.stated.synapse_config.iter().map(|path| path.display().to_string()).collect();
            self.works("synapse-config", &names.join(", "));
        }
        for Refusal { what, why } in &found.untold {
            self.fails("synapse-config", &format!("{what}: {why}"));
        }
        for (option, logs) in [("log", &found.logs), ("media-log", &found.stated.media_log)] {
            self.logs(option, logs, found);
            if logs.is_empty() {
                self.line("-", option, "none is named");
            }
        }
        match &found.database {
            Some(database) => self.database(database, found.via.as_ref()),
            None => self.line("-", "database", "none is named"),
        }
        match &found.admin_api {
            Some(Ok(api)) => self.admin_api(api, found.via.as_ref()),
            Some(Err(error)) => self.fails("admin-api", &error.to_string()),
            None => self.line("-", "admin-api", "none is named"),
        }
    }

    fn logs(&mut self, option: &str, paths: &[PathBuf], found: &Found) {
        let (standard_input, paths): (Vec<PathBuf>, Vec<PathBuf>) =
            paths.iter().cloned().partition(|path| path.as_os_str() == "-");
        if !standard_input.is_empty() {
            self.line("-", option, "standard input is read when it comes");
        }
        let looked = look::logs(&paths, found.via.as_ref(), found.stated.zone, &AtomicBool::new(false));
        for look in &looked.logs {
            if look.programs.is_empty() {
                self.fails(
                    option,
                    &format!("{}: nothing in its beginning is a line of a log that is known", look.file),
                );
                continue;
            }
            self.works(option, &described(look));
            self.have(look.is_of_homeserver, RuleInput::Kind(ArtefactKind::ServerLog));
            self.have(look.is_of_media, RuleInput::MediaLog);
            if look.is_of_homeserver && !look.levels.iter().any(|level| *level <= LogLevel::Info) {
                self.note("no line at INFO was seen, which most of what is read of a log is at");
            }
        }
        for error in &looked.unreadable {
            self.fails(option, &error.to_string());
        }
        for Refusal { what, why } in &looked.refused {
            self.note(&format!("left out: {what}: {why}"));
        }
    }

    fn database(&mut self, named: &Database, via: Option<&Via>) {
        let options = database::Options::default();
        match database::check(named, via, &options, &AtomicBool::new(false)) {
            Err(error) => self.fails("database", &format!("{}: {error}", named.shown())),
            Ok(answers) => {
                let said = |key: &str| answers.coverage[key].as_str().unwrap_or("unknown").to_owned();
                let schema = answers.coverage["schemaVersion"].as_i64();
                let about = format!("{} ({} {})", named.shown(), said("engine"), said("version"));
                match schema {
                    Some(schema) => {
                        self.works("database", &format!("{about}, Synapse’s schema {schema}"));
                        self.have(true, RuleInput::Kind(ArtefactKind::QueryResults));
                    }
                    None => {
                        self.fails("database", &format!("{about}: it is not Synapse’s, or this role may not read it"))
                    }
                }
                for Refusal { what, why } in &answers.refused {
                    self.is_failed = true;
                    self.is_answered_in_part = true;
                    self.note(&format!("not to be asked: {what}: {why}"));
                }
            }
        }
    }

    fn admin_api(&mut self, api: &AdminApi, via: Option<&Via>) {
        match admin::check(api, via) {
            Err(error) => self.fails("admin-api", &format!("{}: {error}", api.shown())),
            Ok((server, version)) => {
                let version = version.as_str().unwrap_or("of an unknown version");
                self.works("admin-api", &format!("{}: {server}, Synapse {version}", api.shown()));
                self.note(&format!("Only devices, public keys and events: {NOT_TOLD}"));
                let rows = RuleInput::Kind(ArtefactKind::QueryResults);
                self.is_answered_in_part |= !self.given.contains(&rows);
                self.have(true, rows);
            }
        }
    }

    fn have(&mut self, is_there: bool, what: RuleInput) {
        if is_there && !self.given.contains(&what) {
            self.given.push(what);
        }
    }

    fn works(&mut self, option: &str, what: &str) {
        self.line("ok", option, what);
    }

    fn fails(&mut self, option: &str, why: &str) {
        self.is_failed = true;
        self.line("FAILS", option, why);
    }

    fn line(&mut self, how: &str, option: &str, what: &str) {
        let _ = writeln!(self.text, "{how:<6} {option:<15} {}", showable(what));
    }

    fn note(&mut self, what: &str) {
        let _ = writeln!(self.text, "{:<22} {}", "", showable(what));
    }

    /// What each rule could do, question by question.
    fn say_what_could_be_proven(&mut self) {
        let with_all = prospects(&self.given);
        // What reads query results is told by what would be missing without them.
        let rows = RuleInput::Kind(ArtefactKind::QueryResults);
        let without = self.given.iter().copied().filter(|input| *input != rows).collect::<Vec<_>>();
        let without = prospects(&without);
        let reads_rows = |prospect: &Prospect| prospect.lacks.contains(&rows) || prospect.misses.contains(&rows);
        let _ = write!(
            self.text,
            "\nWhat could be proven with these, and with reports and HARs of the users (docs/rules.md says of each by what).\n\
             yes: all that its rule reads is there. partly: without what is named, some of what is true stays unknown.\n"
        );
        for question in Question::ALL {
            let _ = writeln!(self.text, "\n{}", question.text());
            let of_question = |(prospect, _): &(&Prospect, &Prospect)| prospect.conclusion.question() == question;
            for (prospect, without) in with_all.iter().zip(&without).filter(of_question) {
                let (how, why) = match in_words(prospect) {
                    ("yes", _) if self.is_answered_in_part && reads_rows(without) => {
                        ("partly", " (not all of its query results, see above)".to_owned())
                    }
                    words => words,
                };
                let _ = writeln!(self.text, "  {how:<6} {}{why}", prospect.conclusion.title());
            }
        }
    }
}

fn in_words(prospect: &Prospect) -> (&'static str, String) {
    let list = |inputs: &[RuleInput]| inputs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match (&prospect.lacks[..], &prospect.misses[..]) {
        ([], []) => ("yes", String::new()),
        ([], misses) => ("partly", format!(" (would read, too: {})", list(misses))),
        (lacks, _) => ("no", format!(" (needs: {})", list(lacks))),
    }
}

/// A log in one line.
fn described(look: &LogLook) -> String {
    let programs: Vec<&str> = look.programs.iter().copied().collect();
    let files = match look.files {
        0 | 1 => String::new(),
        2 => " and 1 older file".to_owned(),
        files => format!(" and {} older files", files - 1),
    };
    let span = match (look.first, look.last) {
        (Some(first), Some(last)) => format!("from {} to {} or later", stamp::print(first), stamp::print(last)),
        _ => "its times do not say their date".to_owned(),
    };
    let zone = format!("times taken as {}: {}", zone_text(look.zone_minutes), look.zone_why);
    format!("{}{files}: {}, {span}; {zone}", look.file, programs.join(", "))
}

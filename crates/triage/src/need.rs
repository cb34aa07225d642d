//! What an unknown verdict lacks, as data. The one place that turns it into a command is [`Need::fetch`].

use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::subject::Device;
use crate::synapse_log::MediaProgram;
use crate::verdict::Fetch;

/// Something that would tell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Need {
    /// Which artefact.
    pub wanted: Wanted,
    /// What it would tell, as a noun phrase: "when the server got its key".
    pub why: String,
}

/// An artefact that is missing, or a better one of its kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wanted {
    /// A report of a device.
    Report {
        /// Whose.
        of: Whose,
        /// When it must be made, and what its capture must cover.
        when: ReportTime,
    },
    /// A HAR of the browser that made a report.
    Har {
        /// The report, by index.
        report: usize,
    },
    /// The server's log.
    Log {
        /// The report whose device it is about, by index; `None` where there is no report.
        report: Option<usize>,
    },
    /// The log of an SFU, or of what gives out tokens for it.
    MediaLog(MediaProgram),
    /// The answer of a server query.
    Query {
        /// The report whose ids it asks for, by index; `None` where there is no report.
        report: Option<usize>,
        /// The query's name, such as `ke1-one-time-keys`.
        name: &'static str,
        /// How often it must be asked.
        repeat: Repeat,
    },
}

/// Whose report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Whose {
    /// Of this device.
    Device(Device),
    /// Of the device of this user that took part.
    User(String),
    /// Of somebody whom the artefacts name in these words: "the participant hV3x…".
    Somebody(String),
}

/// When a report must be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ReportTime {
    /// Any time.
    Any,
    /// During the same call, or right after it, on the page that held the call.
    SameCall,
    /// By a capture that ran before the matter began.
    CaptureBefore,
    /// After the server was asked, while the page is still open.
    AfterTheQuery,
}

/// How often a query must be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Repeat {
    /// Once.
    Once,
    /// Twice, some seconds apart.
    Twice,
}

impl Need {
    /// A report of a device.
    pub fn report(of: Whose, when: ReportTime, why: impl Into<String>) -> Need {
        Need { wanted: Wanted::Report { of, when }, why: why.into() }
    }

    /// A HAR of the browser that made a report.
    pub fn har(report: usize, why: impl Into<String>) -> Need {
        Need { wanted: Wanted::Har { report }, why: why.into() }
    }

    /// The server's log.
    pub fn log(report: Option<usize>, why: impl Into<String>) -> Need {
        Need { wanted: Wanted::Log { report }, why: why.into() }
    }

    /// The log of an SFU, or of what gives out tokens for it.
    pub fn media_log(program: MediaProgram, why: impl Into<String>) -> Need {
        Need { wanted: Wanted::MediaLog(program), why: why.into() }
    }

    /// The answer of a server query, asked once.
    pub fn query(report: Option<usize>, name: &'static str, why: impl Into<String>) -> Need {
        Need { wanted: Wanted::Query { report, name, repeat: Repeat::Once }, why: why.into() }
    }

    /// The answers of a server query, asked twice some seconds apart.
    pub fn query_twice(report: Option<usize>, name: &'static str, why: impl Into<String>) -> Need {
        Need { wanted: Wanted::Query { report, name, repeat: Repeat::Twice }, why: why.into() }
    }

    /// The need with the exact command, or with what to do where there is none.
    pub fn fetch(&self, case: &Case<'_>) -> Fetch {
        let (artefact, how) = match &self.wanted {
            Wanted::Report { of, when } => (ArtefactKind::Report, report_steps(case, of, *when)),
            Wanted::Har { report } => (ArtefactKind::Har, har_steps(case, *report)),
            Wanted::Log { report } => (ArtefactKind::ServerLog, collect_command(case, *report)),
            Wanted::MediaLog(program) => (ArtefactKind::ServerLog, media_log_steps(*program).to_owned()),
            Wanted::Query { report, name, repeat } => query_command(case, *report, name, *repeat),
        };
        Fetch { artefact, what: self.why.clone(), how }
    }
}

fn report_steps(case: &Case<'_>, of: &Whose, when: ReportTime) -> String {
    let is_given = matches!(of, Whose::Device(device) if case.pages_of(device).next().is_some());
    let who = match of {
        Whose::Device(device) => device.label(),
        Whose::User(user_id) => format!("the device of {user_id} that took part"),
        Whose::Somebody(words) => words.clone(),
    };
    let when = match when {
        // Beside a report that is there, "Download report" alone would ask for what was given.
        ReportTime::Any if is_given => {
            ", once more, while the client is signed in: the one that is given does not say it"
        }
        ReportTime::Any => "",
        ReportTime::SameCall => ", on the page that holds the call, during it or right after it",
        ReportTime::CaptureBefore => ", of a page that was opened before the call began, without pressing Clear",
        ReportTime::AfterTheQuery => ", after the server was asked and while the page is still open",
    };
    format!("On {who}: Settings, Developer Tools, Crypto Diagnostics, Download report{when}")
}

fn har_steps(case: &Case<'_>, report: usize) -> String {
    let device = case.pages.get(report).map_or_else(|| "the device".to_owned(), |page| case.label(page));
    format!(
        "In the browser of {device}: F12, Network, tick “Preserve log”, reload, reproduce, “Save all as HAR”; then give that \
         file together with {}",
        quoted(case.report_name(report))
    )
}

fn collect_command(case: &Case<'_>, report: Option<usize>) -> String {
    match report {
        Some(report) => format!(
            "crypto-diag collect --report {} --log /var/log/matrix-synapse/homeserver.log",
            quoted(case.report_name(report))
        ),
        None => "the homeserver's log at INFO, of every worker, as it is on the server".to_owned(),
    }
}

fn media_log_steps(program: MediaProgram) -> &'static str {
    match program {
        MediaProgram::LiveKit => {
            "the log of LiveKit's server at INFO, of every SFU of the call and from before the call began: `docker logs livekit 2>&1`. \
             Which SFUs there are stands in https://SERVER/.well-known/matrix/client of each member's server, as \
             `livekit_service_url` in `org.matrix.msc4143.rtc_foci`"
        }
        MediaProgram::TokenService => {
            "the log of lk-jwt-service beside each SFU, of the same time: `docker logs lk-jwt-service 2>&1`"
        }
    }
}

fn query_command(case: &Case<'_>, report: Option<usize>, name: &str, repeat: Repeat) -> (ArtefactKind, String) {
    let asked = report.and_then(|report| case.server_query(report, name));
    let log = asked.is_some_and(|query| query.runs_on == crypto_diag_analysis::queries::RunsOn::LogHost);
    let artefact = if log { ArtefactKind::ServerLog } else { ArtefactKind::QueryResults };
    let once = match (asked, report) {
        (Some(query), _) => query.text.clone(),
        (None, Some(report)) => {
            format!("crypto-diag queries {}  # the query called {name}", quoted(case.report_name(report)))
        }
        (None, None) => format!("crypto-diag queries REPORT  # of any report of that device; the query called {name}"),
    };
    match repeat {
        Repeat::Once => (artefact, once),
        Repeat::Twice => (artefact, format!("{once}\n-- twice, some seconds apart")),
    }
}

fn quoted(name: &str) -> String {
    shlex::try_quote(name).map_or_else(|_| "REPORT".to_owned(), std::borrow::Cow::into_owned)
}

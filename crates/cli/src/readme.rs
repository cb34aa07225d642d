//! `README.txt` of a hand-off: one page in plain words, for somebody who was not there.

use std::fmt::Write;

use crypto_diag_core::{Clean, visible_line};
use crypto_diag_triage::bundle::{Bundle, Manifest};
use crypto_diag_triage::minimal::{Cut, Unit};
use crypto_diag_triage::{Triage, stamp};

use crate::{bag, output};

/// Columns of a line.
const COLUMNS: usize = 100;

/// Entries of a list at most: it is one page. What is left out is counted, and stands in the files that are named.
const ENTRIES_MAX: usize = 12;

/// How a hand-off names users, devices, rooms and servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// By their ids.
    AsTheyAre,
    /// By pseudonyms that its maker can undo.
    Pseudonyms,
}

/// The page.
pub fn readme(triage: &Triage, bundle: &Bundle, manifest: &Manifest, ids: Ids) -> Clean {
    let mut page = Page::default();
    page.heading("What a failing call left behind, and what it proves");
    page.say(&triage.summary);

    page.heading("What was looked at");
    for coverage in &triage.questions {
        page.line(coverage.question.text());
        let standing = if coverage.covered { "Looked at" } else { "Not fully covered" };
        page.item(&format!(
            "{standing}: {} proven, {} refuted, {} unknown.",
            coverage.proven, coverage.refuted, coverage.unknown
        ));
        page.list("answer.md", coverage.looked_at.iter().cloned());
    }

    page.heading("What was not");
    let refused = manifest.refused.iter().map(|refusal| format!("{}: {}", refusal.what, refusal.why));
    let problems = triage.problems.iter().map(ToString::to_string);
    page.list("data/manifest.json and answer.md", refused.chain(problems));
    if manifest.refused.is_empty() && triage.problems.is_empty() {
        page.item("Everything that was given was read.");
    }

    if let Some(minimal) = &manifest.minimal {
        page.heading("What is left out on purpose");
        page.item(&format!(
            "This is a part of the hand-off with the seal {}, whose maker has the rest.",
            minimal.seal_of_whole
        ));
        page.list("data/manifest.json", minimal.cuts.iter().map(cut));
        let said = minimal.attested.iter().map(|one| format!("attested to be {}: {}", one.was.word(), one.statement));
        page.list("answer.md", said);
    }

    if ids == Ids::Pseudonyms {
        page.heading("What stands for ids");
        page.item(
            "Users, devices, rooms and servers have pseudonyms here, in every file the same. Whoever made this folder has the \
             file with which `crypto-diag reveal` undoes them, in whatever is said of it.",
        );
    }

    page.heading("What is open, and what to fetch next");
    match &triage.story.next {
        Some(next) => {
            page.item(&format!("{}: {}", next.fetch.artefact, next.fetch.what));
            next.fetch.how.lines().for_each(|line| page.verbatim(line));
            page.item("For everything else that is unknown, answer.html says how to find out.");
        }
        None => page.item("Nothing that could be fetched would tell more."),
    }

    page.heading("Who");
    let who = bundle.reports.iter().zip(&bundle.report_names).map(|(report, name)| {
        let known = |id: &Option<String>| id.clone().unwrap_or_else(|| "unknown".to_owned());
        let made = i64::try_from(report.generated_at.0).ok().filter(|at| *at > 0);
        let made = made.map_or(String::new(), |at| format!(", made {}", stamp::print(at)));
        format!("user {}, device {} ({name}{made})", known(&report.user_id), known(&report.device_id))
    });
    page.list("answer.md", who);
    if bundle.reports.is_empty() {
        page.item("No report of a client was given.");
    }

    page.heading("When");
    let printed = |at: Option<i64>| at.map_or("open".to_owned(), stamp::print);
    page.item(&format!("The window that was searched: from {} to {}.", printed(manifest.from), printed(manifest.to)));
    page.list("answer.md", triage.course.overlaps.sentences().map(str::to_owned));

    let mut marked = marked(bundle).peekable();
    if marked.peek().is_some() {
        page.heading("What the users heard and saw, as they marked it");
        page.list("answer.html", marked);
    }

    page.heading("Versions");
    page.item(&format!("{}, which gathered, judged and packed this", bag::THIS_PROGRAM));
    page.list(
        "answer.md",
        triage.versions.iter().map(|version| format!("{}: {} {}", version.of, version.part, version.version)),
    );

    page.heading("What lies here");
    page.list(
        "",
        [
            "answer.html: the answer for people, with its evidence. answer.md: for an issue. answer.json: for programs. answer.sarif: for \
             tools that take findings. timeline.svg: the timeline as a picture.",
            "data/: what it was made of: reports, reduced HARs, slices of logs, answers of the database. data/manifest.json says \
             what was read.",
            "The rest makes it a bag (RFC 8493). `crypto-diag verify FOLDER` says whether a file was changed, added or taken away, and \
             whether the same answer comes out of data/ again.",
            "It holds ids of users, devices, rooms and events. Hand it on to people whom you trust with them.",
        ]
        .into_iter()
        .map(str::to_owned),
    );
    Clean::told(&page.0)
}

/// How much of a cut artefact is here, in a sentence.
fn cut(cut: &Cut) -> String {
    let unit = match cut.unit {
        Unit::Lines => "lines",
        Unit::Requests => "requests",
        Unit::Rows => "rows",
    };
    let span = match (cut.from, cut.to) {
        (Some(from), Some(to)) => format!(", from {} to {}", stamp::print(from), stamp::print(to)),
        _ => String::new(),
    };
    format!("{}: {} of {} {unit}{span}; the whole has the SHA-256 {}", cut.name, cut.kept, cut.count, cut.sha256)
}

/// The marks of all reports, each by the clock of its page.
fn marked(bundle: &Bundle) -> impl Iterator<Item = String> {
    bundle.reports.iter().zip(&bundle.report_names).flat_map(|(report, name)| {
        report.marks.iter().map(move |mark| {
            let at = i64::try_from(mark.ts.0).ok().map_or("at an unknown time".to_owned(), stamp::print);
            format!("{at} ({name}): {}", mark.text())
        })
    })
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn heading(&mut self, text: &str) {
        let gap = if self.0.is_empty() { "" } else { "\n" };
        let _ = write!(self.0, "{gap}{text}\n{}\n", "-".repeat(text.chars().count()));
    }

    /// A paragraph.
    fn say(&mut self, text: &str) {
        self.wrapped(text, "", "");
    }

    fn item(&mut self, text: &str) {
        self.wrapped(text, "- ", "  ");
    }

    /// Entries, and how many were left out, which stand elsewhere.
    fn list(&mut self, elsewhere: &str, entries: impl Iterator<Item = String>) {
        let mut more = 0;
        for (index, entry) in entries.enumerate() {
            if index < ENTRIES_MAX { self.item(&entry) } else { more += 1 }
        }
        if more > 0 {
            self.item(&format!("… and {more} more, see {elsewhere}"));
        }
    }

    /// A line as it is: triage knows its own answers by their questions.
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.0, "{}", visible_line(text));
    }

    /// A line of a command.
    fn verbatim(&mut self, text: &str) {
        let _ = writeln!(self.0, "      {}", visible_line(text));
    }

    fn wrapped(&mut self, text: &str, first: &str, rest: &str) {
        for line in output::wrapped(&visible_line(text), first, rest, COLUMNS) {
            let _ = writeln!(self.0, "{line}");
        }
    }
}

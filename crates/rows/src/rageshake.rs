//! Rageshakes as they lie on their server's disk: a folder each, with `details.json` and what was sent.

use std::io::{self, BufReader, Read, Write};

use crypto_diag_pseudonym::{Hashing, Kind};
use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::console::Rageshake;
use crypto_diag_triage::intake::{Member, Plan, Source as Given};
use crypto_diag_triage::problem::Problem;
use crypto_diag_triage::unpack::{document, open};

use crate::map::Map;
use crate::table::{Source, Why};

impl<W: Write> Map<'_, W> {
    /// Gives the rows of one rageshake, whose files are the sources: of each report that is attached to it; if none can be read, of
    /// its consoles, by the lines of known families in them. `complain` hears what cannot be read.
    ///
    /// # Errors
    /// If the output cannot be written. A file that cannot be read is no error: it is said, and the rest is used.
    pub fn rageshake<S: Given>(&mut self, sources: &[S], complain: &mut dyn FnMut(&str)) -> io::Result<()> {
        let mut tell = |problem: &Problem| complain(&format!("{}: {}", problem.artefact, problem.what));
        let plan = Plan::of(sources);
        plan.unopened.iter().for_each(&mut tell);
        let of_kind = |kind| plan.members.iter().filter(move |member| member.kind == kind);
        let text = |member: &Member| document(open::open(sources[member.source].open()?, &member.part)?);
        let described = of_kind(ArtefactKind::Rageshake);
        let shake = described.filter_map(|member| Rageshake::read(&member.name, &text(member).ok()?)).next();
        let shake = shake.unwrap_or_default();
        let mut attached = 0;
        for member in of_kind(ArtefactKind::Report) {
            match text(member) {
                Ok(text) => match self.report(text.as_bytes(), Some(&shake))? {
                    Ok(()) => attached += 1,
                    Err(refusal) => tell(&Problem::whole(&member.name, &refusal.to_string())),
                },
                Err(error) => tell(&Problem::whole(&member.name, &format!("cannot be read: {error}"))),
            }
        }
        if attached > 0 {
            return Ok(());
        }
        let mut bundle = Bundle::new();
        let mut hashing = self.names.begin(Kind::Report);
        for member in of_kind(ArtefactKind::Rageshake).chain(of_kind(ArtefactKind::Console)) {
            match sources[member.source].open().and_then(|input| open::open(input, &member.part)) {
                Ok(text) => {
                    let hashed = Hashed { input: text, hashing: &mut hashing };
                    bundle.add(&member.name, Some(member.kind), BufReader::new(hashed));
                }
                Err(error) => tell(&Problem::whole(&member.name, &format!("cannot be read: {error}"))),
            }
        }
        bundle.problems.iter().for_each(&mut tell);
        let id = hashing.end();
        if bundle.reports.is_empty() {
            return self.refuse(Some(id), Why::NothingReadable);
        }
        self.pages(id, Source::RageshakeConsole, &bundle, Some(&shake))
    }
}

/// An input whose bytes name the report as they are read.
struct Hashed<'h, R> {
    input: R,
    hashing: &'h mut Hashing,
}

impl<R: Read> Read for Hashed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.hashing.update(&buffer[..length]);
        Ok(length)
    }
}

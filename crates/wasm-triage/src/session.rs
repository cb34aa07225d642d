//! From sources to an answer: what each file is, in which order they are read, and how far it got.

use std::io::{self, BufRead, BufReader, Read};

use crypto_diag_triage::Triage;
use crypto_diag_triage::bundle::{ArtefactKind, Bundle, HEAD_BYTES};
use crypto_diag_triage::problem::{Place, Problem};
use flate2::bufread::MultiGzDecoder;

/// Bytes that are asked of a source at once, and held of it.
const CHUNK_BYTES: usize = 1 << 20;

/// What gzip begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A file, opened as often as needed.
pub trait Source {
    /// What it is read through.
    type Input: Read;

    /// Its name in the bundle.
    fn name(&self) -> &str;

    /// From its beginning.
    ///
    /// # Errors
    /// If it is gone or may not be read.
    fn open(&self) -> io::Result<Self::Input>;
}

/// How a file got on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// What it was taken for.
    Kind(ArtefactKind),
    /// Bytes of it that were read so far, as it lies there: a compressed file's own.
    Read(u64),
    /// It is done, and used or not.
    Done(bool),
}

/// Reads the sources, in the order that serves the readers, and walks the tree, as `crypto-diag triage` does. `tell` hears which source (its place in
/// `sources`) is where. The answer depends on names and contents, not on the order of `sources`.
pub fn run<S: Source>(sources: &[S], zone_minutes: Option<i32>, tell: &mut dyn FnMut(usize, Step)) -> (Bundle, Triage) {
    let mut bundle = Bundle::new();
    bundle.log_options.zone_minutes = zone_minutes;
    let mut order: Vec<usize> = (0..sources.len()).collect();
    order.sort_by_key(|index| sources[*index].name());
    let mut readable = Vec::new();
    let mut passed = Vec::new();
    let mut unread = 0;
    for index in order {
        let name = sources[index].name();
        match head(&sources[index]) {
            Ok(head) => {
                let kind = ArtefactKind::guess(plain_name(name), &head);
                tell(index, Step::Kind(kind));
                readable.push((kind, name, index));
                if kind == ArtefactKind::Other && !is_expected(name) {
                    passed.push(problem(name, "it is neither a report nor a HAR, a log or a query's result; left out"));
                }
            }
            Err(error) => {
                unread += 1;
                bundle.problems.push(problem(name, format!("cannot be opened: {error}")));
                tell(index, Step::Done(false));
            }
        }
    }
    bundle.problems.append(&mut passed);
    readable.sort_by_key(|(kind, name, _)| (kind.order(), *name));
    for (kind, name, index) in readable {
        let mut hear = |read| tell(index, Step::Read(read));
        let input: Box<dyn BufRead + '_> = match opened(&sources[index], CHUNK_BYTES, &mut hear) {
            Ok(input) => input,
            Err(error) => Box::new(BufReader::new(Broken(Some(error)))),
        };
        bundle.add(name, Some(kind), input);
        let used = bundle.artefacts.last().is_some_and(|artefact| artefact.used);
        tell(index, Step::Done(used));
    }
    let mut triage = Triage::of(&bundle);
    // "Nothing is wrong" would be said of files that nobody could look into.
    if triage.exit_code == 0 && unread > 0 {
        triage.exit_code = 2;
        triage.summary.push_str(" Some of what was given could not be opened.");
    }
    (bundle, triage)
}

fn problem(name: &str, what: impl Into<String>) -> Problem {
    Problem { artefact: name.to_owned(), place: Place::Whole, what: what.into() }
}

/// Files that bundles have and that say nothing here.
fn is_expected(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    file == "label.json" || [".jsonl", ".html", ".md"].iter().any(|end| file.ends_with(end))
}

/// The name without what compression added, since names tell kinds.
fn plain_name(name: &str) -> &str {
    name.strip_suffix(".gz").unwrap_or(name)
}

/// The first bytes, unpacked.
fn head(source: &impl Source) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    opened(source, HEAD_BYTES, &mut |_| {})?.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// A source from its beginning, unpacked if it is gzip.
fn opened<'a, S: Source>(source: &'a S, chunk: usize, tell: &'a mut dyn FnMut(u64)) -> io::Result<Box<dyn BufRead + 'a>>
where
    S::Input: 'a,
{
    let mut input = BufReader::with_capacity(chunk, Counted { input: source.open()?, read: 0, tell });
    if input.fill_buf()?.starts_with(&GZIP) {
        Ok(Box::new(BufReader::with_capacity(chunk, MultiGzDecoder::new(input))))
    } else {
        Ok(Box::new(input))
    }
}

/// Says how much was read.
struct Counted<'a, R> {
    input: R,
    read: u64,
    tell: &'a mut dyn FnMut(u64),
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.read += count as u64;
        (self.tell)(self.read);
        Ok(count)
    }
}

/// Input that gives nothing but its error.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    struct Given(&'static str, Vec<u8>);

    impl Source for Given {
        type Input = io::Cursor<Vec<u8>>;
        fn name(&self) -> &str {
            self.0
        }
        fn open(&self) -> io::Result<Self::Input> {
            if self.0.contains("gone") {
                return Err(io::Error::other("NotFoundError"));
            }
            Ok(io::Cursor::new(self.1.clone()))
        }
    }

    const LINE: &[u8] = b"2026-11-23 08:36:03,871 - a.b - 1 - INFO - GET-1 - m\n";

    fn log(lines: usize) -> Vec<u8> {
        LINE.repeat(lines)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(bytes).expect("a Vec takes all");
        packed.finish().expect("a Vec takes all")
    }

    fn report() -> Vec<u8> {
        br#"{"schema":"crypto-diag/report","schemaVersion":1,"generatedAt":1,"entries":[]}"#.to_vec()
    }

    #[test]
    fn reports_are_read_before_logs_whatever_comes_first() {
        let sources = [Given("a.log", log(1)), Given("z.report.json", report())];
        let mut order = Vec::new();
        let (bundle, triage) = run(&sources, None, &mut |index, step| {
            if matches!(step, Step::Done(_)) {
                order.push(index);
            }
        });
        assert_eq!(order, [1, 0]);
        assert_eq!((bundle.reports.len(), bundle.logs.len()), (1, 1));
        let turned = [Given("z.report.json", report()), Given("a.log", log(1))];
        assert_eq!(run(&turned, None, &mut |_, _| {}).1, triage);
    }

    #[test]
    fn rotated_logs_are_unpacked_as_they_are_read() {
        // Two members, as `cat a.gz b.gz` makes them.
        let packed = [gzip(&log(40_000)), gzip(&log(2))].concat();
        let size = packed.len() as u64;
        let mut steps = Vec::new();
        let (bundle, _) = run(&[Given("homeserver.log.1.gz", packed)], None, &mut |_, step| steps.push(step));
        assert_eq!(bundle.problems, []);
        assert_eq!(bundle.logs[0].counts.lines, 40_002);
        assert_eq!(steps[0], Step::Kind(ArtefactKind::ServerLog));
        assert!(steps.contains(&Step::Read(size)), "{steps:?}");
        assert_eq!(steps.last(), Some(&Step::Done(true)));
    }

    #[test]
    fn a_file_that_is_cut_off_or_gone_is_named_and_the_rest_is_used() {
        let mut cut = gzip(&log(200_000));
        cut.truncate(cut.len() / 2);
        let sources = [Given("cut.log.gz", cut), Given("gone.log", vec![]), Given("whole.log", log(3))];
        let (bundle, triage) = run(&sources, None, &mut |_, _| {});
        let named: Vec<&str> = bundle.problems.iter().map(|problem| problem.artefact.as_str()).collect();
        assert_eq!(named, ["gone.log", "cut.log.gz"], "{:?}", bundle.problems);
        assert!(bundle.logs.iter().any(|log| log.counts.lines > 100), "the part before the cut is used");
        assert_eq!(triage.artefacts.iter().filter(|artefact| artefact.used).count(), 2);
        assert_eq!(triage.exit_code, 2, "{}", triage.summary);
    }

    #[test]
    fn a_stated_zone_moves_the_logs_times() {
        let zone = |minutes| run(&[Given("a.log", log(1))], minutes, &mut |_, _| {}).0.logs[0].first;
        assert_eq!(zone(None).zip(zone(Some(60))).map(|(utc, east)| utc - east), Some(3_600_000));
    }
}

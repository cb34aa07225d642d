//! `crypto-diag rows` and `crypto-diag judge`: filters from standard input to standard output.

use std::fs;
use std::io::{self, BufReader, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::slice;

use crypto_diag_pseudonym::Key;
use crypto_diag_rows::{Done, JudgeError, LogDone, Map, Names};
use walkdir::WalkDir;

use crate::args::{JudgeArguments, NameArguments, RowsArguments};
use crate::inputs::Inputs;
use crate::{exit, output};

/// Bytes that are read and written at once.
const BUFFER_BYTES: usize = 256 << 10;

/// What describes a rageshake: its server writes one of these into each rageshake's folder.
const DESCRIPTIONS: [&str; 3] = ["details.json", "details.log", "details.log.gz"];

/// Gives the rows of the reports on standard input, of the rageshakes below folders, or of a homeserver's log.
///
/// # Errors
/// In words, if the key cannot be used, the input not be read or the output not be written.
pub fn rows(arguments: RowsArguments) -> Result<u8, String> {
    let names = names(arguments.names)?;
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
    if let Some(server) = &arguments.log {
        let input = BufReader::with_capacity(BUFFER_BYTES, io::stdin().lock());
        return log(crypto_diag_rows::latency(&names, server, arguments.zone, input, &mut out));
    }
    if !arguments.rageshake.is_empty() {
        let mut map = Map::new(&names, arguments.bodies, &mut out);
        for folder in &arguments.rageshake {
            if let Err(error) = rageshakes(&mut map, folder)? {
                return end(Err(error));
            }
        }
        let done = map.done;
        return end(out.flush().map(|()| done));
    }
    let input = BufReader::with_capacity(BUFFER_BYTES, io::stdin().lock());
    let done = crypto_diag_rows::rows(&names, arguments.bodies, input, &mut out, &mut output::complain);
    end(done.and_then(|done| out.flush().map(|()| done)))
}

/// Says on standard error which lines of a log are in no row, and whether its zone was assumed.
fn log(done: io::Result<LogDone>) -> Result<u8, String> {
    let LogDone { requests, undated, too_long, zone_assumed } = match done {
        Ok(done) => done,
        Err(error) => return end(Err(error)),
    };
    if zone_assumed {
        output::complain(
            "the log's times have no zone and were taken for UTC; if that is wrong, state the zone: --zone +02:00",
        );
    }
    if undated + too_long > 0 {
        output::complain(&format!(
            "{undated} requests whose lines do not say their date and {too_long} lines too long to be read are not counted"
        ));
    }
    if requests == 0 {
        output::complain("no request was found, so there are no rows; is this a homeserver's log?");
    }
    Ok(exit::NOTHING_WRONG)
}

/// Gives the rows of all rageshakes below a folder, in the order of their names. One is held at a time.
///
/// # Errors
/// In words, if the folder cannot be read or holds no rageshake; inside, if the output cannot be written.
fn rageshakes(map: &mut Map<'_, impl Write>, folder: &Path) -> Result<io::Result<()>, String> {
    let shown = folder.display();
    let mut last: Option<PathBuf> = None;
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) if error.depth() == 0 => return Err(format!("{shown}: cannot be read: {error}")),
            Err(error) => {
                output::complain(&format!("cannot be read: {error}"));
                continue;
            }
        };
        let is_description = entry.file_name().to_str().is_some_and(|name| DESCRIPTIONS.contains(&name));
        let shake = entry.path().parent().filter(|parent| is_description && last.as_deref() != Some(parent));
        let Some(shake) = shake.map(Path::to_owned) else { continue };
        let inputs = Inputs::find(slice::from_ref(&shake));
        let mut complain = |why: &str| output::complain(&format!("{}: {why}", shake.display()));
        inputs.problems.iter().for_each(|problem| complain(&problem.what));
        if let Err(error) = map.rageshake(&inputs.list, &mut complain) {
            return Ok(Err(error));
        }
        last = Some(shake);
    }
    match last {
        Some(_) => Ok(Ok(())),
        None => Err(format!("{shown}: no rageshake lies in it, which has a details.json")),
    }
}

/// Gives the verdicts on the incidents on standard input.
///
/// # Errors
/// Likewise, or if the input is not sorted.
pub fn judge(arguments: JudgeArguments) -> Result<u8, String> {
    let names = names(arguments.names)?;
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
    let input = BufReader::with_capacity(BUFFER_BYTES, io::stdin().lock());
    let done = match crypto_diag_rows::judge(&names, input, &mut out, &mut output::complain) {
        Ok(done) => Ok(done),
        Err(JudgeError::Io(error)) => Err(error),
        Err(error @ JudgeError::NotSorted { .. }) => return Err(error.to_string()),
    };
    end(done.and_then(|done| out.flush().map(|()| done)))
}

fn names(arguments: NameArguments) -> Result<Names, String> {
    let file = arguments.key.display().to_string();
    let bytes = fs::read(&arguments.key).map_err(|error| format!("{file}: the key cannot be read: {error}"))?;
    let key = Key::new(&bytes).map_err(|error| format!("{file}: {error}; make one: openssl rand -hex 32 > {file}"))?;
    Ok(Names::new(key, arguments.server_names))
}

/// A reader that has seen enough (`| head`) is no error. Neither is a line that cannot be used: an engine that runs this on a
/// thousand files would stop at the first bad line of any.
fn end(done: io::Result<Done>) -> Result<u8, String> {
    match done {
        Ok(Done { read, refused }) => {
            if refused > 0 {
                output::complain(&format!(
                    "{read} reports were read, {refused} could not be used; each of these has a row in the table `refused`"
                ));
            }
            Ok(exit::NOTHING_WRONG)
        }
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(exit::NOTHING_WRONG),
        Err(error) => Err(format!("the input cannot be read on, or the output not be written: {error}")),
    }
}

//! `crypto-diag rows` and `crypto-diag judge`: filters from standard input to standard output.

use std::fs;
use std::io::{self, BufReader, BufWriter, ErrorKind, Write};

use crypto_diag_pseudonym::Key;
use crypto_diag_rows::{Done, JudgeError, Names};

use crate::args::{JudgeArguments, NameArguments, RowsArguments};
use crate::{exit, output};

/// Bytes that are read and written at once.
const BUFFER_BYTES: usize = 256 << 10;

/// Gives the rows of the reports on standard input.
///
/// # Errors
/// In words, if the key cannot be used, the input not be read or the output not be written.
pub fn rows(arguments: RowsArguments) -> Result<u8, String> {
    let names = names(arguments.names)?;
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
    let input = BufReader::with_capacity(BUFFER_BYTES, io::stdin().lock());
    let done = crypto_diag_rows::rows(&names, arguments.bodies, input, &mut out, &mut output::complain);
    end(done.and_then(|done| out.flush().map(|()| done)))
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
                    "{read} reports were read, {refused} could not be used; each of these is a row of the table refused"
                ));
            }
            Ok(exit::NOTHING_WRONG)
        }
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(exit::NOTHING_WRONG),
        Err(error) => Err(format!("the input cannot be read on, or the output not be written: {error}")),
    }
}

//! Programs that run elsewhere, behind a command such as `ssh root@host`, `docker exec synapse` or `ssh root@host pct exec 151 --`.
//!
//! The command is run as it was given, without a shell here. Nothing is installed or written there; what runs is what every such host
//! has: `printf`, `find`, `cat`, `tail`, and `psql` for the database.

use std::io::{self, Read};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::{self, JoinHandle};

use crypto_diag_core::{redact, showable};

use crate::files::DEPTH_MAX;

/// A text with every character that a shell changes. It is sent to find out how many shells read an argument on its way.
const PROBE: &str = "a  b'c\"$HOME`id`\\*\n~;#|&<é>";

/// Shells that an argument may pass at most: `ssh` to a host and `ssh` from there to the next.
const SHELLS_MAX: usize = 2;

/// Bytes that are kept of a program's error message.
const SAID_BYTES: u64 = 4 << 10;

/// Files below a folder that are read at most: each needs a program of its own.
const FILES_MAX: usize = 100;

/// A command that runs others elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    words: Vec<String>,
    /// How many shells read an argument on its way.
    shells: usize,
}

impl Via {
    /// Finds out how arguments have to be quoted, by running `printf` there.
    ///
    /// # Errors
    /// In words, if the command cannot be split into words, does not run, or gives arguments on in a way that no quoting
    /// makes good.
    pub fn find(command: &str) -> Result<Via, String> {
        let words = shlex::split(command).filter(|words| !words.is_empty());
        let words = words.ok_or_else(|| format!("--via {command}: a quote is not closed, or nothing is there"))?;
        let mut said = String::new();
        for shells in 0..=SHELLS_MAX {
            let via = Via { words: words.clone(), shells };
            match via.output(&["printf", "%s", PROBE]) {
                Ok(printed) if printed == PROBE.as_bytes() => return Ok(via),
                Ok(_) => {}
                // Report the last error: an error of a try with too little quoting may only be about the probe's quotes.
                Err(error) => said = error.to_string(),
            }
        }
        let why = if said.is_empty() { "it changes the arguments that it gives on".to_owned() } else { said };
        Err(format!(
            "--via {command}: `{command} printf x` should print x there, and does not: {why}; try that command by itself"
        ))
    }

    /// A program and its arguments, as they are to be run here.
    fn command(&self, program: &[&str]) -> io::Result<Command> {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]);
        for word in program {
            let mut word = (*word).to_owned();
            for _ in 0..self.shells {
                let quoted = shlex::try_quote(&word).map_err(|_| io::Error::other("a NUL is in an argument"))?;
                word = quoted.into_owned();
            }
            command.arg(word);
        }
        Ok(command)
    }

    /// Runs a program to its end and gives what it printed.
    pub(crate) fn output(&self, program: &[&str]) -> io::Result<Vec<u8>> {
        output(Some(self), program)
    }

    /// Runs a program and gives what it prints while it runs.
    ///
    /// # Errors
    /// If it cannot be started. That it failed is an error of the last read.
    pub(crate) fn open(&self, program: &[&str]) -> io::Result<Running> {
        open(Some(self), program)
    }

    /// The file itself, or the files below a folder, and what was not looked at. Names that begin with a dot are left out.
    ///
    /// # Errors
    /// If there is no such file, or it may not be read.
    pub(crate) fn files(&self, path: &str) -> io::Result<(Vec<String>, Option<String>)> {
        let path = plain(path);
        let depth = (DEPTH_MAX + 1).to_string();
        let below = ["find", "-H", &path, "-maxdepth", &depth, "-mindepth", "1", "-name", ".*", "-prune", "-o"];
        let mut printed = Vec::new();
        let done = self.open(&[&below[..], &["-type", "f", "-print0"]].concat())?.read_to_end(&mut printed);
        let mut names = names(&printed);
        match done {
            Err(error) if names.is_empty() => return Err(error),
            // This is a file, so there is nothing below it.
            Ok(_) if names.is_empty() && !self.output(&["find", "-H", &path, "-prune", "-type", "f"])?.is_empty() => {
                return Ok((vec![path], None));
            }
            _ => names.sort(),
        }
        let left = names.len().saturating_sub(FILES_MAX);
        let left = (left > 0).then(|| format!("{left} files more are in it: name those of the call"));
        names.truncate(FILES_MAX);
        Ok((names, done.err().map(|error| error.to_string()).or(left)))
    }

    /// The files in a folder itself, and links to files, by name; `None` if it is no folder.
    ///
    /// # Errors
    /// If it is not there, or may not be read.
    pub(crate) fn files_in(&self, folder: &str) -> io::Result<Option<Vec<String>>> {
        let folder = plain(folder);
        if self.output(&["find", "-L", &folder, "-prune", "-type", "d"])?.is_empty() {
            return Ok(None);
        }
        let below = ["find", "-L", &folder, "-maxdepth", "1", "-mindepth", "1", "-type", "f", "-print0"];
        let mut names = names(&self.output(&below)?);
        names.sort();
        Ok(Some(names))
    }

    /// What is in a file; to be followed, also what is written to it later.
    ///
    /// # Errors
    /// If the program cannot be started.
    pub(crate) fn read(&self, path: &str, follow: bool) -> io::Result<Running> {
        let path = plain(path);
        // -F follows the log when it is rotated.
        if follow { self.open(&["tail", "-c", "+1", "-F", &path]) } else { self.open(&["cat", &path]) }
    }
}

/// A program, where a command leads or on this machine.
fn command(via: Option<&Via>, program: &[&str]) -> io::Result<Command> {
    match via {
        Some(via) => via.command(program),
        None => {
            let mut command = Command::new(program[0]);
            command.args(&program[1..]);
            Ok(command)
        }
    }
}

/// Runs a program to its end, there or here, and gives what it printed.
///
/// # Errors
/// If it cannot be started, or fails.
pub(crate) fn output(via: Option<&Via>, program: &[&str]) -> io::Result<Vec<u8>> {
    let mut printed = Vec::new();
    open(via, program)?.read_to_end(&mut printed)?;
    Ok(printed)
}

fn open(via: Option<&Via>, program: &[&str]) -> io::Result<Running> {
    let mut command = command(via, program)?;
    command.stdin(Stdio::null());
    Running::start(command)
}

/// Runs a program that is written to, there or here.
///
/// # Errors
/// If it cannot be started.
pub(crate) fn converse(via: Option<&Via>, program: &[&str]) -> io::Result<(ChildStdin, Running)> {
    Running::converse(command(via, program)?)
}

/// What `find -print0` printed.
fn names(printed: &[u8]) -> Vec<String> {
    let names = printed.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names.map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}

/// A path in a form that no program takes for an option.
fn plain(path: &str) -> String {
    if path.starts_with('-') { format!("./{path}") } else { path.to_owned() }
}

/// A running program and its output. The program is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    output: ChildStdout,
    said: Option<JoinHandle<String>>,
}

impl Running {
    fn start(mut command: Command) -> io::Result<Running> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|error| {
            let program = command.get_program().to_string_lossy().into_owned();
            io::Error::new(error.kind(), format!("{program} cannot be run: {error}"))
        })?;
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        let (Some(output), Some(errors)) = (output, errors) else { return Err(io::Error::other("it has no output")) };
        // Standard error is read in a thread of its own: a program that writes more than the pipe holds would block for ever.
        Ok(Running { child, output, said: Some(thread::spawn(move || last_words(errors))) })
    }

    fn converse(mut command: Command) -> io::Result<(ChildStdin, Running)> {
        command.stdin(Stdio::piped());
        let mut running = Running::start(command)?;
        let input = running.child.stdin.take().ok_or_else(|| io::Error::other("it has no standard input"))?;
        Ok((input, running))
    }

    /// The exit status, which the end of the output does not tell.
    fn ended(&mut self) -> io::Result<()> {
        let status = self.child.wait()?;
        let said = self.said.take().and_then(|said| said.join().ok()).unwrap_or_default();
        if status.success() {
            return Ok(());
        }
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        Err(io::Error::other(format!("{status}{said}")))
    }
}

/// What a program says of itself, in one line, without secrets and control characters.
fn last_words(mut errors: ChildStderr) -> String {
    let mut said = Vec::new();
    // Read and drop the rest, so that the program does not block.
    let _ = errors.by_ref().take(SAID_BYTES).read_to_end(&mut said);
    let _ = io::copy(&mut errors, &mut io::sink());
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    showable(&redact(&lines.join("; ")).text)
}

impl Read for Running {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.output.read(buffer)?;
        if length == 0 && !buffer.is_empty() && self.said.is_some() {
            self.ended()?;
        }
        Ok(length)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.said.is_some() {
            // Fails if the program has ended by itself, which is no error.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A stand-in for `ssh` and the like: it takes a host's name, and gives the rest to so many shells, as those do.
    fn stand_in(shells: usize) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("far away");
        let run = match shells {
            0 => r#"exec "$@""#,
            1 => r#"exec sh -c "$*""#,
            // The next host's shell gets the words that the first one has read.
            _ => {
                r#"exec sh -c "set -- $*
                exec sh -c \"\$*\"""#
            }
        };
        fs::write(&path, format!("#!/bin/sh\nshift\n{run}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let command = format!("'{}' host", path.display());
        (folder, command)
    }

    #[test]
    fn an_argument_arrives_as_it_was_given_whoever_reads_it_on_the_way() {
        let hostile = "two  words 'quoted' \"twice\" $HOME `id` $(id) \\ *\nnext line";
        for shells in 0..=SHELLS_MAX {
            let (_folder, command) = stand_in(shells);
            let via = Via::find(&command).unwrap();
            assert_eq!(via.shells, shells, "{command}");
            let printed = via.output(&["printf", "%s|", hostile, "", "last"]).unwrap();
            assert_eq!(String::from_utf8(printed).unwrap(), format!("{hostile}||last|"));
        }
    }

    #[test]
    fn files_of_a_folder_are_found_and_read_whatever_they_are_called() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("a 'folder' $HOME");
        fs::create_dir_all(root.join("deep")).unwrap();
        fs::create_dir_all(root.join(".hidden")).unwrap();
        let names = ["homeserver.log", "deep/with space\nand line.log", "-n.log"];
        for name in names.iter().chain(&[".dot", ".hidden/x.log"]) {
            fs::write(root.join(name), name).unwrap();
        }
        let (_stand_in, command) = stand_in(1);
        let via = Via::find(&command).unwrap();
        let (found, left) = via.files(root.to_str().unwrap()).unwrap();
        let mut wanted: Vec<String> = names.iter().map(|name| root.join(name).display().to_string()).collect();
        wanted.sort();
        assert_eq!((found.clone(), left), (wanted, None));
        for path in &found {
            let mut text = String::new();
            via.read(path, false).unwrap().read_to_string(&mut text).unwrap();
            assert!(path.ends_with(&text), "{path}: {text}");
        }
        let one = root.join("homeserver.log").display().to_string();
        assert_eq!(via.files(&one).unwrap().0, std::slice::from_ref(&one));
        let beside: Vec<String> =
            ["-n.log", ".dot", "homeserver.log"].map(|name| root.join(name).display().to_string()).into();
        assert_eq!(via.files_in(root.to_str().unwrap()).unwrap(), Some(beside));
        assert_eq!(via.files_in(&one).unwrap(), None);
        assert!(via.files_in("/no/such/folder").is_err());
    }

    #[test]
    fn what_fails_there_is_said_with_its_words() {
        let (_folder, command) = stand_in(1);
        let via = Via::find(&command).unwrap();
        let error = via.files("/no/such/folder").unwrap_err().to_string();
        assert!(error.contains("/no/such/folder") && error.contains("exit status: 1"), "{error}");
        let mut text = Vec::new();
        let error = via.read("/no/such.log", false).unwrap().read_to_end(&mut text).unwrap_err().to_string();
        assert!(error.contains("No such file"), "{error}");
    }

    #[test]
    fn a_command_that_does_not_run_others_is_refused() {
        for (command, why) in [
            ("", "nothing is there"),
            ("ssh 'host", "not closed"),
            ("/no/such/program", "cannot be run"),
            ("sh -c 'echo access_token=syt_YWxpY2U_kTqWvNzXcBmLpRtYghJq_2Fg7Hk >&2; exit 255'", "exit status: 255"),
            ("echo", "changes the arguments"),
        ] {
            let error = Via::find(command).unwrap_err();
            let (_, said) = error.rsplit_once("does not: ").unwrap_or(("", &error));
            assert!(error.contains(why) && !said.contains("syt_"), "{command}: {error}");
        }
    }

    #[test]
    fn a_command_whose_output_is_no_longer_read_is_ended() {
        let (_folder, command) = stand_in(0);
        let via = Via::find(&command).unwrap();
        let mut running = via.open(&["sh", "-c", "echo begin; exec sleep 600"]).unwrap();
        let mut begin = [0; 5];
        running.read_exact(&mut begin).unwrap();
        let id = running.child.id();
        drop(running);
        assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
    }
}

//! Runs the real binary.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The binary, without a terminal.
pub fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crypto-diag"));
    command.stdin(Stdio::null());
    command
}

/// A recorded bundle.
pub fn bundle(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/bundles").join(name)
}

/// What a run said.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub fn said(output: Output) -> Said {
    Said {
        code: output.status.code().expect("it ended by itself"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// Runs it to its end.
pub fn run<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Said {
    said(binary().args(arguments).output().expect("it starts"))
}

/// Runs it with something on standard input.
pub fn run_with_input(arguments: &[&str], input: &[u8]) -> Said {
    let mut child = binary()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("piped").write_all(input).expect("it reads");
    said(child.wait_with_output().expect("it ends"))
}

/// Copies a recorded bundle into a folder of the test's own.
pub fn copy_bundle(name: &str, to: &Path) {
    for entry in std::fs::read_dir(bundle(name)).expect("the bundle is there") {
        let entry = entry.expect("readable");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}

/// What was really done in a recorded bundle, by its label.
pub fn fact(name: &str, fact: &str) -> String {
    let label = std::fs::read(bundle(name).join("label.json")).expect("a label");
    let label: serde_json::Value = serde_json::from_slice(&label).expect("JSON");
    label["facts"][fact].as_str().expect("a fact").to_owned()
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path of this test")
}

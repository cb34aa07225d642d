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
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../triage/tests/data").join(name)
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

/// The recorded rollback, and the line that its page printed when the peer's message came: it had the private half no more.
pub fn rollback_with_lost_message(to: &Path) {
    copy_bundle("store-rollback", to);
    let path = to.join("victim.report.json");
    let mut report: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).expect("readable")).expect("JSON");
    let message = "WARN matrix_sdk_crypto::olm::account: Failed to create a new Olm session from a pre-key message: \
        InboundCreation(MissingOneTimeKey(\"curve25519:1lZDl0OMNcMeudYAZMGSW76lOjPvRaCTjAdsOSQwxCw\"))\n    \
        in matrix_sdk_crypto::olm::account::decrypt_and_parse_olm_message with sender=\"@bob-2:localhost\" \
        sender_key=\"curve25519:SPRXH9mgkIQ7LYwjxiNmHa5vIgmfTzh+//Qx0uUNym8\"\n    \
        in matrix_sdk_crypto::machine::receive_to_device_event with sender=\"@bob-2:localhost\" \
        event_type=\"m.room.encrypted\" message_id=\"a0d89dbda0fd4836b7f14aef41d4bc82\"";
    let entry = serde_json::json!({"ts": 1_795_466_760_400_u64, "level": "warn", "ke": "OLM", "meaning": "failure",
        "signature": "MissingOneTimeKey", "message": message, "source": "console", "redactions": 0,
        "realm": {"kind": "main", "path": null}, "stack": null, "truncatedFrom": null});
    report["entries"].as_array_mut().expect("a list").push(entry);
    std::fs::write(&path, report.to_string()).expect("written");
}

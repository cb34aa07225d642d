//! Logs that come as a stream, grow during a call, or are far larger than the window; and what a slice must keep so that nobody
//! draws a false conclusion of it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crypto_diag_collect::{Collected, Ids, Request, Silent, collect};
use crypto_diag_server_log::stamp;
use crypto_diag_triage::synapse_log::{LogOptions, ServerLog};

/// 2026-11-23 08:36:00 UTC.
const SINCE: i64 = 1_795_422_960_000;

/// Time enough for a thread to read what was just written, on a busy machine.
const A_MOMENT: Duration = Duration::from_millis(1_500);

fn line(ms: i64, message: &str) -> String {
    let at = stamp::print(SINCE + ms);
    format!("{},{} - synapse.x.y - 12 - INFO - GET-{ms} - {message}\n", &at[..19], &at[20..23])
}

fn request(log: PathBuf, out: &Path) -> Request {
    Request {
        logs: vec![log],
        ids: Ids { users: ["@alice:h".to_owned()].into(), ..Ids::default() },
        since: Some(SINCE),
        until: Some(SINCE + 300_000),
        zone_minutes: Some(0),
        out: out.to_owned(),
        ..Request::default()
    }
}

fn run(request: &Request) -> Collected {
    collect(request, &Silent, &AtomicBool::new(false)).expect("a bundle")
}

fn slice(collected: &Collected) -> String {
    let name = &collected.manifest.files.iter().find(|file| file.name.ends_with(".log")).expect("a slice").name;
    fs::read_to_string(collected.folder.join(name)).expect("a slice")
}

#[test]
fn a_slice_that_shows_a_start_shows_also_whether_the_process_is_the_whole_server() {
    let start =
        [line(0, "***** STARTING SERVER *****"), line(1, "Server synapse/app/homeserver.py version 1.155.0")].concat();
    let name = line(2, "Instance name: master");
    let redis = line(3, "Connecting to redis (host='localhost' port=6379)");
    let rest: String = (4..40).map(|ms| line(ms, if ms % 10 == 0 { "@alice:h was here" } else { "nothing" })).collect();
    let many: String = (50..90)
        .map(|ms| line(ms, "x").replace("synapse.x.y", "synapse.replication.tcp.handler"))
        .chain([line(99, "the log's last line, which is always kept")])
        .collect();
    for (text, whole, kept) in [
        ([&*start, &*name, &*rest].concat(), true, 0),
        ([&*start, &*name, &*redis, &*rest].concat(), false, 1),
        ([&*start, &*name, &*rest, &*many].concat(), false, 1),
        ([&*start, &*name, &*rest, &*many, &*start, &*name, &*rest].concat(), true, 1),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("homeserver.log");
        fs::write(&path, text).expect("a file");
        let slice = slice(&run(&request(path, &folder.path().join("out"))));
        let log = ServerLog::read("homeserver.log", slice.as_bytes(), &LogOptions::default());
        assert_eq!(log.processes.last().map(|process| process.is_whole_server()), Some(whole), "{slice}");
        let replications = slice.lines().filter(|line| line.contains("redis") || line.contains("replication"));
        assert_eq!(replications.count(), kept, "one line tells, and more are not needed: {slice}");
    }
}

#[test]
fn a_line_that_was_cut_before_it_says_whose_it_is_stays_in_a_slice_so_that_nothing_follows_from_its_absence() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("homeserver.log");
    let cut = line(1_000, "Adding one_time_keys dict_keys(['signed_curve25519:AAAAAAAAAAA', 'signed_curve>")
        .replace("synapse.x.y", "synapse.handlers.e2e_keys");
    let whole = line(2_000, "Claimed one-time-keys: signed_curve25519:AAAAAAAAAAA for @carol:h:D")
        .replace("synapse.x.y", "synapse.handlers.e2e_keys");
    let hidden = "Nov 23 08:36:03 box docker[7]: [238B blob data]\n";
    // `journalctl -o json` leaves out what is longer than 4,096 bytes.
    let left_out = "{\"__REALTIME_TIMESTAMP\":\"1795422966500000\",\"MESSAGE\":null,\"_PID\":\"7\"}\n";
    let text =
        [&*line(0, "first"), &cut, &whole, hidden, left_out, &line(4_000, "@alice:h"), &line(5_000, "last")].concat();
    fs::write(&path, text).expect("a file");
    let slice = slice(&run(&request(path, &folder.path().join("out"))));
    assert!(slice.contains("signed_curve>") && slice.contains("blob data") && !slice.contains("@carol"), "{slice}");
    assert!(slice.contains(left_out), "{slice}");
    let log = ServerLog::read("homeserver.log", slice.as_bytes(), &LogOptions::default());
    let holes = &log.processes[0].holes;
    assert!(holes.iter().any(|hole| hole.from < SINCE + 1_000 && hole.to > SINCE + 1_000), "{holes:?}");
}

#[cfg(target_os = "linux")]
mod pipes {
    use std::io::{PipeReader, pipe};
    use std::os::fd::AsRawFd;

    use super::*;

    /// How a shell names the reading end of `<(…)`.
    fn path(reader: &PipeReader) -> PathBuf {
        format!("/proc/self/fd/{}", reader.as_raw_fd()).into()
    }

    #[test]
    fn what_comes_through_a_pipe_is_read_though_its_size_is_zero() {
        let folder = tempfile::tempdir().expect("a folder");
        let (reader, mut writer) = pipe().expect("a pipe");
        writer.write_all(line(0, "@alice:h was here").as_bytes()).expect("room");
        drop(writer);
        let collected = run(&request(path(&reader), &folder.path().join("out")));
        assert!(slice(&collected).contains("@alice:h was here"));
        assert_eq!(collected.manifest.refused, []);
    }

    #[test]
    fn a_pipe_of_which_nothing_comes_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let (reader, writer) = pipe().expect("a pipe");
        drop(writer);
        let collected = run(&request(path(&reader), &folder.path().join("out")));
        let refused = &collected.manifest.refused;
        assert!(refused.iter().any(|refusal| refusal.why.contains("docker logs NAME 2>&1")), "{refused:?}");
    }

    #[test]
    fn of_a_pipe_that_stays_open_everything_is_kept_from_its_first_byte_when_the_run_is_interrupted() {
        let folder = tempfile::tempdir().expect("a folder");
        let (reader, mut writer) = pipe().expect("a pipe");
        writer.write_all(line(0, "@alice:h was here").as_bytes()).expect("room");
        let cancel = AtomicBool::new(false);
        let request = request(path(&reader), &folder.path().join("out"));
        let collected = std::thread::scope(|scope| {
            let run = scope.spawn(|| collect(&request, &Silent, &cancel).expect("a bundle"));
            std::thread::sleep(A_MOMENT);
            cancel.store(true, Ordering::Relaxed);
            run.join().expect("a run that ends")
        });
        drop(writer);
        assert!(collected.interrupted);
        assert!(slice(&collected).contains("@alice:h was here"));
    }
}

#[test]
fn a_log_that_is_followed_is_read_on_until_it_is_enough_and_then_the_rest_is_gathered() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("homeserver.log");
    fs::write(&path, line(0, "@alice:h before")).expect("a file");
    let enough = Arc::new(AtomicBool::new(false));
    let mut request = request(path.clone(), &folder.path().join("out"));
    request.follow = Some(enough.clone());
    request.until = None;
    let collected = std::thread::scope(|scope| {
        let run = scope.spawn(|| run(&request));
        std::thread::sleep(A_MOMENT);
        let mut file = OpenOptions::new().append(true).open(&path).expect("a file");
        file.write_all(line(90_000, "@alice:h meanwhile").as_bytes()).expect("room");
        std::thread::sleep(A_MOMENT);
        enough.store(true, Ordering::Relaxed);
        run.join().expect("a run that ends")
    });
    let slice = slice(&collected);
    assert!(slice.contains("@alice:h before") && slice.contains("@alice:h meanwhile"), "{slice}");
    assert!(!collected.interrupted && collected.manifest.refused.is_empty(), "{:?}", collected.manifest.refused);
}

#[test]
fn of_a_large_file_only_the_window_is_read_where_its_times_go_upwards_and_else_all_of_it() {
    let lines = |order: &mut dyn Iterator<Item = i64>| -> String {
        order
            .map(|n| {
                line(
                    n * 1_000,
                    &format!("{} {}", if n.rem_euclid(50) == 7 { "@alice:h" } else { "x" }, "y".repeat(200)),
                )
            })
            .collect()
    };
    let upwards = lines(&mut (-20_000..20_000));
    let turned = lines(&mut (0..20_000).chain(-20_000..0));
    for (text, windowed) in [(upwards, true), (turned, false)] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("homeserver.log");
        fs::write(&path, text).expect("a file");
        let mut request = request(path, &folder.path().join("out"));
        let named = |collected: &Collected| -> Vec<String> {
            slice(collected).lines().filter(|line| line.contains("@alice:h")).map(str::to_owned).collect()
        };
        let whole = named(&run(&request));
        request.window_only = true;
        let collected = run(&request);
        let of_window = named(&collected);
        assert_eq!(of_window, whole, "the same lines of the window");
        assert!(whole.len() > 5);
        let read = &collected.manifest.coverage["logs"][0]["read"][0];
        assert_eq!(read["windowOnly"], windowed, "{read}");
    }
}

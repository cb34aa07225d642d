//! Synapse's log.

use std::fmt::Write;

use super::Request;
use super::stamp::logged;

/// What the server's clock is ahead of the true time at a true time.
pub type Ahead<'a> = &'a dyn Fn(i64) -> i64;

/// Lines with their true times.
pub type Lines = Vec<(i64, String)>;

const AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36";

/// The name of a server's main process.
pub const MASTER: &str = "master";

/// The log of a process of the server, which was started at these times: its lines in the order in which it wrote them.
/// Request ids count from 0 in each run.
pub fn lines(requests: &[Request], instance: &str, starts: &[i64], ahead: Ahead<'_>) -> Lines {
    let mut order: Vec<&Request> = requests.iter().filter(|request| request.served.is_some()).collect();
    order.sort_by_key(|request| request.served.map(|served| served.0));
    let mut lines: Lines = starts.iter().flat_map(|start| started(*start, instance, ahead)).collect();
    let (mut run, mut count) = (0, 0);
    for request in order {
        let Some((start, end, status)) = request.served else { continue };
        let of_run = starts.iter().filter(|begun| **begun <= start).count();
        count = if of_run == run { count + 1 } else { 0 };
        run = of_run;
        let id = format!("{}-{count}", request.method);
        for (at, logger, message) in &request.printed {
            lines.push((*at, message_line(*at, logger, &id, message, ahead)));
        }
        lines.push((end, access_line(request, (start, end, status), &id, ahead)));
    }
    lines.sort_by_key(|(at, _)| *at);
    lines
}

/// The one logger that operators raise to DEBUG. At INFO it prints nothing.
pub const TO_DEVICE: &str = "synapse.9533_debug";

/// One line. The logger's name stands with its line of code: `synapse.handlers.e2e_keys - 955`.
fn message_line(at: i64, logger: &str, id: &str, message: &str, ahead: Ahead<'_>) -> String {
    let level = if logger.starts_with(TO_DEVICE) { "DEBUG" } else { "INFO" };
    format!("{} - {logger} - {level} - {id} - {message}\n", logged(at + ahead(at)))
}

fn access_line(request: &Request, (start, end, status): (i64, i64, u16), id: &str, ahead: Ahead<'_>) -> String {
    let mut line = String::with_capacity(400);
    let Request { user, method, target, answer, .. } = request;
    let bytes = answer.as_ref().map_or(2, String::len);
    let _ = writeln!(
        line,
        "{} - synapse.access.http.8008 - 643 - INFO - {id} - 127.0.0.1 - 8008 - {{{user}}} Processed request: {:.3}sec/0.000sec ru=(0.004sec, 0.002sec) db=(0.002sec/0.006sec/12) {bytes}B {status} \"{method} {target} HTTP/1.1\" \"{AGENT}\" [0 dbevts]",
        logged(end + ahead(end)),
        (end - start) as f64 / 1000.0,
    );
    line
}

/// What a process prints when it starts. The main one of a server with workers prints more.
fn started(at: i64, instance: &str, ahead: Ahead<'_>) -> Lines {
    let instance = format!("Instance name: {instance}");
    let texts = ["***** STARTING SERVER *****", "Server /usr/bin/python version 1.155.0", &instance];
    let line = |text| format!("{} - synapse.config.logger - 377 - WARNING - main - {text}\n", logged(at + ahead(at)));
    texts.into_iter().map(|text| (at, line(text))).collect()
}

/// A user's login on a device.
pub fn logged_in(user: &str, device: &str) -> (&'static str, String) {
    ("synapse.handlers.auth - 1004", format!("Logging in user {user} on device {device}"))
}

/// The upload of identity keys. The time is the server's, in milliseconds since the epoch.
pub fn device_keys_updated(user: &str, device: &str, now: i64) -> (&'static str, String) {
    ("synapse.handlers.e2e_keys - 918", format!("Updating device_keys for device '{device}' for user {user} at {now}"))
}

/// The upload of one-time keys. It is printed before they are compared with those that are there.
pub fn keys_added(user: &str, device: &str, ids: &[String], now: i64) -> (&'static str, String) {
    let ids: Vec<String> = ids.iter().map(|id| format!("'signed_curve25519:{id}'")).collect();
    let message = format!(
        "Adding one_time_keys dict_keys([{}]) for device '{device}' for user '{user}' at {now}",
        ids.join(", ")
    );
    ("synapse.handlers.e2e_keys - 955", message)
}

/// A one-time key that is given out.
pub fn claimed(user: &str, device: &str, id: &str) -> (&'static str, String) {
    ("synapse.handlers.e2e_keys - 819", format!("Claimed one-time-keys: signed_curve25519:{id} for {user}:{device}"))
}

/// The deletion of a device, as its user logs out.
pub fn device_deleted(user: &str, device: &str) -> (&'static str, String) {
    ("synapse.handlers.device - 293", format!("Deleting devices ['{device}'] for '{user}'"))
}

/// A message for a device: whose device, and the message's id.
pub type ToDevice<'a> = (&'a str, &'a str, &'a str);

fn listed(messages: &[ToDevice<'_>]) -> String {
    let one = |(user, device, id): &ToDevice<'_>| format!("'{user}/{device} (msgid {id})'");
    messages.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Messages of one request that were put into the inboxes of their devices.
pub fn stored(stream_id: i64, messages: &[ToDevice<'_>]) -> (&'static str, String) {
    let message = format!("Storing to-device messages with stream_id {stream_id}: [{}]", listed(messages));
    ("synapse.9533_debug - 1014", message)
}

/// Messages for devices that the server does not know.
pub fn dropped(messages: &[ToDevice<'_>]) -> (&'static str, String) {
    let message = format!("Dropping to-device messages for unknown devices: [{}]", listed(messages));
    ("synapse.9533_debug - 1007", message)
}

/// An answer with an error.
pub fn refused(method: &str, target: &str, status: u16, sentence: &str) -> (&'static str, String) {
    let message = format!(
        "<XForwardedForRequest at 0x7f4a547a2310 method='{method}' uri='{target}' clientproto='HTTP/1.1' site='8008'> SynapseError: {status} - {sentence}"
    );
    ("synapse.http.server - 131", message)
}

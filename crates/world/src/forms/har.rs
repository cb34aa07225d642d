//! A browser's HAR, as the recorder of the live rig writes it: without headers, and with the bodies that say something.

use std::fmt::Write;

use super::Request;
use super::stamp::iso;

/// The HAR of requests that a browser sent, in the order of sending. `ahead` is what the browser's clock is ahead of the true
/// time.
pub fn har(requests: &[&Request], ahead: &dyn Fn(i64) -> i64) -> Vec<u8> {
    let mut text = String::from(
        "{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":\"crypto-diag live rig\",\"version\":\"1\"},\"browser\":{\"name\":\"chromium\",\"version\":\"\"},\"entries\":[\n",
    );
    let mut sent: Vec<(i64, &Request)> =
        requests.iter().filter_map(|request| Some((request.sent?, *request))).collect();
    sent.sort_by_key(|(at, _)| *at);
    for (count, (at, request)) in sent.into_iter().enumerate() {
        let (end, status) = request.done;
        let post = request.body.as_ref().map_or_else(String::new, |body| {
            format!(",\"postData\":{{\"mimeType\":\"application/json\",\"text\":{}}}", quoted(body))
        });
        let content = match &request.answer {
            Some(answer) if status != 0 => format!(
                ",\"content\":{{\"size\":{},\"mimeType\":\"application/json\",\"text\":{}}}",
                answer.len(),
                quoted(answer)
            ),
            _ if status == 0 => ",\"content\":{\"size\":0,\"mimeType\":\"x-unknown\"}".to_owned(),
            _ => String::new(),
        };
        // A browser's own HAR has them. The live rig records at its proxy, where no queue is seen.
        let timings = match request.queued {
            0 => String::new(),
            queued => {
                let wait = end - at - queued;
                format!(",\"timings\":{{\"blocked\":{queued},\"send\":0,\"wait\":{wait},\"receive\":0}}")
            }
        };
        let _ = write!(
            text,
            "{}{{\"startedDateTime\":\"{}\",\"time\":{},\"request\":{{\"method\":\"{}\",\"url\":\"https://matrix.example.org{}\"{post}}},\"response\":{{\"status\":{status}{content}}}{timings}}}",
            if count == 0 { "" } else { ",\n" },
            iso(at + ahead(at)),
            end - at,
            request.method,
            request.target,
        );
    }
    text.push_str("\n]}}\n");
    text.into_bytes()
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

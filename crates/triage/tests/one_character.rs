//! One character that is wrong must not cost a file.

use std::io::{self, Cursor};

use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::intake::{Source, run};

struct Given(&'static str, &'static [u8]);

impl Source for Given {
    type Input = Cursor<&'static [u8]>;
    fn name(&self) -> &str {
        self.0
    }
    fn open(&self) -> io::Result<Self::Input> {
        Ok(Cursor::new(self.1))
    }
}

fn read(name: &'static str, bytes: &'static [u8]) -> Bundle {
    let (bundle, _) = run(&[Given(name, bytes)], Vec::new(), None, &mut |_, _| {});
    assert_eq!(bundle.problems, [], "{name}");
    bundle
}

#[test]
fn half_a_surrogate_pair_in_a_body_of_a_har_costs_no_request() {
    let bundle = read("call.har", include_bytes!("data/one-character/har-lone-surrogate.har"));
    assert_eq!(bundle.hars[0].entries.len(), 48);
}

#[test]
fn half_a_surrogate_pair_in_a_report_costs_no_entry() {
    let bundle = read("a.report.json", include_bytes!("data/one-character/report-lone-surrogate.json"));
    assert_eq!(bundle.reports[0].entries().count(), 3);
}

#[test]
fn a_report_in_utf_16_is_read_whatever_it_is_called() {
    let bundle = read("report.txt", include_bytes!("data/one-character/report-utf16.json"));
    assert_eq!(bundle.reports[0].user_id.as_deref(), Some("@alice-14:localhost"));
    assert_eq!(bundle.reports[0].entries().count(), 3);
}

#[test]
fn a_byte_order_mark_in_front_of_a_report_costs_nothing() {
    const MARKED: &[u8] =
        b"\xef\xbb\xbf{\"schema\":\"crypto-diag/report\",\"schemaVersion\":1,\"generatedAt\":1,\"entries\":[]}";
    assert_eq!(read("a.report.json", MARKED).reports.len(), 1);
}

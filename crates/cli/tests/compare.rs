//! `crypto-diag compare`, as people run it.

mod support;

use support::{bundle, run, text};

#[test]
fn what_stopped_and_what_is_new_is_said_of_two_recorded_reports() {
    let report = |name: &str| bundle(name).join("victim.report.json");
    let (before, after) = (report("algorithm-stripped"), report("delayed-events-lost"));
    let said = run(["compare", text(&before), text(&after)]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    for part in ["KE-3  stopped: one line before", "KE-4  new: none before", "the device: AWUFFJAGEE, then AAXLCMHMUV"]
    {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    let turned = run(["compare", text(&after), text(&before)]);
    assert_eq!(turned.code, 3);
    assert!(turned.err.contains("give the earlier report first"), "{}", turned.err);
    let missing = run(["compare", text(&before), "nothing-here.json"]);
    assert_eq!(missing.code, 3);
    assert!(missing.err.contains("nothing-here.json"), "{}", missing.err);
}

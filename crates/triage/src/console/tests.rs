use super::*;

const UNDECRYPTABLE: &str = "Error decrypting event (id=$e type=m.room.encrypted sender=@b:x room=!r:x ts=2026-11-23T08:42:19.074Z): DecryptionError[msg: missing field `algorithm`, sender_key: undefined, session_id: undefined]";

fn read(text: &str) -> Console {
    Console::read("console.txt", text.as_bytes())
}

fn messages(text: &str) -> Vec<String> {
    let report = read(text).report.unwrap_or_else(|| panic!("no console: {text}"));
    report.entries().map(|(_, entry)| entry.message.to_string()).collect()
}

#[test]
fn a_failing_line_is_kept_whatever_program_saved_it() {
    for line in [
        format!("2026-11-23T08:36:03.315Z E {UNDECRYPTABLE}"),
        format!("init.js:1 {UNDECRYPTABLE}"),
        format!("{UNDECRYPTABLE} init.js:1:1116520"),
        format!("[Error] {UNDECRYPTABLE} (init.js, line 12)"),
        serde_json::json!({"ts": 1_795_422_963_315_u64, "level": "error", "args": [UNDECRYPTABLE]}).to_string(),
        format!("It broke, see:\n\n```\ninit.js:1 {UNDECRYPTABLE}\n```\nand DecryptionError: I do not know why\n"),
    ] {
        assert_eq!(messages(&line), [UNDECRYPTABLE], "{line}");
    }
}

#[test]
fn a_failing_line_is_kept_whatever_a_recorder_calls_its_level() {
    for level in ["SEVERE", "console", "exception", "Warnung"] {
        let line = serde_json::json!({"level": level, "message": UNDECRYPTABLE}).to_string();
        assert_eq!(messages(&line), [UNDECRYPTABLE], "{line}");
    }
}

#[test]
fn a_failing_line_in_a_form_that_is_not_known_is_lost_in_no_other_line() {
    let another = UNDECRYPTABLE.replace("$e", "$f");
    for mark in
        ["", "client:12 ", "App.vue:12 ", "d5b0f6a6-1c6e:1 ", "2026-11-23T08:36:03.315Z [ERROR] ", "> init.js:1 "]
    {
        let text = format!("{mark}begins\n{mark}{UNDECRYPTABLE}\n{mark}goes on\n{mark}{another}\n    at a.rs:1\n");
        let kept = messages(&text);
        assert_eq!(kept.len(), 2, "{text}");
        assert!(kept[0].contains("$e") && kept[1].contains("$f"), "{kept:?}");
    }
    // Among lines of a known form, too, but not in a message that was printed below a warning.
    assert_eq!(messages(&format!("init.js:1 a\n{UNDECRYPTABLE}\ninit.js:2 b\n")), [UNDECRYPTABLE]);
    assert_eq!(messages(&format!("2026-11-23T08:36:03.315Z I a\n{UNDECRYPTABLE}\n")), [""; 0]);
}

#[test]
fn a_list_of_messages_is_read_as_its_lines_are() {
    let list = serde_json::json!([{"type": "log", "text": "a"}, {"type": "error", "text": UNDECRYPTABLE}]);
    for text in [list.to_string(), serde_json::to_string_pretty(&list).unwrap()] {
        assert!(has_form(text.as_bytes()), "{text}");
        assert_eq!(messages(&text), [UNDECRYPTABLE], "{text}");
    }
    let cut = &list.to_string()[..list.to_string().len() - 5];
    assert!(read(cut).problems[0].what.contains("it breaks here"), "{:?}", read(cut).problems);
}

#[test]
fn a_fence_inside_of_a_message_hides_nothing_of_a_console() {
    let line = |text: &str| format!("2026-11-23T08:36:03.315Z E {text}\n");
    let text = format!("{}{}```\ncode\n```\n{}", line(UNDECRYPTABLE), line("a"), line("DecryptionError[msg: x]"));
    assert_eq!(messages(&text).len(), messages(&text.replace("```", "---")).len());
    assert!(!messages(&text).is_empty(), "{text}");
}

#[test]
fn what_was_printed_below_a_warning_is_no_failure() {
    assert_eq!(messages(&format!("2026-11-23T08:36:03.315Z I {UNDECRYPTABLE}")), [""; 0]);
    let quiet = "init.js:1 Sending a delayed event\ninit.js:1 DEBUG matrix_sdk_crypto::machine: Failed to decrypt a room event: x\n";
    assert_eq!(messages(quiet), [""; 0]);
}

#[test]
fn a_message_goes_on_until_the_next_one_begins() {
    let text = "2026-11-23T08:36:03.315Z W WARN matrix_sdk_crypto::machine: Failed to decrypt a room event: no\n    at x.rs:1\n    in decrypt with event_id=\"$e\"\n2026-11-23T08:36:03.316Z I next\n";
    assert_eq!(
        messages(text),
        [
            "WARN matrix_sdk_crypto::machine: Failed to decrypt a room event: no\n    at x.rs:1\n    in decrypt with event_id=\"$e\""
        ]
    );
}

#[test]
fn its_device_is_the_one_that_its_machine_was_made_for() {
    let line = |device: &str| {
        format!(
            "2026-11-23T08:36:03.315Z D DEBUG matrix_sdk_crypto::machine: Restored an Olm account\n    in matrix_sdk_crypto::machine::from_builder with user_id=@alice:localhost device_id={device} ed25519_key=x\n"
        )
    };
    let one = read(&line("ONE"));
    assert_eq!(one.device, Some(Device::new("@alice:localhost", "ONE")));
    assert_eq!(one.report.unwrap().device_id.as_deref(), Some("ONE"));
    let two = read(&(line("ONE") + &line("TWO")));
    assert_eq!(two.device, None);
    assert!(two.problems[0].what.contains("2 devices"), "{:?}", two.problems);
}

#[test]
fn its_span_is_that_of_all_its_messages_and_a_batch_is_one_that_was_sent() {
    let text = "2026-11-23T08:36:03.315Z I begins\n2026-11-23T08:36:04.000Z I Enqueuing batch of to-device messages. type=m.room.encrypted txnid=m1 @b:x/DEV (msgid abc)\n";
    let report = read(text).report.unwrap();
    let span = Origin::SavedConsole { from: Some(Millis(1_795_422_963_315)), to: Some(Millis(1_795_422_964_000)) };
    assert_eq!(report.origin, span);
    assert_eq!(report.sent[0].txnid.as_deref(), Some("m1"));
    assert_eq!(report.sent[0].targets[0].message_id.as_deref(), Some("abc"));
}

#[test]
fn what_is_no_console_is_said_and_what_is_secret_is_closed() {
    let none = read("Dear diary,\ntoday nothing happened.\n");
    assert!(none.report.is_none());
    assert!(none.problems[0].what.contains("no message of a console"), "{:?}", none.problems);
    let secret =
        format!("2026-11-23T08:36:03.315Z E {UNDECRYPTABLE} access_token=syt_bWlyYQ_abcdefghijklmnopqrst_1AbCdE");
    assert!(!messages(&secret)[0].contains("syt_bWlyYQ"), "{secret}");
}

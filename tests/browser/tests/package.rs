//! The built package in a page, driven from Rust: what `pkg/index.d.ts` promises.
#![cfg(target_arch = "wasm32")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crypto_diag_browser_tests::package::*;
use crypto_diag_browser_tests::page::*;
use crypto_diag_browser_tests::{client, lines};
use js_sys::{Array, Function, Object};
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// A capture that has just been installed and has kept nothing.
fn fresh() {
    uninstall();
    install(&JsValue::UNDEFINED);
    clear();
}

fn report(client: &JsValue) -> Value {
    crypto_diag_browser_tests::page::json(build_report(client, &client::extra()))
}

#[wasm_bindgen_test]
fn installing_twice_is_installing_once() {
    fresh();
    let hook = get(&page_console(), "error");
    install(&JsValue::UNDEFINED);
    install_crypto_diag_log(&JsValue::UNDEFINED);
    assert!(Object::is(&hook, &get(&page_console(), "error")), "the hook is still the first one");
    error(lines::KEY_EXISTS);
    assert_eq!(get_entries().length(), 1);
    assert_eq!(value(&get_capture_status())["state"], "capturing");
}

#[wasm_bindgen_test]
fn a_line_is_kept_as_it_was_written_and_in_order() {
    fresh();
    let before = js_sys::Date::now();
    error(lines::KEY_EXISTS);
    warn(lines::HARMLESS);
    warn(lines::MISSING_KEY);
    warn(lines::UNDECRYPTABLE);
    warn(lines::RESTART_TIMED_OUT);
    let kept = value(&get_entries());
    let told: Vec<_> = kept
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| (&entry["ke"], &entry["level"], &entry["message"]))
        .collect();
    let wanted = [
        (json!("KE-1"), json!("error"), json!(lines::KEY_EXISTS)),
        (json!("KE-2"), json!("warn"), json!(lines::MISSING_KEY)),
        (json!("KE-3"), json!("warn"), json!(lines::UNDECRYPTABLE)),
        (json!("KE-4"), json!("warn"), json!(lines::RESTART_TIMED_OUT)),
    ];
    assert_eq!(told, wanted.iter().map(|(ke, level, message)| (ke, level, message)).collect::<Vec<_>>());
    for entry in kept.as_array().expect("a list") {
        let ts = entry["ts"].as_f64().expect("a time");
        let after = js_sys::Date::now();
        assert!(before <= ts && ts <= after, "{ts} is when the line was written, from {before} to {after}");
        assert_eq!(entry["realm"], json!({ "kind": "main", "path": null }));
        assert_eq!(entry["source"], "console");
    }
}

#[wasm_bindgen_test]
fn the_original_is_called_with_the_very_same_arguments() {
    uninstall();
    let console = page_console();
    let usual = get(&console, "error");
    let calls = Array::new();
    let original = function("calls", "return function (...args) { calls.push([this, args]); return 'told'; }")
        .call1(&JsValue::NULL, &calls)
        .expect("it only makes a function");
    set(&console, "error", &original);
    install(&JsValue::UNDEFINED);
    let thing: JsValue = Object::new().into();
    let hook: Function = get(&console, "error").unchecked_into();
    assert!(!Object::is(&hook, &original));
    let answer = hook.call2(&console, &"MissingKey".into(), &thing).expect("a console call does not throw");
    uninstall();
    assert!(Object::is(&get(&console, "error"), &original), "uninstall puts it back");
    set(&console, "error", &usual);

    assert_eq!(calls.length(), 1, "it is called once");
    let call: Array = calls.get(0).unchecked_into();
    let args: Array = call.get(1).unchecked_into();
    assert!(Object::is(&call.get(0), &console), "with the same `this`");
    assert_eq!(args.length(), 2);
    assert_eq!(args.get(0), "MissingKey");
    assert!(Object::is(&args.get(1), &thing), "with the same objects");
    assert_eq!(answer, "told", "and its answer is the caller's");
}

#[wasm_bindgen_test]
fn snapshots_are_frozen_and_stay_the_same_until_something_changes() {
    fresh();
    error(lines::KEY_EXISTS);
    let (entries, counts, status) = (get_entries(), get_counts(), get_capture_status());
    for snapshot in [&entries as &JsValue, &counts, &status] {
        assert!(deeply_frozen(snapshot), "{snapshot:?}");
    }
    warn(lines::HARMLESS);
    assert!(Object::is(&entries, &get_entries()), "a line that does not match changes nothing");
    assert!(Object::is(&counts, &get_counts()));
    assert!(Object::is(&status, &get_capture_status()));

    error(lines::KEY_EXISTS);
    assert!(!Object::is(&entries, &get_entries()));
    assert!(!Object::is(&counts, &get_counts()));
    assert_eq!(entries.length(), 1, "what was given out stays as it was");
    assert_eq!(get_entries().length(), 2);
    assert!(Object::is(&entries.get(0), &get_entries().get(0)), "an entry stays the same object");
}

#[wasm_bindgen_test]
fn counts_tell_families_and_meanings_apart() {
    fresh();
    error(lines::KEY_EXISTS);
    error(lines::KEY_EXISTS);
    warn(lines::RESTART_TIMED_OUT);
    warn("CREATE TABLE: relation already exists");
    let counts = value(&get_counts());
    assert_eq!(counts["total"], 4);
    assert_eq!(counts["byMeaning"], json!({ "failure": 2, "transient": 1, "delivered": 0, "unrelated": 1 }));
    for (ke, count) in counts["byKe"].as_object().expect("a count for each family") {
        let wanted = match ke.as_str() {
            "KE-1" => json!({ "total": 3, "failure": 2, "transient": 0, "delivered": 0, "unrelated": 1 }),
            "KE-4" => json!({ "total": 1, "failure": 0, "transient": 1, "delivered": 0, "unrelated": 0 }),
            _ => json!({ "total": 0, "failure": 0, "transient": 0, "delivered": 0, "unrelated": 0 }),
        };
        assert_eq!(count, &wanted, "{ke}");
    }
}

#[wasm_bindgen_test]
async fn a_burst_is_one_notification_after_the_console_calls() {
    fresh();
    let calls = Rc::new(Cell::new(0));
    let seen = Rc::new(RefCell::new(Vec::new()));
    let listener = {
        let (calls, seen) = (Rc::clone(&calls), Rc::clone(&seen));
        Closure::<dyn FnMut()>::new(move || {
            calls.set(calls.get() + 1);
            seen.borrow_mut().push(get_entries().length());
        })
    };
    let end = subscribe(listener.as_ref().unchecked_ref());
    for burst in 1..=3 {
        for _ in 0..20 {
            error(lines::KEY_EXISTS);
        }
        assert_eq!(calls.get(), burst - 1, "no listener runs inside a console call");
        for _ in 0..5 {
            turn().await;
        }
        assert_eq!(calls.get(), burst, "one notification for a burst");
    }
    assert_eq!(*seen.borrow(), [20, 40, 60], "it sees the whole burst");

    end.call0(&JsValue::NULL).expect("ending throws nothing");
    error(lines::KEY_EXISTS);
    for _ in 0..5 {
        turn().await;
    }
    assert_eq!(calls.get(), 3, "who has left is not told");
}

#[wasm_bindgen_test]
async fn a_listener_that_throws_or_logs_costs_nobody_else_anything() {
    fresh();
    let errors = report(&JsValue::NULL)["capture"]["listenerErrors"].as_u64().expect("a number");
    let calls = Rc::new(Cell::new(0));
    let listener = {
        let calls = Rc::clone(&calls);
        Closure::<dyn FnMut()>::new(move || {
            calls.set(calls.get() + 1);
            warn(lines::MISSING_KEY);
        })
    };
    let ends = [subscribe(&function("", "throw new Error('mine')")), subscribe(listener.as_ref().unchecked_ref())];
    error(lines::KEY_EXISTS);
    for _ in 0..10 {
        turn().await;
    }
    for end in ends {
        end.call0(&JsValue::NULL).expect("ending throws nothing");
    }
    assert_eq!(calls.get(), 1, "what a listener logs does not call it again");
    assert_eq!(get_entries().length(), 2, "and yet is kept");
    assert_eq!(report(&JsValue::NULL)["capture"]["listenerErrors"], errors + 1);
}

#[wasm_bindgen_test]
fn a_report_holds_what_the_client_says_and_what_was_kept() {
    fresh();
    error(lines::KEY_EXISTS);
    warn(lines::UNDECRYPTABLE);
    let text = build_report(&client::answering(), &client::extra());
    assert!(text.starts_with("{\n  \"schema\": \"crypto-diag/report\""), "two-space indentation: {text:.60}");
    let report = crypto_diag_browser_tests::page::json(text);
    assert_eq!(report["userId"], "@alice:localhost");
    assert_eq!(report["deviceId"], "ZDUDAVALPA");
    assert_eq!(report["syncState"], "SYNCING");
    assert_eq!(report["cryptoReady"], true);
    assert_eq!(report["cryptoVersion"], "Rust SDK 0.19.1, Vodozemac 0.10.0");
    assert_eq!(report["sdkVersion"], "41.6.0-rc.0");
    for (ke, count) in report["counts"].as_object().expect("a count for each family") {
        assert_eq!(count, if ["KE-1", "KE-3"].contains(&ke.as_str()) { 1 } else { 0 }, "{ke}");
    }
    assert_eq!(report["entries"], value(&get_entries()));
    assert_eq!(report["tallies"].as_array().map(Vec::len), Some(2));
    assert_eq!(report["capture"]["state"], "capturing");
    assert_eq!(report["capture"]["linesMatched"], 2);
    let hooks = report["capture"]["hooks"].as_array().expect("a list");
    assert!(hooks.len() >= 2 && hooks.iter().all(|hook| hook["inPlace"] == true), "{hooks:?}");
    let page = report["page"].as_str().expect("a page has an address");
    assert!(page.starts_with("http://127.0.0.1:") && !page.contains(['?', '#']), "{page}");
}

#[wasm_bindgen_test]
fn a_client_that_throws_costs_the_field_it_was_asked_for() {
    fresh();
    let fields = ["userId", "deviceId", "syncState", "cryptoReady", "cryptoVersion"];
    let whole = report(&client::answering());
    for method in client::METHODS {
        let lost: &[&str] = match method {
            "getUserId" => &["userId"],
            "getDeviceId" => &["deviceId"],
            "getSyncState" => &["syncState"],
            _ => &["cryptoReady", "cryptoVersion"],
        };
        let partial = report(&client::throwing(method));
        for field in fields {
            let wanted = if lost.contains(&field) { &Value::Null } else { &whole[field] };
            assert_eq!(&partial[field], wanted, "{field} where {method} throws");
            assert!(partial.get(field).is_some(), "{field} is null, not absent");
        }
    }
}

#[wasm_bindgen_test]
fn without_a_client_there_is_a_report_all_the_same() {
    fresh();
    warn(lines::MISSING_KEY);
    for nobody in [JsValue::NULL, JsValue::UNDEFINED, "@alice:localhost".into(), Object::new().into()] {
        let report = report(&nobody);
        for field in ["userId", "deviceId", "syncState", "cryptoReady", "cryptoVersion"] {
            assert_eq!(report.get(field), Some(&Value::Null), "{field}");
        }
        assert_eq!(report["counts"]["KE-2"], 1);
    }
}

#[wasm_bindgen_test]
async fn the_collected_report_holds_at_least_what_the_built_one_does() {
    fresh();
    error(lines::KEY_EXISTS);
    let client: JsValue = client::answering().into();
    let collected = crypto_diag_browser_tests::page::json(text(collect_report(&client, &client::extra())).await);
    let built = report(&client);
    for field in ["schema", "userId", "deviceId", "syncState", "cryptoReady", "cryptoVersion", "counts", "entries"] {
        assert_eq!(collected[field], built[field], "{field}");
    }
    let names = |report: &Value| report.as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>());
    assert_eq!(names(&collected), names(&built), "both have the same shape");
}

#[wasm_bindgen_test]
async fn a_download_is_a_link_to_the_report_under_a_name_with_the_time() {
    fresh();
    error(lines::KEY_EXISTS);
    // A real download would leave a file on the tester's disk, so the click on the link is only recorded.
    let links = Array::new();
    let prototype = function("", "return HTMLAnchorElement.prototype").call0(&JsValue::NULL).expect("a page has links");
    let usual = get(&prototype, "click");
    let record = function(
        "links",
        "return function () { links.push(fetch(this.href).then((file) => file.text()), this.download) }",
    )
    .call1(&JsValue::NULL, &links)
    .expect("it only makes a function");
    set(&prototype, "click", &record);
    let extra = client::extra();
    let default_name = text(download_report(&client::answering(), &extra)).await;
    set(&extra, "prefix", &"support".into());
    let name = text(download_report(&client::answering(), &extra)).await;
    set(&prototype, "click", &usual);

    assert_eq!(links.length(), 4, "one click for each download");
    assert_eq!(links.get(1), default_name.as_str());
    assert_eq!(links.get(3), name.as_str());
    assert!(default_name.starts_with("lotus-crypto-diag-") && default_name.ends_with("Z.json"), "{default_name}");
    assert!(name.starts_with("support-20") && !name.contains(':'), "{name}");
    let saved = crypto_diag_browser_tests::page::json(text(links.get(2).unchecked_into()).await);
    assert_eq!(saved["userId"], "@alice:localhost");
    assert_eq!(saved["counts"]["KE-1"], 1);
}

#[wasm_bindgen_test]
fn clearing_forgets_entries_and_counts_and_says_when() {
    fresh();
    error(lines::KEY_EXISTS);
    let before = js_sys::Date::now();
    clear();
    assert_eq!(get_entries().length(), 0);
    assert_eq!(value(&get_counts())["total"], 0);
    let report = report(&JsValue::NULL);
    assert_eq!(report["entries"], json!([]));
    assert_eq!(report["tallies"], json!([]));
    assert!(report["capture"]["clearedAt"].as_f64().expect("a time") >= before);
    warn(lines::MISSING_KEY);
    let kept = value(&get_entries());
    assert_eq!(kept.as_array().map(Vec::len), Some(1), "and goes on keeping");
    assert_eq!(kept[0]["message"], lines::MISSING_KEY, "what comes, not what was forgotten");
}

#[wasm_bindgen_test]
fn uninstalling_puts_the_console_back_and_keeps_what_was_kept() {
    uninstall();
    let console = page_console();
    let originals = [get(&console, "warn"), get(&console, "error"), get(&console, "info")];
    fresh();
    error(lines::KEY_EXISTS);
    assert!(!Object::is(&get(&console, "error"), &originals[1]), "it was hooked");
    uninstall();
    for (method, original) in ["warn", "error", "info"].into_iter().zip(&originals) {
        assert!(Object::is(&get(&console, method), original), "{method}");
    }
    error(lines::KEY_EXISTS);
    assert_eq!(get_entries().length(), 1, "no line is kept any more");
    assert_eq!(value(&get_capture_status())["state"], "stopped");
    uninstall();

    install(&JsValue::UNDEFINED);
    error(lines::KEY_EXISTS);
    assert_eq!(get_entries().length(), 2, "installing again goes on");
}

#[wasm_bindgen_test]
fn the_runbooks_names_do_the_same() {
    fresh();
    error(lines::KEY_EXISTS);
    let (first, second) = (get_crypto_diag_entries(), get_crypto_diag_entries());
    assert!(!Object::is(&first, &second) && !Object::is_frozen(&first), "a fresh array each time");
    assert_eq!(value(&first), value(&get_entries()));
    let aliased = crypto_diag_browser_tests::page::json(build_crypto_diag_report(&JsValue::NULL, &client::extra()));
    assert_eq!(aliased["entries"], report(&JsValue::NULL)["entries"]);
}

#[wasm_bindgen_test]
fn a_servers_snapshot_is_constant_and_empty_whatever_was_kept() {
    fresh();
    error(lines::KEY_EXISTS);
    assert!(Object::is(&get_server_snapshot(), &get_server_snapshot()));
    assert!(Object::is(&get_server_counts(), &get_server_counts()));
    assert_eq!(get_server_snapshot().length(), 0);
    assert_eq!(value(&get_server_counts())["total"], 0);
    assert!(deeply_frozen(&get_server_snapshot()) && deeply_frozen(&get_server_counts()));
}

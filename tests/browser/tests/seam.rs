//! The WebAssembly module's exports, called as the page calls them: numbers in, numbers out, texts through the inbox.
#![cfg(target_arch = "wasm32")]

use crypto_diag_browser_tests::lines;
use crypto_diag_browser_tests::page::{get, json};
use crypto_diag_core::ENTRIES_MAX;
use crypto_diag_wasm::{add_realm, black_box, clear, inbox, record};
use js_sys::{Float64Array, Uint8Array, Uint32Array};
use serde_json::Value;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const WARN: u32 = 0;
const ERROR: u32 = 1;
const MAIN: u32 = 0;
const FRAME: u32 = 1;
const CONSOLE: u32 = 0;
const UNCAUGHT: u32 = 1;
const NOON: f64 = 1_795_435_200_000.0;
/// Numbers of a tally: total, first, last, highest count in a second, rate.
const TALLY: u32 = 5;

fn memory() -> JsValue {
    get(&wasm_bindgen::memory(), "buffer")
}

/// Puts texts into the inbox, one after the other, and gives their lengths in bytes.
fn write(texts: &[&str]) -> Vec<usize> {
    let all = texts.concat();
    let address = inbox(all.len());
    Uint8Array::new_with_byte_offset_and_length(&memory(), address as u32, all.len() as u32).copy_from(all.as_bytes());
    texts.iter().map(|text| text.len()).collect()
}

fn line(level: u32, text: &str) -> u32 {
    let [head] = write(&[text])[..] else { unreachable!("one text has one length") };
    record(NOON, level, MAIN, CONSOLE, head, 0, 0, text.len() as f64)
}

fn words(address: u32, count: u32) -> Vec<u32> {
    Uint32Array::new_with_byte_offset_and_length(&memory(), address, count).to_vec()
}

/// The header: entries and where, tallies and where, evicted, truncated, redactions, partly scanned.
fn header() -> Vec<u32> {
    words(black_box() as u32, 8)
}

/// The kept entries, read out of memory.
fn entries() -> Vec<Value> {
    let header = header();
    let rows = words(header[1], header[0] * 3);
    rows.chunks(3)
        .map(|row| Uint8Array::new_with_byte_offset_and_length(&memory(), row[1], row[2]).to_vec())
        .map(|bytes| json(String::from_utf8(bytes).expect("entries are UTF-8")))
        .collect()
}

/// Each class's tally, read out of memory.
fn tallies() -> Vec<[f64; TALLY as usize]> {
    let header = header();
    let numbers = Float64Array::new_with_byte_offset_and_length(&memory(), header[3], header[2] * TALLY).to_vec();
    numbers.chunks(TALLY as usize).map(|row| row.try_into().expect("rows are whole")).collect()
}

#[wasm_bindgen_test]
fn a_line_that_matches_is_kept_and_any_other_is_not() {
    clear();
    assert_eq!(line(ERROR, lines::KEY_EXISTS), 1);
    assert_eq!(line(WARN, lines::HARMLESS), 0);
    assert_eq!(line(WARN, lines::UNDECRYPTABLE), 1);
    let kept = entries();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0]["ke"], "KE-1");
    assert_eq!(kept[0]["level"], "error");
    assert_eq!(kept[0]["message"], lines::KEY_EXISTS);
    assert_eq!(kept[0]["ts"], NOON as u64);
    assert_eq!(kept[1]["ke"], "KE-3");
    assert_eq!(kept[1]["level"], "warn");
}

#[wasm_bindgen_test]
fn head_tail_and_stack_cross_in_one_go() {
    clear();
    // The words that touch the gap are not kept: they may be halves of a secret.
    let head = format!("{} € cut", lines::MISSING_KEY);
    let lengths = write(&[&head, "here, and this is the end", "Error: boom\n    at somewhere.js:1:1"]);
    let answer = record(NOON, WARN, MAIN, UNCAUGHT, lengths[0], lengths[1], lengths[2], 5_000_000.0);
    assert_eq!(answer, 1);
    let entry = entries().remove(0);
    let message = entry["message"].as_str().expect("a message is a text");
    assert!(message.starts_with(head.trim_end_matches("cut")) && message.ends_with("and this is the end"), "{message}");
    assert_eq!(entry["truncatedFrom"], 5_000_000);
    assert_eq!(entry["stack"], "Error: boom\n    at somewhere.js:1:1");
    assert_eq!(entry["source"], "uncaught");
}

#[wasm_bindgen_test]
fn a_realm_is_named_in_the_entries_of_its_lines() {
    clear();
    let [path] = write(&["/element-call/index.html"])[..] else { unreachable!("one text has one length") };
    let frame = add_realm(FRAME, path);
    assert_ne!(frame, MAIN);
    let [again] = write(&["/element-call/index.html"])[..] else { unreachable!("one text has one length") };
    assert_eq!(add_realm(FRAME, again), frame, "a realm is registered once");
    let [head] = write(&[lines::RESTART_TIMED_OUT])[..] else { unreachable!("one text has one length") };
    assert_eq!(record(NOON, WARN, frame, CONSOLE, head, 0, 0, head as f64), 1);
    let entry = entries().remove(0);
    assert_eq!(entry["realm"]["kind"], "frame");
    assert_eq!(entry["realm"]["path"], "/element-call/index.html");
}

#[wasm_bindgen_test]
fn the_buffer_is_bounded_and_the_counts_are_exact() {
    clear();
    let lines_logged = ENTRIES_MAX + 50;
    for number in 0..lines_logged {
        assert_eq!(line(ERROR, &format!("{} #{number}", lines::KEY_EXISTS)), 1);
    }
    assert_eq!(entries().len(), ENTRIES_MAX);
    assert_eq!(header()[4], 50, "evicted");
    let totals: f64 = tallies().iter().map(|row| row[0]).sum();
    assert_eq!(totals, lines_logged as f64);
    let ke1 = tallies()[0];
    assert_eq!(ke1[1..4], [NOON, NOON, lines_logged as f64], "first, last, highest in a second");
    assert!(ke1[4].is_nan(), "no time lies between them, so there is no rate");
}

#[wasm_bindgen_test]
fn clearing_leaves_neither_entries_nor_counts() {
    line(ERROR, lines::KEY_EXISTS);
    clear();
    assert_eq!(header()[0], 0);
    assert!(tallies().iter().all(|row| row == &[0.0; TALLY as usize]));
}

#[wasm_bindgen_test]
fn numbers_that_make_no_sense_harm_nothing() {
    clear();
    let far = usize::MAX / 4;
    assert_eq!(record(f64::NAN, 7, u32::MAX, 9, far, far, far, f64::INFINITY), 0);
    assert_eq!(line(ERROR, lines::KEY_EXISTS), 1);
    let address = inbox(4);
    Uint8Array::new_with_byte_offset_and_length(&memory(), address as u32, 4).copy_from(&[0xff, 0xfe, 0xc0, 0x80]);
    assert_eq!(record(NOON, WARN, MAIN, CONSOLE, 4, 0, 0, 4.0), 0, "what is not UTF-8 is no line");
}

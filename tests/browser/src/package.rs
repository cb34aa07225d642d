//! The exports of `pkg/index.js`, as `pkg/index.d.ts` declares them.

use js_sys::{Array, Function, Object, Promise};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/built/crypto-diag.js")]
extern "C" {
    /// Starts the capture.
    pub fn install(options: &JsValue);
    /// Stops it.
    pub fn uninstall();
    /// Forgets.
    pub fn clear();
    /// The kept entries.
    #[wasm_bindgen(js_name = getEntries)]
    pub fn get_entries() -> Array;
    /// The exact counts.
    #[wasm_bindgen(js_name = getCounts)]
    pub fn get_counts() -> Object;
    /// Whether lines are being kept.
    #[wasm_bindgen(js_name = getCaptureStatus)]
    pub fn get_capture_status() -> Object;
    /// Calls the listener after changes; gives the way to end it.
    pub fn subscribe(listener: &Function) -> Function;
    /// The report as JSON.
    #[wasm_bindgen(js_name = buildReport)]
    pub fn build_report(client: &JsValue, extra: &JsValue) -> String;
    /// The report as JSON, with what only asynchronous questions tell.
    #[wasm_bindgen(js_name = collectReport)]
    pub fn collect_report(client: &JsValue, extra: &JsValue) -> Promise;
    /// Gives the report to the user as a file.
    #[wasm_bindgen(js_name = downloadReport)]
    pub fn download_report(client: &JsValue, extra: &JsValue) -> Promise;
    /// A server's entries.
    #[wasm_bindgen(js_name = getServerSnapshot)]
    pub fn get_server_snapshot() -> Array;
    /// A server's counts.
    #[wasm_bindgen(js_name = getServerCounts)]
    pub fn get_server_counts() -> Object;
    /// The runbook's `install`.
    #[wasm_bindgen(js_name = installCryptoDiagLog)]
    pub fn install_crypto_diag_log(options: &JsValue);
    /// The runbook's `getEntries`.
    #[wasm_bindgen(js_name = getCryptoDiagEntries)]
    pub fn get_crypto_diag_entries() -> Array;
    /// The runbook's `buildReport`.
    #[wasm_bindgen(js_name = buildCryptoDiagReport)]
    pub fn build_crypto_diag_report(client: &JsValue, extra: &JsValue) -> String;
}

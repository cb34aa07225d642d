//! Doubles of a Matrix client, made of plain objects: the package takes a client structurally.

use js_sys::Object;
use wasm_bindgen::prelude::*;

use crate::page::{function, set};

/// The methods that the report asks.
pub const METHODS: [&str; 4] = ["getUserId", "getDeviceId", "getSyncState", "getCrypto"];

/// A client that answers every question.
pub fn answering() -> Object {
    let client = Object::new();
    set(&client, "getUserId", &function("", "return '@alice:localhost'"));
    set(&client, "getDeviceId", &function("", "return 'ZDUDAVALPA'"));
    set(&client, "getSyncState", &function("", "return 'SYNCING'"));
    set(&client, "getCrypto", &function("", "return { getVersion: () => 'Rust SDK 0.19.1, Vodozemac 0.10.0' }"));
    client
}

/// The same, but one of its methods throws.
pub fn throwing(method: &str) -> Object {
    let client = answering();
    set(&client, method, &function("", "throw new Error('not now')"));
    client
}

/// What the app passes beside the client.
pub fn extra() -> JsValue {
    let extra = Object::new();
    set(&extra, "sdkVersion", &"41.6.0-rc.0".into());
    extra.into()
}

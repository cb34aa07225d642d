//! The page that a test runs in.

use js_sys::{Function, Object, Promise, Reflect, global};
use serde_json::Value;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageChannel, console};

/// A property of an object; undefined where there is none.
pub fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).expect("no getter of the tests' own objects throws")
}

/// Sets a property of an object.
pub fn set(object: &JsValue, name: &str, value: &JsValue) {
    assert!(Reflect::set(object, &name.into(), value).expect("no setter of the tests' own objects throws"), "{name}");
}

/// The page's console.
pub fn page_console() -> JsValue {
    get(&global(), "console")
}

/// `console.warn` of one text.
pub fn warn(text: &str) {
    console::warn_1(&text.into());
}

/// `console.error` of one text.
pub fn error(text: &str) {
    console::error_1(&text.into());
}

/// A value as JSON sees it.
pub fn value(from: &JsValue) -> Value {
    let text = js_sys::JSON::stringify(from).expect("what the package gives is JSON").into();
    json(text)
}

/// A JSON text's value.
pub fn json(text: String) -> Value {
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Whether a value and all that it holds is frozen.
pub fn deeply_frozen(value: &JsValue) -> bool {
    value.dyn_ref::<Object>().is_none_or(|object| {
        Object::is_frozen(object) && Object::values(object).iter().all(|inner| deeply_frozen(&inner))
    })
}

/// Waits until the messages that were posted before have been delivered.
pub async fn turn() {
    let channel = MessageChannel::new().expect("every engine has channels");
    let delivered = Promise::new(&mut |resolve, _| channel.port1().set_onmessage(Some(&resolve)));
    channel.port2().post_message(&JsValue::NULL).expect("null can be posted");
    JsFuture::from(delivered).await.expect("it never rejects");
    channel.port1().close();
}

/// Waits for a promise of a text.
pub async fn text(promise: Promise) -> String {
    let text = JsFuture::from(promise).await.expect("it never rejects");
    text.as_string().expect("it gives a text")
}

/// A function with this body.
pub fn function(parameters: &str, body: &str) -> Function {
    Function::new_with_args(parameters, body)
}

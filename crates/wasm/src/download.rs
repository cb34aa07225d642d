//! Makes a text a file that a link can point to.

use std::cell::RefCell;

use gloo_file::{Blob, ObjectUrl};
use wasm_bindgen::prelude::*;

thread_local! {
    /// The URL of the latest file. A browser may read it after the click on its link has returned, so it lives until the
    /// next one is made, or until the page says that it is over.
    static LATEST: RefCell<Option<ObjectUrl>> = const { RefCell::new(None) };
}

/// The address of a Blob that holds the text as JSON, good until the next call or [`release_file`].
#[wasm_bindgen]
pub fn file_url(text: &str) -> String {
    let url = ObjectUrl::from(Blob::new_with_options(text, Some("application/json")));
    let address = String::from(&*url);
    LATEST.with(|latest| latest.replace(Some(url)));
    address
}

/// Revokes the latest file's address, so that its Blob can be freed.
#[wasm_bindgen]
pub fn release_file() {
    LATEST.with(|latest| latest.replace(None));
}

//! Gives a text to the user as a file.

use std::cell::RefCell;

use gloo_file::{Blob, ObjectUrl};
use wasm_bindgen::prelude::*;
use web_sys::HtmlAnchorElement;

thread_local! {
    /// The URL of the latest download. A browser may read it after the click has returned, so it lives until the next
    /// download, or until the page says that it is over.
    static LATEST: RefCell<Option<ObjectUrl>> = const { RefCell::new(None) };
}

/// Saves a text under a name, through a Blob and a click on a link that is not in the document.
///
/// # Errors
/// What the browser threw, or that there is no document.
#[wasm_bindgen]
pub fn download(name: &str, text: &str) -> Result<(), JsValue> {
    let document = web_sys::window()
        .and_then(|window| window.document())
        .ok_or_else(|| JsValue::from_str("there is no document to download from"))?;
    let blob = Blob::new_with_options(text, Some("application/json"));
    let url = ObjectUrl::from(blob);
    let link: HtmlAnchorElement = document.create_element("a")?.unchecked_into();
    link.set_href(&url);
    link.set_download(name);
    link.click();
    LATEST.with(|latest| latest.replace(Some(url)));
    Ok(())
}

/// Revokes the latest download's URL, so that its Blob can be freed.
#[wasm_bindgen]
pub fn release_download() {
    LATEST.with(|latest| latest.replace(None));
}

//! The triage, for a page: files in, read slice by slice inside a worker; the answer out, as a view for the page and as
//! the documents that the command line would write.
//!
//! The files go through the command line's own way in (`crypto_diag_triage::intake`), so the answer is, byte for byte, that of
//! `crypto-diag triage`: the page's tests compare. [`view`] runs natively, too.

mod browser;
pub mod view;

use std::rc::Rc;

use crypto_diag_core::Clean;
use crypto_diag_triage::intake::{self, Step};
use crypto_diag_triage::render;
use js_sys::Function;
use wasm_bindgen::prelude::*;

use browser::{GivenFile, Listener};

/// The answer: what the page shows, and what it saves.
#[wasm_bindgen(getter_with_clone)]
#[derive(Clone, Debug)]
pub struct Outcome {
    /// [`view::View`] as JSON.
    pub view: String,
    /// The answer as JSON, as `crypto-diag triage --format json` prints it.
    pub json: String,
    /// The answer as a document of its own.
    pub html: String,
    /// The answer for an issue tracker.
    pub markdown: String,
    /// The verdicts as a SARIF log.
    pub sarif: String,
    /// The timeline as a picture.
    pub svg: String,
    /// The HARs without bodies, headers and secrets, as a JSON list of `name` and `text`: each judges as the file did.
    pub hars: String,
}

/// Reads files and walks the tree over them. Only a worker may call it: it reads synchronously.
///
/// `names` has a name for each of `files`, which are `Blob`s, or `ArrayBuffer`s where a worker may read no `Blob`. `zone_minutes` says how many minutes the server's local time is ahead of UTC,
/// if somebody stated it. `tell(index, what, value)` hears how it goes on: `what` is `kind` (with the kind's name), `read`
/// (with the bytes of that file read so far), or `done` (with whether the file is used).
///
/// # Errors
/// If the lists differ in length, or a file is neither.
#[wasm_bindgen]
pub fn triage(
    files: Vec<JsValue>,
    names: Vec<String>,
    zone_minutes: Option<i32>,
    tell: &Function,
) -> Result<Outcome, JsError> {
    if files.len() != names.len() {
        return Err(JsError::new("each file needs a name"));
    }
    let sources: Option<Vec<GivenFile>> =
        files.into_iter().zip(names).map(|(file, name)| GivenFile::new(name, file)).collect();
    let sources = sources.ok_or_else(|| JsError::new("a file is neither a Blob nor an ArrayBuffer"))?;
    let (bundle, triage) = intake::run(&sources, Vec::new(), zone_minutes, &mut |index, step| {
        if step == Step::Begun {
            let tell = tell.clone();
            let listener: Listener = Rc::new(move |bytes| browser::tell_read(&tell, index, bytes));
            sources[index].listener.set(Some(listener));
        }
        browser::tell(tell, index, step);
    });
    Ok(Outcome {
        view: Clean::told(&view::json(&bundle, &triage)?).into_string(),
        json: render::json(&triage)?.into_string(),
        html: render::html(&triage).into_string(),
        markdown: render::markdown(&triage).into_string(),
        sarif: render::sarif(&triage)?.into_string(),
        svg: render::svg(&triage).into_string(),
        hars: Clean::told(&view::hars(&bundle)?).into_string(),
    })
}

//! The analysis, for a page: reports in as JSON texts, meanings out as plain objects.
//!
//! A module of its own, so that the capture, which every page pays for, does not grow by a byte.

use crypto_diag_analysis::queries::Printed;
use crypto_diag_analysis::{QueryOptions, Report};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

/// What the reports of one incident say, in the shape of `crypto_diag_triage::analysis::Analysis`.
///
/// # Errors
/// Which of the texts is no report, where, and why.
#[wasm_bindgen]
pub fn analyse(reports: Vec<String>) -> Result<JsValue, JsError> {
    plain(&crypto_diag_triage::analysis::analyse(&reports).map_err(|why| JsError::new(&why))?)
}

/// The greps and SQL that fetch the server's half of a report, in the shape of [`Printed`].
///
/// # Errors
/// Where the text is no report, and why.
#[wasm_bindgen(js_name = serverQueries)]
pub fn server_queries(report: &str) -> Result<JsValue, JsError> {
    let report = Report::from_json(report).map_err(|why| JsError::new(&why.to_string()))?;
    plain(&Printed::from(crypto_diag_analysis::server_queries(&report, &QueryOptions::default())))
}

/// Plain objects and nulls, as `JSON.parse` gives them, rather than Maps and undefined.
fn plain(value: &impl Serialize) -> Result<JsValue, JsError> {
    Ok(value.serialize(&Serializer::json_compatible())?)
}

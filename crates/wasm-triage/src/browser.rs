//! Files of a browser, read in slices: a slice is what is in memory, never the file.

use std::io::{self, Read};

use gloo_file::Blob;
use js_sys::{Function, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DomException, FileReaderSync};

use crate::session::{Source, Step};

/// A file and the name that it goes by, its path in the folder that was chosen.
#[derive(Debug)]
pub struct BlobSource {
    name: String,
    blob: Blob,
}

impl BlobSource {
    /// A file under a name.
    pub fn new(name: String, blob: web_sys::Blob) -> Self {
        BlobSource { name, blob: Blob::from(blob) }
    }
}

impl Source for BlobSource {
    type Input = BlobReader;

    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self) -> io::Result<BlobReader> {
        let reader = FileReaderSync::new().map_err(|error| explained(&error))?;
        Ok(BlobReader { blob: self.blob.clone(), reader, at: 0, size: self.blob.size() })
    }
}

/// Reads a file from its beginning, as much at once as the buffer takes.
#[derive(Debug)]
pub struct BlobReader {
    blob: Blob,
    reader: FileReaderSync,
    at: u64,
    size: u64,
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let end = self.size.min(self.at.saturating_add(buffer.len() as u64));
        if end <= self.at {
            return Ok(0);
        }
        let slice = self.blob.slice(self.at, end);
        let bytes = self.reader.read_as_array_buffer(slice.as_ref()).map_err(|error| explained(&error))?;
        let bytes = Uint8Array::new(&bytes);
        let count = bytes.length() as usize;
        if count == 0 || count > buffer.len() {
            return Err(io::Error::other("the browser gave another length than it was asked for"));
        }
        bytes.copy_to(&mut buffer[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

/// What the browser says went wrong.
fn explained(error: &JsValue) -> io::Error {
    let text = match error.dyn_ref::<DomException>() {
        Some(error) => format!("{}: {}", error.name(), error.message()),
        None => format!("{error:?}"),
    };
    io::Error::other(text)
}

/// Tells the page how a file got on. A page that throws at this is not asked twice: there is nobody else to tell.
pub fn tell(tell: &Function, index: usize, step: Step) {
    let (what, value) = match step {
        Step::Kind(kind) => ("kind", JsValue::from(kind.to_string())),
        Step::Read(bytes) => ("read", JsValue::from(bytes as f64)),
        Step::Done(used) => ("done", JsValue::from(used)),
    };
    let _ = tell.call3(&JsValue::NULL, &JsValue::from(index as f64), &JsValue::from(what), &value);
}

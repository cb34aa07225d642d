//! Files of a browser, read in slices: a slice is what is in memory, never the file.

use std::io::{self, Read};

use gloo_file::Blob;
use js_sys::{ArrayBuffer, Function, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DomException, FileReaderSync};

use crate::session::{Source, Step};

/// A file and the name that it goes by, its path in the folder that was chosen.
#[derive(Debug)]
pub struct GivenFile {
    name: String,
    content: Content,
}

/// Where the bytes are.
#[derive(Clone, Debug)]
enum Content {
    /// Where the browser has them, most often on a disk.
    Blob(Blob),
    /// In the page's memory: some engines let no worker read the files of a page that is a file itself.
    Bytes(Uint8Array),
}

impl GivenFile {
    /// A file under a name: a `Blob`, or an `ArrayBuffer` with what is in one. `None` for anything else.
    pub fn new(name: String, content: JsValue) -> Option<Self> {
        let content = match content.dyn_into::<ArrayBuffer>() {
            Ok(bytes) => Content::Bytes(Uint8Array::new(&bytes)),
            Err(other) => Content::Blob(Blob::from(other.dyn_into::<web_sys::Blob>().ok()?)),
        };
        Some(GivenFile { name, content })
    }
}

impl Source for GivenFile {
    type Input = SliceReader;

    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self) -> io::Result<SliceReader> {
        let reader = FileReaderSync::new().map_err(|error| explained(&error))?;
        let size = match &self.content {
            Content::Blob(blob) => blob.size(),
            Content::Bytes(bytes) => u64::from(bytes.length()),
        };
        Ok(SliceReader { content: self.content.clone(), reader, at: 0, size })
    }
}

/// Reads a file from its beginning, as much at once as the buffer takes.
#[derive(Debug)]
pub struct SliceReader {
    content: Content,
    reader: FileReaderSync,
    at: u64,
    size: u64,
}

impl SliceReader {
    fn slice(&self, end: u64) -> io::Result<Uint8Array> {
        match &self.content {
            Content::Blob(blob) => {
                let slice = blob.slice(self.at, end);
                let bytes = self.reader.read_as_array_buffer(slice.as_ref()).map_err(|error| explained(&error))?;
                Ok(Uint8Array::new(&bytes))
            }
            // Both are at most the array's length, which is a u32.
            Content::Bytes(bytes) => Ok(bytes.subarray(self.at as u32, end as u32)),
        }
    }
}

impl Read for SliceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let end = self.size.min(self.at.saturating_add(buffer.len() as u64));
        if end <= self.at {
            return Ok(0);
        }
        let bytes = self.slice(end)?;
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

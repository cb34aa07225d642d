//! Files of a browser, read in slices: a slice is what is in memory, never the file.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use gloo_file::Blob;
use js_sys::{ArrayBuffer, Function, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DomException, FileReaderSync};

use crypto_diag_triage::intake::{Source, Step};

/// A file and the name that it goes by, its path in the folder that was chosen.
pub struct GivenFile {
    name: String,
    content: Content,
    /// Hears how many bytes were read, once it is read and not only looked at.
    pub listener: Cell<Option<Listener>>,
}

/// Hears how many bytes of a file were read.
pub type Listener = Rc<dyn Fn(u64)>;

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
        Some(GivenFile { name, content, listener: Cell::default() })
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
        Ok(SliceReader { content: self.content.clone(), reader, at: 0, size, listener: self.listener.take() })
    }
}

/// Reads a file from its beginning, as much at once as the buffer takes.
pub struct SliceReader {
    content: Content,
    reader: FileReaderSync,
    at: u64,
    size: u64,
    listener: Option<Listener>,
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
        if let Some(listener) = &self.listener {
            listener(self.at);
        }
        Ok(count)
    }
}

impl Seek for SliceReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(back) => self.size.checked_add_signed(back),
            SeekFrom::Current(on) => self.at.checked_add_signed(on),
        };
        self.at = place.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
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
        Step::Begun => ("read", JsValue::from(0)),
        Step::Done(used) => ("done", JsValue::from(used)),
    };
    say(tell, index, what, &value);
}

/// Tells how far a file was read.
pub fn tell_read(tell: &Function, index: usize, bytes: u64) {
    say(tell, index, "read", &JsValue::from(bytes as f64));
}

fn say(tell: &Function, index: usize, what: &str, value: &JsValue) {
    let _ = tell.call3(&JsValue::NULL, &JsValue::from(index as f64), &JsValue::from(what), value);
}

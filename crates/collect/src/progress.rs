//! How far a run is, for whoever shows it.

/// Told how far a run is. All methods do nothing unless they are implemented; they are called from several threads.
pub trait Progress: Sync {
    /// A file is begun; `size` is its size on the disk, `None` for a stream.
    fn file_started(&self, _name: &str, _size: Option<u64>) {}
    /// So many bytes of it more were read from the disk.
    fn bytes_read(&self, _bytes: u64) {}
    /// A file is done.
    fn file_done(&self, _name: &str) {}
    /// Something that a person should know, in a sentence.
    fn note(&self, _text: &str) {}
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {}

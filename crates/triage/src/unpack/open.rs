//! A file's text, whatever it is packed in: gzip, zstd, xz and bzip2 in any number of members, and the members of a zip or a tar.
//! Told by first bytes alone, and bounded against bombs.

use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom, Take};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder};
use lzma_rust2::XzReader;

use super::chunk::{CHUNK_BYTES, read_up_to};
use super::peel::Peeled;
use super::zstd::Zstd;

/// Unpacked bytes that any file may have.
const UNPACKED_FREE_BYTES: u64 = 256 << 20;

/// How many times its packed size a larger file may have unpacked. Logs have 10 to 200; gzip cannot do more than 1,032.
const UNPACKED_TIMES_MAX: u64 = 2_000;

/// Members of an archive at most; a rageshake has a dozen.
pub const MEMBERS_MAX: usize = 1_000;

/// Archives around an archive at most: the server of rageshakes gives a tar in gzip, which somebody puts into a zip.
const ARCHIVES_MAX: u8 = 2;

/// Bytes of a zip inside of another archive at most: it is listed from its end, so it is held.
const ZIP_BYTES_MAX: u64 = 64 << 20;

/// Bytes that are read past at most to come to the members of packed archives: some seconds' work, and a gigabyte of a dozen logs.
const PASSED_BYTES_MAX: u64 = 8 << 30;

/// Bytes of the header in front of each member of a tar.
const TAR_HEADER_BYTES: usize = 512;

/// Bytes of an xz file's dictionary at most: `xz -9` needs 64 MiB of it, and the format allows 4 GiB.
const DICTIONARY_BYTES_MAX: u64 = 128 << 20;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// gzip, in one member or several.
    Gzip,
    /// zstd, in one frame or several, with skippable ones between.
    Zstd,
    /// xz, in one stream or several.
    Xz,
    /// bzip2, in one stream or several.
    Bzip2,
}

impl Packing {
    /// Told by the first six bytes.
    pub fn of(head: &[u8]) -> Packing {
        match head {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            // A frame, or a skippable one, as pzstd writes in front.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Packing::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Packing::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Packing::Bzip2,
            _ => Packing::Plain,
        }
    }

    /// How manifests name it.
    pub fn name(self) -> &'static str {
        match self {
            Packing::Plain => "plain",
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
            Packing::Xz => "xz",
            Packing::Bzip2 => "bzip2",
        }
    }
}

/// A file, or a member of an archive: where its bytes lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    #[default]
    Whole,
    /// A member of an archive.
    Member {
        /// Its name in the archive, behind those of the archives around it. Hostile.
        name: String,
        /// What it is a member of.
        archive: Archive,
        /// The archive itself, unpacked, where it is packed or a member of another one; `None` for a file whose bytes are the archive.
        within: Option<Box<Part>>,
        /// Where in the archive its bytes begin.
        from: u64,
        /// How many they are.
        bytes: u64,
        /// Whether they are deflated; else they are stored as they are.
        deflated: bool,
    },
}

impl Part {
    /// Its name in the archives around it; empty for a whole file. Hostile.
    pub fn name(&self) -> &str {
        match self {
            Part::Whole => "",
            Part::Member { name, .. } => name,
        }
    }

    /// The same for a source that has its name elsewhere.
    #[must_use]
    pub fn without_name(mut self) -> Part {
        if let Part::Member { name, .. } = &mut self {
            name.clear();
        }
        self
    }
}

/// What holds several files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archive {
    /// A zip.
    Zip,
    /// A tar, mostly packed.
    Tar,
}

impl Archive {
    /// Told by the first 512 bytes.
    fn of(head: &[u8]) -> Option<Archive> {
        match head {
            // A member, or the end of an empty zip.
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Archive::Zip),
            _ => (head.get(257..262)? == b"ustar").then_some(Archive::Tar),
        }
    }

    /// How manifests name it.
    pub fn name(self) -> &'static str {
        match self {
            Archive::Zip => "zip",
            Archive::Tar => "tar",
        }
    }
}

/// A member of an archive that cannot be read, and why; without a name, the archive itself.
pub type Unread = (String, &'static str);

/// The parts of a file, or of a member of one: itself, or what an archive holds but for folders. What of an archive cannot be read is
/// the second list, each with why.
///
/// # Errors
/// If the file cannot be read, or is a broken zip.
pub fn parts<R: Read + Seek>(mut input: R, part: Part) -> io::Result<(Vec<Part>, Vec<Unread>)> {
    let mut listing = Listing::default();
    listing.expand(&mut input, part, 0)?;
    Ok((listing.parts, listing.refused))
}

/// The members of a zip as they are: none is looked into. What cannot be read is the second list.
///
/// # Errors
/// If the file cannot be read, or is no zip.
pub fn members_of_zip<R: Read + Seek>(input: R) -> io::Result<(Vec<Part>, Vec<Unread>)> {
    let mut listing = Listing::default();
    let members = listing.zip(BufReader::new(input), &Part::Whole, true)?;
    Ok((members, listing.refused))
}

/// The members of a file while they are listed.
#[derive(Default)]
struct Listing {
    parts: Vec<Part>,
    refused: Vec<Unread>,
    /// Bytes that have to be read past, in archives that cannot be entered in the middle.
    passed: u64,
}

impl Listing {
    /// Adds a part, or the members of the archive that it is.
    fn expand<R: Read + Seek>(&mut self, input: &mut R, part: Part, depth: u8) -> io::Result<()> {
        let mut text = match raw(&mut *input, &part) {
            Ok(text) => text,
            Err(error) if part == Part::Whole => return Err(error),
            // Whoever opens it hears why.
            Err(_) => {
                self.parts.push(part);
                return Ok(());
            }
        };
        let mut head = vec![0; TAR_HEADER_BYTES];
        let length = read_up_to(&mut text, &mut head).unwrap_or(0);
        head.truncate(length);
        let name = part.name();
        let is_direct = part == Part::Whole && text.packing() == Packing::Plain;
        let head = &head[..];
        let listed = match Archive::of(head) {
            None => {
                self.parts.push(part);
                return Ok(());
            }
            Some(_) if depth == ARCHIVES_MAX => {
                self.refused.push((name.to_owned(), "it is an archive in an archive in another one; unpack it first"));
                return Ok(());
            }
            Some(Archive::Zip) if is_direct => {
                drop(text);
                input.rewind()?;
                self.zip(BufReader::new(&mut *input), &part, is_direct)
            }
            Some(Archive::Zip) => super::whole(head.chain(text), ZIP_BYTES_MAX, "it is too large; unpack it first")
                .and_then(|bytes| self.zip(Cursor::new(bytes), &part, is_direct)),
            Some(Archive::Tar) => match self.tar(head.chain(text), &part, is_direct) {
                // Its word may stand by chance where a tar has it; a tar's first header is whole.
                Err(_) => {
                    self.parts.push(part);
                    return Ok(());
                }
                listed => listed,
            },
        };
        match listed {
            Ok(members) => members.into_iter().try_for_each(|member| self.expand(input, member, depth + 1)),
            Err(error) if part == Part::Whole => Err(error),
            Err(_) => {
                self.refused.push((name.to_owned(), "it is an archive that is broken or too large; unpack it first"));
                Ok(())
            }
        }
    }

    fn zip<R: Read + Seek>(&mut self, input: R, outer: &Part, is_direct: bool) -> io::Result<Vec<Part>> {
        let broken = |error: zip::result::ZipError| io::Error::new(io::ErrorKind::InvalidData, error.to_string());
        let mut zip = zip::ZipArchive::new(input).map_err(broken)?;
        let mut members = Vec::new();
        for index in 0..zip.len() {
            let member = zip.by_index_raw(index).map_err(broken)?;
            if member.is_dir() {
                continue;
            }
            let name = name_within(outer, member.name());
            let deflated = match member.compression() {
                zip::CompressionMethod::Stored => false,
                zip::CompressionMethod::DEFLATE => true,
                _ => {
                    self.refused.push((name, "the zip packs it in a way that is not read; unpack it first"));
                    continue;
                }
            };
            if member.encrypted() {
                self.refused.push((name, "the zip has it encrypted; unpack it first"));
                continue;
            }
            let part = Part::Member {
                name,
                archive: Archive::Zip,
                within: (!is_direct).then(|| Box::new(outer.clone())),
                from: member.data_start(),
                bytes: member.compressed_size(),
                deflated,
            };
            if !self.take(part, &mut members) {
                break;
            }
        }
        Ok(members)
    }

    fn tar<R: Read>(&mut self, input: R, outer: &Part, is_direct: bool) -> io::Result<Vec<Part>> {
        let mut members = Vec::new();
        for entry in tar::Archive::new(input).entries()? {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if members.is_empty() => return Err(error),
                Err(_) => {
                    let name = name_within(outer, "");
                    self.refused.push((name, "the tar ends in the middle; its members up to there are used"));
                    break;
                }
            };
            let name = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
            let name = name_within(outer, &name);
            let kind = entry.header().entry_type();
            if kind.is_dir() || kind.is_pax_global_extensions() {
                continue;
            }
            if !kind.is_file() && !kind.is_contiguous() {
                self.refused.push((name, "the tar has no content of it: it is a link or no file"));
                continue;
            }
            let part = Part::Member {
                name,
                archive: Archive::Tar,
                within: (!is_direct).then(|| Box::new(outer.clone())),
                from: entry.raw_file_position(),
                bytes: entry.size(),
                deflated: false,
            };
            if !self.take(part, &mut members) {
                break;
            }
        }
        Ok(members)
    }

    /// Takes a member, unless there are too many, or too much stands in front of it.
    fn take(&mut self, part: Part, members: &mut Vec<Part>) -> bool {
        let Part::Member { name, within, from, .. } = &part else { return false };
        self.passed = self.passed.saturating_add(if within.is_some() { *from } else { 0 });
        let few = self.parts.len() + members.len() < MEMBERS_MAX && self.passed < PASSED_BYTES_MAX;
        if few {
            members.push(part);
        } else {
            self.refused.push((name.clone(), "the archive has too many files; unpack it, and give what is wanted"));
        }
        few
    }
}

fn name_within(outer: &Part, name: &str) -> String {
    match outer.name() {
        "" => name.to_owned(),
        outer if name.is_empty() => outer.to_owned(),
        outer => format!("{outer}/{name}"),
    }
}

/// The text of a part: unpacked, and peeled of what stands around a text ([`Peeled`]).
pub type Text<R> = Peeled<Bounded<R>>;

/// Opens a part of a file.
///
/// # Errors
/// If its first bytes cannot be read.
pub fn open<R: Read + Seek>(input: R, part: &Part) -> io::Result<Text<R>> {
    raw(input, part).map(Peeled::new)
}

/// A part unpacked, with all that stands around its text.
fn raw<R: Read + Seek>(input: R, part: &Part) -> io::Result<Bounded<R>> {
    unpacked(bytes(input, part)?)
}

/// The bytes of a part as the file that it was had them, packed or not.
///
/// # Errors
/// If what it lies in cannot be read.
pub fn stored<R: Read + Seek>(input: R, part: &Part) -> io::Result<impl Read + use<R>> {
    bytes(input, part)
}

fn bytes<R: Read + Seek>(mut input: R, part: &Part) -> io::Result<Bytes<R>> {
    Ok(match part {
        Part::Whole => {
            input.rewind()?;
            Bytes::Whole(input)
        }
        Part::Member { within: None, from, bytes, deflated, .. } => {
            input.seek(SeekFrom::Start(*from))?;
            let stored = input.take(*bytes);
            if *deflated { Bytes::Deflated(DeflateDecoder::new(BufReader::new(stored))) } else { Bytes::Stored(stored) }
        }
        Part::Member { within: Some(outer), from, bytes, deflated, .. } => {
            let mut outer = raw(input, outer)?;
            io::copy(&mut (&mut outer).take(*from), &mut io::sink())?;
            let stored = Box::new(outer.take(*bytes));
            if *deflated {
                Bytes::DeflatedWithin(DeflateDecoder::new(BufReader::new(stored)))
            } else {
                Bytes::Within(stored)
            }
        }
    })
}

/// Opens a stream, which gives its bytes once and is no archive.
///
/// # Errors
/// If its first bytes cannot be read.
pub fn open_stream<R: Read>(input: R) -> io::Result<Text<R>> {
    unpacked(Bytes::Whole(input)).map(Peeled::new)
}

fn unpacked<R: Read>(bytes: Bytes<R>) -> io::Result<Bounded<R>> {
    let packed = Arc::new(AtomicU64::new(0));
    let mut input = BufReader::with_capacity(CHUNK_BYTES, Counted { input: bytes, packed: packed.clone() });
    let packing = Packing::of(input.fill_buf()?);
    let input = match packing {
        Packing::Plain => Unpacked::Plain(input),
        Packing::Gzip => Unpacked::Gzip(Box::new(MultiGzDecoder::new(input))),
        Packing::Zstd => Unpacked::Zstd(Box::new(Zstd::new(input)?)),
        Packing::Xz => {
            check_dictionary(input.fill_buf()?)?;
            Unpacked::Xz(Box::new(XzReader::new(input, true)))
        }
        Packing::Bzip2 => Unpacked::Bzip2(MultiBzDecoder::new(input)),
    };
    Ok(Bounded { input, packing, packed, unpacked: 0 })
}

/// The bytes of a part.
enum Bytes<R: Read> {
    Whole(R),
    Stored(Take<R>),
    Deflated(DeflateDecoder<BufReader<Take<R>>>),
    /// Stored in an archive that is packed itself.
    Within(Box<Take<Bounded<R>>>),
    DeflatedWithin(DeflateDecoder<BufReader<Box<Take<Bounded<R>>>>>),
}

impl<R: Read> Read for Bytes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Bytes::Whole(input) => input.read(buffer),
            Bytes::Stored(input) => input.read(buffer),
            Bytes::Deflated(input) => input.read(buffer),
            Bytes::Within(input) => input.read(buffer),
            Bytes::DeflatedWithin(input) => input.read(buffer),
        }
    }
}

/// Counts the packed bytes.
struct Counted<R: Read> {
    input: Bytes<R>,
    packed: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.packed.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

type Input<R> = BufReader<Counted<R>>;

enum Unpacked<R: Read> {
    Plain(Input<R>),
    Gzip(Box<MultiGzDecoder<Input<R>>>),
    Zstd(Box<Zstd<Input<R>>>),
    Xz(Box<XzReader<Input<R>>>),
    Bzip2(MultiBzDecoder<Input<R>>),
}

/// Unpacked bytes, as many as a file of that size may have.
pub struct Bounded<R: Read> {
    input: Unpacked<R>,
    packing: Packing,
    packed: Arc<AtomicU64>,
    unpacked: u64,
}

impl<R: Read> std::fmt::Debug for Bounded<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bounded").field("packing", &self.packing).field("unpacked", &self.unpacked).finish()
    }
}

impl<R: Read> Bounded<R> {
    /// How it is packed.
    pub fn packing(&self) -> Packing {
        self.packing
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = match &mut self.input {
            Unpacked::Plain(input) => return input.read(buffer),
            Unpacked::Gzip(input) => input.read(buffer),
            Unpacked::Zstd(input) => input.read(buffer),
            Unpacked::Xz(input) => input.read(buffer),
            Unpacked::Bzip2(input) => input.read(buffer),
        }?;
        self.unpacked += length as u64;
        let allowed = self.packed.load(Ordering::Relaxed).saturating_mul(UNPACKED_TIMES_MAX);
        if self.unpacked > UNPACKED_FREE_BYTES.max(allowed) {
            let why = format!("it unpacks to more than {UNPACKED_TIMES_MAX} times its size, which no log does");
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(length)
    }
}

/// Refuses an xz file whose first block asks for too large a dictionary (xz-file-format 1.2.1, 3.1 and 5.3.1).
fn check_dictionary(head: &[u8]) -> io::Result<()> {
    let dictionary = || -> Option<u64> {
        let block = head.get(12..)?;
        let flags = *block.get(1)?;
        let mut rest = block.get(2..)?;
        let mut number = || -> Option<u64> {
            let length = rest.iter().position(|byte| byte & 0x80 == 0)? + 1;
            let value = rest.iter().take(length.min(9)).rev().fold(0, |sum, byte| sum << 7 | u64::from(byte & 0x7f));
            rest = &rest[length..];
            Some(value)
        };
        for size in [0x40, 0x80] {
            if flags & size != 0 {
                number()?;
            }
        }
        for _ in 0..=flags & 3 {
            let (id, size) = (number()?, number()?);
            let properties = number().filter(|_| size == 1);
            match (id, properties) {
                (0x21, Some(bits)) => return Some((2 | (bits & 1)) << (bits.min(60) / 2 + 11)),
                (_, Some(_)) => {}
                _ => return None,
            }
        }
        None
    };
    if dictionary().is_some_and(|bytes| bytes > DICTIONARY_BYTES_MAX) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it asks for more memory than xz -9 needs"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

use std::io::{Cursor, Write};

use super::*;

const TEXT: &str = "one, two\n";

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(text: &str) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest)
}

/// `printf 'one, ' | xz`, and `printf 'two\n' | xz`.
fn xz(text: &str) -> Vec<u8> {
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap()
}

fn read(bytes: &[u8]) -> (String, Option<io::ErrorKind>) {
    let mut text = Vec::new();
    let mut reader = open(Cursor::new(bytes), &Part::Whole).unwrap();
    let error = reader.read_to_end(&mut text).err().map(|error| error.kind());
    (String::from_utf8(text).unwrap(), error)
}

#[test]
fn packed_in_any_way_it_reads_the_same() {
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"pad"].concat();
    for bytes in [
        TEXT.as_bytes().to_vec(),
        [gzip("one, "), gzip("two\n")].concat(),
        [bzip2("one, "), bzip2("two\n")].concat(),
        [xz("one, "), xz("two\n")].concat(),
        zstd(TEXT),
        [zstd("one, "), skippable.clone(), zstd("two\n")].concat(),
        [skippable, zstd(TEXT)].concat(),
    ] {
        assert_eq!(read(&bytes), (TEXT.to_owned(), None), "{:?}", Packing::of(&bytes));
    }
    assert_eq!(read(b""), (String::new(), None));
}

#[test]
fn what_is_cut_off_gives_what_there_is_and_an_error() {
    let text: String = (0..400_000u32).map(|n| format!("line {}\n", n.wrapping_mul(2_654_435_761))).collect();
    for packed in [gzip(&text), zstd(&text), xz(&text), bzip2(&text)] {
        let (read, error) = read(&packed[..packed.len() - 20]);
        assert!(text.starts_with(&read) && read.len() > 1_000, "{}", read.len());
        assert!(error.is_some());
    }
}

/// The parts of a whole file.
fn parts<R: Read + Seek>(input: R) -> io::Result<(Vec<Part>, Vec<Unread>)> {
    super::parts(input, Part::Whole)
}

fn zip(members: &[(&str, &[u8], bool)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content, deflated) in members {
        // The library is built without deflating; a member is stored, or put together by hand below.
        assert!(!deflated);
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_zips_members_are_files_packed_or_not() {
    let packed = gzip(TEXT);
    let bytes = zip(&[("a/plain.log", TEXT.as_bytes(), false), ("b.log.gz", &packed, false)]);
    let (parts, refused) = parts(Cursor::new(&bytes)).unwrap();
    assert_eq!((parts.len(), refused.len()), (2, 0));
    for part in &parts {
        let mut text = String::new();
        open(Cursor::new(&bytes), part).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, TEXT, "{part:?}");
    }
    // A deflated member's bytes, as they lie anywhere.
    let mut encoder = flate2::write::DeflateEncoder::new(b"xyz".to_vec(), flate2::Compression::fast());
    encoder.write_all(TEXT.as_bytes()).unwrap();
    let bytes = encoder.finish().unwrap();
    let part = Part::Member {
        name: "c".into(),
        archive: Archive::Zip,
        within: None,
        from: 3,
        bytes: bytes.len() as u64 - 3,
        deflated: true,
    };
    let mut text = String::new();
    open(Cursor::new(&bytes), &part).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, TEXT);
    assert!(self::parts(Cursor::new(&b"PK\x03\x04broken"[..])).is_err());
}

#[test]
fn a_zip_that_is_only_listed_gives_each_members_bytes_as_they_were_put_in() {
    let packed = gzip(TEXT);
    let inner = zip(&[("c.log", TEXT.as_bytes(), false)]);
    let bytes = zip(&[("a/b.log.gz", &packed, false), ("a/in.zip", &inner, false)]);
    let (members, refused) = members_of_zip(Cursor::new(&bytes)).unwrap();
    assert_eq!((members.len(), refused.len()), (2, 0));
    for (member, (name, wanted)) in members.iter().zip([("a/b.log.gz", &packed), ("a/in.zip", &inner)]) {
        assert_eq!(member.name(), name);
        let stored = super::super::whole(stored(Cursor::new(&bytes), member).unwrap(), 1 << 20, "").unwrap();
        assert_eq!(&stored, wanted);
    }
    assert!(members_of_zip(Cursor::new(b"no zip")).is_err());
    // As a source of its own it has its parts' names as the file would have them.
    let [gz, zip] = &members[..] else { panic!("{members:?}") };
    let of = |member: &Part| super::parts(Cursor::new(&bytes), member.clone().without_name()).unwrap().0;
    assert_eq!((of(gz)[0].name(), of(zip)[0].name()), ("", "c.log"));
    for part in [of(gz), of(zip)].concat() {
        let mut text = String::new();
        open(Cursor::new(&bytes), &part).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, TEXT);
    }
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, name, *content).unwrap();
    }
    tar.into_inner().unwrap()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The members of a file by name, each with its text.
fn members(bytes: &[u8]) -> Vec<(String, String)> {
    let (parts, refused) = parts(Cursor::new(bytes)).unwrap();
    assert_eq!(refused, []);
    let read = |part: &Part| {
        let Part::Member { name, .. } = part else { panic!("{part:?}") };
        let mut text = String::new();
        open(Cursor::new(bytes), part).unwrap().read_to_string(&mut text).unwrap();
        (name.clone(), text)
    };
    parts.iter().map(read).collect()
}

#[test]
fn a_tars_members_are_files_however_it_is_packed() {
    let long = format!("{}console.log", "a-folder-with-a-long-name/".repeat(8));
    let logs = gzip(TEXT);
    let bytes = tar(&[("./details.json", b"{}"), (&long, TEXT.as_bytes()), ("logs.log.gz", &logs)]);
    let wanted = [("details.json", "{}"), (&*long, TEXT), ("logs.log.gz", TEXT)]
        .map(|(name, text)| (name.to_owned(), text.to_owned()));
    for packed in [bytes.clone(), gzipped(&bytes)] {
        assert_eq!(members(&packed), wanted);
    }
    // A rageshake's tar, put into a zip, and a zip in a zip.
    let nested = zip(&[
        ("shake.tar.gz", &gzipped(&bytes), false),
        ("in.zip", &zip(&[("b.log", TEXT.as_bytes(), false)]), false),
    ]);
    let names: Vec<String> = members(&nested).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names[0], "shake.tar.gz/details.json");
    assert_eq!(members(&nested)[3], ("in.zip/b.log".to_owned(), TEXT.to_owned()));
}

#[test]
fn what_of_an_archive_cannot_be_read_is_named_and_the_rest_is_read() {
    let whole = tar(&[("a.log", TEXT.as_bytes()), ("b.log", &[b'x'; 4000])]);
    let (found, refused) = parts(Cursor::new(&whole[..2000])).unwrap();
    assert_eq!((found.len(), refused.len()), (2, 1), "{refused:?}");
    assert!(refused[0].0.is_empty() && refused[0].1.contains("ends in the middle"), "{refused:?}");
    let deep = zip(&[("c.zip", &zip(&[("b.zip", &zip(&[("a.zip", b"PK\x05\x06", false)]), false)]), false)]);
    let (found, refused) = parts(Cursor::new(&deep)).unwrap();
    assert_eq!((found, refused.len()), (Vec::new(), 1));
    assert!(refused[0].0 == "c.zip/b.zip/a.zip" || refused[0].0 == "c.zip/b.zip", "{refused:?}");
    let text = ["x".repeat(257), "ustar".to_owned(), "y".repeat(600)].concat();
    assert_eq!(parts(Cursor::new(&text)).unwrap(), (vec![Part::Whole], Vec::new()), "a word is no tar");
    let mut link = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    link.append_link(&mut header, "passwd", "/etc/passwd").unwrap();
    let (found, refused) = parts(Cursor::new(link.into_inner().unwrap())).unwrap();
    assert_eq!((found.len(), refused[0].0.as_str()), (0, "passwd"));
}

#[test]
fn a_bomb_is_ended_before_it_fills_anything() {
    // A kilobyte of bzip2 is 300 MB of zeros and more.
    let bomb = bzip2(&"\0".repeat(1 << 20)).repeat(300);
    assert!(bomb.len() < 100_000);
    let mut reader = open(Cursor::new(&bomb), &Part::Whole).unwrap();
    let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
    assert!(error.to_string().contains("more than 2000 times its size"), "{error}");
}

#[test]
fn an_xz_file_that_asks_for_gigabytes_is_refused() {
    let plain = xz(TEXT);
    assert!(check_dictionary(&plain).is_ok());
    // Stream header (12), the block header's size and flags, the filter's id and size, and then the dictionary's.
    assert_eq!(plain[14..16], [0x21, 1]);
    let mut greedy = plain;
    greedy[16] = 40;
    assert!(open(Cursor::new(&greedy), &Part::Whole).is_err());
}

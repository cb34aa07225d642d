//! A bag as one file.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crypto_diag_collect::private;
use crypto_diag_triage::unpack::open::MEMBERS_MAX;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::Files;

/// Writes a zip of a bag's folder beside it, for its owner alone. The same files give the same bytes: it has no times, and the files
/// stand by their names.
///
/// # Errors
/// In words, if it cannot be written. What is there already is left as it is.
pub fn zip(root: &Path) -> Result<PathBuf, String> {
    let folder = root.file_name().unwrap_or_default().to_string_lossy();
    let path = root.with_file_name(format!("{folder}.zip"));
    let cannot =
        |error: io::Error| format!("{} is complete, but {} cannot be written: {error}", root.display(), path.display());
    let file = private::create_file(&path).map_err(cannot)?;
    write(root, &folder, file).map_err(|error| {
        // Half a zip is of no use, and it was made here.
        let _ = fs::remove_file(&path);
        cannot(error)
    })?;
    Ok(path)
}

fn write(root: &Path, folder: &str, file: File) -> io::Result<()> {
    let files = Files::of(root)?;
    if files.all().len() > MEMBERS_MAX {
        let why = format!(
            "it has more than {MEMBERS_MAX} files, which no archive may have that is read here; hand on the folder"
        );
        return Err(io::Error::other(why));
    }
    let mut zip = ZipWriter::new(file);
    for name in files.all() {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o600)
            .large_file(fs::metadata(root.join(name))?.len() >= u64::from(u32::MAX));
        zip.start_file(format!("{folder}/{name}"), options)?;
        io::copy(&mut files.open(name)?, &mut zip)?;
    }
    zip.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_give_the_same_bytes_whenever_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("2026-11-23T08-35-57Z");
        fs::create_dir_all(root.join("data")).unwrap();
        let mut zips = Vec::new();
        for names in [["data/a.log", "README.txt"], ["README.txt", "data/a.log"]] {
            for name in names {
                let file = File::create(root.join(name)).unwrap();
                let past =
                    std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(86_400 * zips.len() as u64);
                file.set_modified(past).unwrap();
                fs::write(root.join(name), name.repeat(1000)).unwrap();
            }
            let path = zip(&root).unwrap();
            assert_eq!(path, folder.path().join("2026-11-23T08-35-57Z.zip"));
            zips.push(fs::read(&path).unwrap());
            fs::remove_file(path).unwrap();
        }
        assert!(zips[0] == zips[1] && zips[0].len() < 1000, "{} bytes", zips[0].len());
    }

    #[test]
    fn what_is_there_already_is_left_as_it_is_and_half_a_zip_does_not_stay() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("bag");
        fs::create_dir(&root).unwrap();
        fs::write(folder.path().join("bag.zip"), "mine").unwrap();
        let why = zip(&root).unwrap_err();
        assert!(why.contains("bag is complete, but") && why.contains("bag.zip cannot be written"), "{why}");
        assert_eq!(fs::read(folder.path().join("bag.zip")).unwrap(), b"mine");
        fs::remove_file(folder.path().join("bag.zip")).unwrap();
        for number in 0..=MEMBERS_MAX {
            fs::write(root.join(number.to_string()), "").unwrap();
        }
        assert!(zip(&root).unwrap_err().contains("hand on the folder"));
        assert!(!folder.path().join("bag.zip").exists());
    }
}

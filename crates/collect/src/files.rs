//! The files below a folder: the one walk, for the logs of a server and for what is judged.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crypto_diag_triage::bundle::Refusal;
use walkdir::{DirEntry, WalkDir};

/// Folders within folders that are walked at most.
pub(crate) const DEPTH_MAX: usize = 8;

/// Files of one folder that are looked at at most, with what is refused of it. A bundle has a dozen; forty processes that keep a month
/// of logs have 1,200.
const FILES_MAX: usize = 10_000;

/// What becomes of symbolic links inside a folder. Links to folders are never followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Left out: somebody may have sent the folder, and a link in it may point anywhere.
    Refused,
    /// A link to a file is read: the folder is the server's own.
    ToFiles,
}

/// A file that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// Its name within the folder, with `/` between its parts. Hostile.
    pub name: String,
}

/// The files below a folder, by name, and what was left out of it, by its name in the folder.
///
/// # Errors
/// If the folder itself cannot be read.
pub fn walk(folder: &Path, links: Links) -> io::Result<(Vec<Found>, Vec<Refusal>)> {
    let (mut files, mut refused) = (Vec::new(), Vec::new());
    let mut entries = WalkDir::new(folder).max_depth(DEPTH_MAX + 1).sort_by_file_name().into_iter();
    while let Some(entry) = entries.next() {
        if files.len() + refused.len() == FILES_MAX {
            let why = format!("it has more than {FILES_MAX} files; the rest is left out");
            refused.push(Refusal { what: String::new(), why });
            break;
        }
        let (path, depth) = match &entry {
            Ok(entry) => (entry.path().to_owned(), entry.depth()),
            Err(error) => (error.path().unwrap_or(folder).to_owned(), error.depth()),
        };
        let name = name_in(folder, &path);
        match entry {
            Err(error) => {
                let error = error.into_io_error().unwrap_or_else(|| io::Error::other("it leads in a circle"));
                if depth == 0 {
                    return Err(error);
                }
                refused.push(Refusal { what: name, why: format!("cannot be opened: {error}") });
            }
            Ok(entry) if is_hidden_folder(&entry) => {
                // Hidden folders belong to programs: a repository's history has thousands of files.
                refused
                    .push(Refusal { what: name, why: "its name begins with a dot; name the folder itself".to_owned() });
                entries.skip_current_dir();
            }
            Ok(entry) if entry.file_type().is_dir() && depth <= DEPTH_MAX => {}
            Ok(entry) => match why_not(&entry, links) {
                Some(why) => refused.push(Refusal { what: name, why }),
                None => files.push(Found { path, name }),
            },
        }
    }
    Ok((files, refused))
}

/// Why an entry is not a file to be read.
fn why_not(entry: &DirEntry, links: Links) -> Option<String> {
    let no_file = "it is no file; left out";
    let why = match entry.file_type() {
        kind if kind.is_dir() => "it lies too deep; name it itself",
        kind if kind.is_symlink() && links == Links::Refused => {
            "it is a symbolic link, which is not followed inside a folder; name the file itself"
        }
        kind if kind.is_symlink() => match fs::metadata(entry.path()) {
            Ok(target) if target.is_file() => return None,
            Ok(target) if target.is_dir() => "it is a link to a folder, which is not followed; name the folder itself",
            Ok(_) => no_file,
            Err(error) => return Some(format!("it is a link that leads nowhere: {error}")),
        },
        kind if kind.is_file() => return None,
        // Reading a pipe or a device would block.
        _ => no_file,
    };
    Some(why.to_owned())
}

fn is_hidden_folder(entry: &DirEntry) -> bool {
    entry.depth() > 0 && entry.file_type().is_dir() && entry.file_name().as_encoded_bytes().starts_with(b".")
}

/// A path's name within a folder, with `/` between its parts.
pub fn name_in(folder: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(folder).unwrap_or(path).components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[Found]) -> Vec<&str> {
        files.iter().map(|file| file.name.as_str()).collect()
    }

    #[test]
    fn files_come_by_name_and_what_is_left_out_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("1/2/3/4/5/6/7/8");
        fs::create_dir_all(deep.join("9")).unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        for name in
            ["b.log", "a.log", ".hidden.log", "1/c.log", "1/2/3/4/5/6/7/8/d.log", ".git/config", "1/2/3/4/5/6/7/8/9/e"]
        {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let (files, refused) = walk(folder.path(), Links::Refused).unwrap();
        assert_eq!(names(&files), [".hidden.log", "1/2/3/4/5/6/7/8/d.log", "1/c.log", "a.log", "b.log"]);
        let left: Vec<(&str, &str)> = refused.iter().map(|one| (one.what.as_str(), one.why.as_str())).collect();
        let [(".git", hidden), ("1/2/3/4/5/6/7/8/9", deep)] = left[..] else { panic!("{left:?}") };
        assert!(hidden.contains("begins with a dot") && deep.contains("too deep"), "{left:?}");
        assert!(walk(&folder.path().join("gone"), Links::Refused).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_to_a_file_of_the_servers_own_folder_alone() {
        use std::os::unix::fs::symlink;
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(elsewhere.path().join("x.log"), "x").unwrap();
        for (name, target) in [
            ("file", elsewhere.path().join("x.log")),
            ("folder", elsewhere.path().to_owned()),
            ("circle", folder.path().to_owned()),
            ("nowhere", elsewhere.path().join("gone")),
            ("device", "/dev/null".into()),
        ] {
            symlink(target, folder.path().join(name)).unwrap();
        }
        let (files, refused) = walk(folder.path(), Links::Refused).unwrap();
        assert!(files.is_empty() && refused.len() == 5, "{files:?} {refused:?}");
        let (files, refused) = walk(folder.path(), Links::ToFiles).unwrap();
        assert_eq!(names(&files), ["file"]);
        let left: Vec<&str> = refused.iter().map(|one| one.what.as_str()).collect();
        assert_eq!(left, ["circle", "device", "folder", "nowhere"]);
    }
}

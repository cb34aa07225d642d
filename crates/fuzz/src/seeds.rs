//! Inputs to begin with: recorded artefacts of the repository, and what once broke a reader.

use std::fs;
use std::path::{Path, PathBuf};

/// Bytes of a seed at most; of a longer text a part is taken at each try.
pub(crate) const SEED_BYTES_MAX: usize = 256 << 10;

/// Inputs that readers are known to take.
#[derive(Clone, Debug, Default)]
pub struct Seeds {
    pub(crate) inputs: Vec<Vec<u8>>,
}

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the crate is two folders deep").to_owned()
}

impl Seeds {
    /// The kept seeds of a target: every file of `crates/fuzz/seeds/<target>`.
    ///
    /// # Panics
    /// If a file cannot be read.
    pub fn kept(target: &str) -> Seeds {
        let folder = root().join("crates/fuzz/seeds").join(target);
        Seeds::default().files(&folder, |_| true)
    }

    /// With every file below a folder whose name is wanted, in the order of their paths.
    ///
    /// # Panics
    /// If a file cannot be read.
    #[must_use]
    pub fn files(mut self, folder: &Path, wanted: impl Fn(&str) -> bool) -> Seeds {
        let mut folders = vec![folder.to_owned()];
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for path in entries.flatten().map(|entry| entry.path()) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name().is_some_and(|name| wanted(&name.to_string_lossy())) {
                    found.push(path);
                }
            }
        }
        found.sort();
        for path in found {
            let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            self.inputs.push(bytes);
        }
        self
    }

    /// With a text.
    #[must_use]
    pub fn text(mut self, text: impl Into<Vec<u8>>) -> Seeds {
        self.inputs.push(text.into());
        self
    }
}

//! The one way in, for the command and for the page: which files there are, what each is, in which order they are read, and
//! what could not be opened. Whoever has the files gives [`Source`]s; the same names and bytes give the same answer.

#[cfg(feature = "artefacts")]
mod run;

use std::io::{self, Read, Seek};

use crate::artefact::{ArtefactKind, HEAD_BYTES};
use crate::bundle::is_expected;
use crate::problem::Problem;
use crate::unpack::chunk::read_up_to;
use crate::unpack::open::{self, Part, parts};
use crate::unpack::unpacked_name;

#[cfg(feature = "artefacts")]
pub(crate) use run::read;
#[cfg(feature = "artefacts")]
pub use run::{Step, run};

/// A file, opened as often as needed.
pub trait Source {
    /// What it is read through.
    type Input: Read + Seek;

    /// Its name in the bundle: a path within the folder that was given. Hostile.
    fn name(&self) -> &str;

    /// From its beginning.
    ///
    /// # Errors
    /// If it is gone or may not be read.
    fn open(&self) -> io::Result<Self::Input>;

    /// What of the input it is: a nameless member of the archive that is opened, for a source that lies in one.
    fn part(&self) -> Part {
        Part::Whole
    }
}

/// One text of a file: the file's own, or that of an archive's member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The file's place in what was given.
    pub source: usize,
    /// The name that answers call it by.
    pub name: String,
    /// What it is.
    pub kind: ArtefactKind,
    /// The file itself, or where in it the text lies.
    pub part: Part,
}

/// What is read, in which order, and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In the order in which they are best read: see [`ArtefactKind::order`]; one kind's by name.
    pub members: Vec<Member>,
    /// What could not be opened.
    pub unopened: Vec<Problem>,
    /// What could be opened and is nothing that can be used.
    pub passed: Vec<Problem>,
}

impl Plan {
    /// Looks at the first bytes of every source.
    pub fn of<S: Source>(sources: &[S]) -> Plan {
        let mut plan = Plan::default();
        let mut order: Vec<usize> = (0..sources.len()).collect();
        order.sort_by_key(|index| sources[*index].name());
        for index in order {
            plan.add(index, &sources[index]);
        }
        plan.members.sort_by(|one, other| (one.kind.order(), &one.name).cmp(&(other.kind.order(), &other.name)));
        plan
    }

    fn add<S: Source>(&mut self, index: usize, source: &S) {
        let cannot = |name: &str, error: io::Error| Problem::whole(name, &format!("cannot be opened: {error}"));
        let (parts, refused) = match source.open().and_then(|input| parts(input, source.part())) {
            Ok(parts) => parts,
            Err(error) => return self.unopened.push(cannot(source.name(), error)),
        };
        for (member, why) in refused {
            let name = if member.is_empty() { source.name().to_owned() } else { format!("{}/{member}", source.name()) };
            self.unopened.push(Problem::whole(&name, why));
        }
        for part in parts {
            let name = match part.name() {
                "" => source.name().to_owned(),
                name => format!("{}/{name}", source.name()),
            };
            match head(source, &part) {
                Ok(head) => {
                    let kind = ArtefactKind::guess(unpacked_name(&name), &head);
                    if head.is_empty() {
                        self.passed.push(Problem::whole(&name, "it is empty"));
                    } else if kind == ArtefactKind::Other && !is_expected(&name, &head) {
                        let what = "it is neither a report nor a HAR, a log or a query's result; left out";
                        self.passed.push(Problem::whole(&name, what));
                    }
                    self.members.push(Member { source: index, name, kind, part });
                }
                Err(error) => self.unopened.push(cannot(&name, error)),
            }
        }
    }
}

/// The first bytes of a text; those before an error, if there are some.
fn head<S: Source>(source: &S, part: &Part) -> io::Result<Vec<u8>> {
    let mut head = vec![0; HEAD_BYTES];
    let mut text = open::open(source.open()?, part)?;
    let length = read_up_to(&mut text, &mut head)?;
    head.truncate(length);
    Ok(head)
}

#[cfg(test)]
mod tests;

//! Where the entries and counts stand in memory, for a page whose instance has died and must not be entered again. The
//! living page reads them from here, too, so there is one way to read and it is always in use.

use crypto_diag_core::{Counts, ENTRIES_MAX, Ke, Meaning, Recorder};

/// Numbers of a tally row: total, first, last, highest count in a second, rate per second (NaN where there is none).
const TALLY_NUMBERS: usize = 5;

/// Numbers of the header: entries and their address, tallies and their address, then the recorder's own counters: evicted,
/// truncated, redactions.
const HEADER_NUMBERS: usize = 7;

/// Addresses of what a reader needs; none of its storage moves after `new`.
#[derive(Debug)]
pub struct BlackBox {
    header: Box<[u32; HEADER_NUMBERS]>,
    /// Id, address and length in bytes of each entry's JSON, most recent last.
    entries: Vec<[u32; 3]>,
    /// A row for each KE and meaning, in the order of `Ke::ALL` and `Meaning::ALL`.
    tallies: Vec<[f64; TALLY_NUMBERS]>,
}

impl BlackBox {
    pub fn new() -> Self {
        let entries: Vec<[u32; 3]> = Vec::with_capacity(ENTRIES_MAX + 1);
        let tallies = vec![[0.0; TALLY_NUMBERS]; Ke::ALL.len() * Meaning::ALL.len()];
        let mut header = Box::new([0; HEADER_NUMBERS]);
        header[1] = entries.as_ptr() as usize as u32;
        header[2] = tallies.len() as u32;
        header[3] = tallies.as_ptr() as usize as u32;
        BlackBox { header, entries, tallies }
    }

    pub fn header(&self) -> *const u32 {
        self.header.as_ptr()
    }

    pub fn update(&mut self, recorder: &Recorder) {
        self.entries.clear();
        self.entries
            .extend(recorder.entry_texts().map(|(id, text)| [id, text.as_ptr() as usize as u32, text.len() as u32]));
        self.header[0] = self.entries.len() as u32;
        let counters = [recorder.evicted(), recorder.truncated(), recorder.redactions()];
        for (number, counter) in self.header[4..].iter_mut().zip(counters) {
            *number = u32::try_from(counter).unwrap_or(u32::MAX);
        }
        write_tallies(&mut self.tallies, recorder.counts());
    }
}

fn write_tallies(rows: &mut [[f64; TALLY_NUMBERS]], counts: &Counts) {
    let classes = Ke::ALL.iter().flat_map(|ke| Meaning::ALL.iter().map(move |meaning| (*ke, *meaning)));
    for (row, (ke, meaning)) in rows.iter_mut().zip(classes) {
        let tally = counts.tally(ke, meaning);
        if tally.total() > 0 {
            *row = [
                tally.total() as f64,
                tally.first().unwrap_or_default().0 as f64,
                tally.last().unwrap_or_default().0 as f64,
                f64::from(tally.peak_per_second()),
                tally.rate_per_second().unwrap_or(f64::NAN),
            ];
        } else {
            *row = [0.0; TALLY_NUMBERS];
        }
    }
}

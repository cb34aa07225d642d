//! Where the entries and counts stand in memory, for a page whose instance has died and must not be entered again. The
//! living page reads them from here, too, so there is one way to read and it is always in use.

use crypto_diag_core::{Counts, ENTRIES_MAX, Ke, Meaning, Recorder};

/// Numbers of a tally row: total, first, last, highest count in a second, rate per second (NaN where there is none).
const TALLY_NUMBERS: usize = 5;

/// Rows of tallies.
const TALLIES: usize = Ke::ALL.len() * Meaning::ALL.len();

/// Numbers of the header: entries and their address, tallies and their address, then the recorder's own counters: evicted,
/// truncated, redactions.
const HEADER_NUMBERS: usize = 7;

/// Addresses of what a reader needs. It stands where the state stands, which never moves.
#[derive(Debug)]
pub struct BlackBox {
    header: [u32; HEADER_NUMBERS],
    /// Id, address and length in bytes of each entry's JSON, most recent last.
    entries: [[u32; 3]; ENTRIES_MAX],
    /// A row for each KE and meaning, in the order of `Ke::ALL` and `Meaning::ALL`.
    tallies: [[f64; TALLY_NUMBERS]; TALLIES],
}

impl BlackBox {
    pub const fn new() -> Self {
        BlackBox {
            header: [0; HEADER_NUMBERS],
            entries: [[0; 3]; ENTRIES_MAX],
            tallies: [[0.0; TALLY_NUMBERS]; TALLIES],
        }
    }

    pub fn header(&self) -> *const u32 {
        self.header.as_ptr()
    }

    pub fn update(&mut self, recorder: &Recorder) {
        let entries = recorder.entry_texts();
        let count = entries.len() as u32;
        for (row, (id, text)) in self.entries.iter_mut().zip(entries) {
            *row = [id, text.as_ptr() as usize as u32, text.len() as u32];
        }
        write_tallies(&mut self.tallies, recorder.counts());
        let counter = |counter: u64| u32::try_from(counter).unwrap_or(u32::MAX);
        self.header = [
            count,
            self.entries.as_ptr() as usize as u32,
            TALLIES as u32,
            self.tallies.as_ptr() as usize as u32,
            counter(recorder.evicted()),
            counter(recorder.truncated()),
            counter(recorder.redactions()),
        ];
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

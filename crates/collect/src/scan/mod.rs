//! Searches one block: which of its records are kept, and what must be looked for in the blocks around it. Takes a [`Raw`] block and
//! gives a [`Block`]. It is a pure function of the block, so that several blocks can be searched at the same time.

mod block;
pub(crate) mod latency;
pub(crate) mod needles;
mod request_table;
mod search;

pub(crate) use block::{Block, LookAhead, LookBack};
use needles::Needles;

use crate::line_header::StampContext;
use crate::source::blocks::Raw;

/// The window of time, and how the log's stamps are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period {
    pub clock: StampContext,
    /// First and last millisecond since the epoch, by the server's clock, with margins.
    pub from: i64,
    pub to: i64,
}

impl Period {
    pub fn holds(&self, time: Option<i64>) -> bool {
        time.is_none_or(|time| self.from <= time && time <= self.to)
    }
}

/// What every block of a log is searched for.
#[derive(Debug)]
pub(crate) struct Plan {
    pub needles: Needles,
    pub period: Period,
    pub latency: bool,
}

/// Searches a block.
pub(crate) fn scan(raw: Raw, plan: &Plan) -> Block {
    let mut block = Block::of(raw);
    block.look(plan);
    let hits = block.search(plan);
    if plan.latency {
        block.measure(plan);
    }
    if hits.iter().any(|(_, head)| head.request.is_some()) {
        block.join(&hits, plan);
    }
    block.render(plan);
    block
}

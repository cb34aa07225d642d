//! One block: which of its records are kept, and what has to be looked for in the blocks around it. A pure function of
//! the block, so that blocks can be searched at the same time. In: a [`Raw`] block; out: a [`Block`] that was searched.

mod block;
pub(crate) mod latency;
pub(crate) mod line_header;
pub(crate) mod needles;
mod request_table;
mod search;

pub(crate) use block::{Ahead, Back, Block};
use line_header::Clock;
use needles::Needles;

use crate::source::blocks::Raw;

/// When, and how a log's stamps are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period {
    pub clock: Clock,
    /// Milliseconds since the epoch, margins included.
    pub from: i64,
    pub to: i64,
}

impl Period {
    pub fn holds(&self, time: Option<i64>) -> bool {
        time.is_none_or(|time| self.from <= time && time <= self.to)
    }
}

/// What every block is searched for.
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

//! The memory that blocks are read into, handed round between threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The buffers that blocks are read into: no more than there were at first are kept. The one that was given back last is
/// taken first, since a processor's cache may still hold it. Each is also the room of one block: an empty one says that there is room.
pub(crate) struct Buffers {
    free: Mutex<Free>,
    given: Condvar,
    count: usize,
}

struct Free {
    /// `None` once they are closed.
    buffers: Option<Vec<Vec<u8>>>,
    /// How many threads wait for one. Waking costs a system call even if nobody waits, so it is left out then.
    waiting: usize,
}

impl Buffers {
    /// The whole capacity is reserved at once: pages that nobody touches cost no memory, and growing step by step costs more than
    /// reading the file.
    pub fn new(count: usize, capacity: usize) -> Self {
        let buffers = Some((0..count).map(|_| Vec::with_capacity(capacity)).collect());
        Buffers { free: Mutex::new(Free { buffers, waiting: 0 }), given: Condvar::new(), count }
    }

    /// A buffer, if one is free.
    pub fn take_free(&self) -> Option<Vec<u8>> {
        self.lock().buffers.as_mut()?.pop()
    }

    /// Waits for a buffer; `None` once they are closed.
    pub fn wait(&self) -> Option<Vec<u8>> {
        let mut free = self.lock();
        loop {
            if let Some(buffer) = free.buffers.as_mut()?.pop() {
                return Some(buffer);
            }
            free.waiting += 1;
            free = self.given.wait(free).unwrap_or_else(PoisonError::into_inner);
            free.waiting -= 1;
        }
    }

    pub fn give(&self, buffer: Vec<u8>) {
        let mut free = self.lock();
        if let Some(buffers) = free.buffers.as_mut()
            && buffers.len() < self.count
        {
            buffers.push(buffer);
        }
        if free.waiting > 0 {
            self.given.notify_one();
        }
    }

    pub fn close(&self) {
        self.lock().buffers = None;
        self.given.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Free> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

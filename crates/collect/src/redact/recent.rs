//! Texts that were seen lately.

use std::collections::HashSet;

/// Texts that were seen lately: those of two generations, so that what comes often stays.
#[derive(Debug, Default)]
pub(super) struct Recent {
    young: HashSet<Vec<u8>>,
    old: HashSet<Vec<u8>>,
}

impl Recent {
    /// Texts of a generation at most.
    const MANY: usize = 256;

    pub fn holds(&mut self, text: &[u8]) -> bool {
        if self.young.contains(text) {
            return true;
        }
        let found = self.old.take(text);
        found.map(|text| self.put(text)).is_some()
    }

    pub fn put(&mut self, text: Vec<u8>) {
        if self.young.len() == Self::MANY {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_lately_is_bounded_and_what_comes_often_stays() {
        let mut recent = Recent::default();
        recent.put(b"often".to_vec());
        for number in 0..4 * Recent::MANY {
            recent.put(number.to_string().into_bytes());
            assert!(recent.holds(b"often") && recent.young.len() + recent.old.len() <= 2 * Recent::MANY);
        }
        assert!(!recent.holds(b"0"));
    }
}

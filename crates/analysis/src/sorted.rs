//! Sorting, and what is made of sorted lists, with one copy of the standard library's sort for all types: each copy is some kilobytes of
//! what a card loads, and a `BTreeMap` that is collected has one, too.

use std::cmp::Ordering;

/// Which elements to swap, one pair after the other, so that a list of this length is sorted; equal ones stay in their order.
fn swaps(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<(usize, usize)> {
    // For each place, the element that belongs there.
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|one, other| compare(*one, *other));
    let mut swaps = Vec::new();
    for start in 0..count {
        let mut at = start;
        loop {
            let from = std::mem::replace(&mut order[at], at);
            if from == start {
                break;
            }
            swaps.push((at, from));
            at = from;
        }
    }
    swaps
}

/// Sorts a list as `sort_by` of the standard library does.
pub fn sort_by<T>(list: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    for (one, other) in swaps(list.len(), &|one, other| compare(&list[one], &list[other])) {
        list.swap(one, other);
    }
}

/// Sorts a list as `sort_by_key` of the standard library does. The key may be a part of the element.
pub fn sort_by_key<T, K: Ord>(list: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(list, |one, other| key(one).cmp(&key(other)));
}

/// The elements in order, each once.
pub fn distinct<T: Ord>(elements: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut list: Vec<T> = elements.into_iter().collect();
    sort_by(&mut list, T::cmp);
    list.dedup();
    list
}

/// The first element with each key, in the order in which they come.
pub fn firsts<T, K: PartialEq>(elements: impl IntoIterator<Item = T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut firsts: Vec<T> = Vec::new();
    for element in elements {
        if !firsts.iter().any(|known| key(known) == key(&element)) {
            firsts.push(element);
        }
    }
    firsts
}

/// What belongs to each key, by keys in order; of one key in the order in which it came.
pub fn groups<K: Ord, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Vec<(K, Vec<V>)> {
    let mut list: Vec<(K, V)> = pairs.into_iter().collect();
    sort_by(&mut list, |(one, _), (other, _)| one.cmp(other));
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    for (key, value) in list {
        match groups.last_mut() {
            Some((last, values)) if *last == key => values.push(value),
            _ => groups.push((key, vec![value])),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_list_is_sorted_as_the_standard_library_sorts_it(list: Vec<(u8, u16)>) {
            let (mut ours, mut theirs) = (list.clone(), list);
            sort_by_key(&mut ours, |(key, _)| key % 8);
            theirs.sort_by_key(|(key, _)| key % 8);
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn groups_and_distinct_elements_are_those_of_a_map(pairs: Vec<(u8, u16)>) {
            let mut map = std::collections::BTreeMap::<u8, Vec<u16>>::new();
            for (key, value) in &pairs {
                map.entry(*key).or_default().push(*value);
            }
            prop_assert_eq!(distinct(pairs.iter().map(|(key, _)| *key)), map.keys().copied().collect::<Vec<_>>());
            prop_assert_eq!(groups(pairs), map.into_iter().collect::<Vec<_>>());
        }
    }
}

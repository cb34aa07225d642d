//! What Synapse does with one-time keys, of whatever ids and keys: the model's own small ones, and those of recordings.

/// A one-time key that the server holds: its id, the key, and when it came.
pub type Row<I, K, T> = (I, K, T);

/// An upload of one-time keys. If the server holds another key under one of the ids, it refuses all of them; what it holds
/// already it leaves alone.
///
/// # Errors
/// The rows that are in the way.
pub fn upload<I: Clone + Eq, K: Clone + Eq, T: Copy>(
    rows: &mut Vec<Row<I, K, T>>,
    offered: &[(I, K)],
    now: T,
) -> Result<(), Vec<(I, K)>> {
    let held = |id: &I| rows.iter().find(|(held, ..)| held == id).map(|(_, key, _)| key);
    let in_the_way = offered.iter().filter_map(|(id, key)| {
        let other = held(id).filter(|held| *held != key)?;
        Some((id.clone(), other.clone()))
    });
    let in_the_way: Vec<(I, K)> = in_the_way.collect();
    if !in_the_way.is_empty() {
        return Err(in_the_way);
    }
    let new: Vec<Row<I, K, T>> =
        offered.iter().filter(|(id, _)| held(id).is_none()).map(|(id, key)| (id.clone(), key.clone(), now)).collect();
    rows.extend(new);
    Ok(())
}

/// The rows of which the next claim takes one: those that came first. Which of them, the database does not say.
pub fn claimable<I, K, T: Copy + Ord>(rows: &[Row<I, K, T>]) -> impl Iterator<Item = usize> {
    let first = rows.iter().map(|(.., came)| *came).min();
    rows.iter().enumerate().filter(move |(_, (.., came))| Some(*came) == first).map(|(at, _)| at)
}

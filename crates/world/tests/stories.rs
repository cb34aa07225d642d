//! Histories that were thought of before a search could find them.

use crypto_diag_world::judge::{self, Word};
use crypto_diag_world::keys::{Action, Asked, Keys, View, WHOLE};
use crypto_diag_world::search::Model;

fn judged(start: usize, path: &[Action], change: impl Fn(&mut View)) -> Vec<String> {
    let model = Keys::LARGE;
    let begin = model.begin().into_iter().nth(start).expect("a beginning");
    let state = path.iter().fold(begin, |state, action| model.step(&state, *action).unwrap_or_else(|| panic!("{action:?}")));
    let mut view = View { reports: 255, late: false, hars: 7, hars_from: 0, log: Some(WHOLE), tables: Some(Asked::AtTheEnd) };
    change(&mut view);
    let truths = model.truths(&state, &view);
    if let Ok(folder) = std::env::var("WORLDS_KEEP") {
        let folder = std::path::Path::new(&folder).join(format!("{}", path.len()));
        std::fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in model.files(&state, &view) { std::fs::write(folder.join(name), bytes).unwrap(); }
    }
    println!("truths {truths:?}");
    judge::verdicts(&model.files(&state, &view))
        .into_iter()
        .map(|said| { println!("{} {:?} {}", said.word.text(), said.claim, said.statement); said })
        .filter(|said| said.word == Word::Proven && !truths.contains(&said.claim))
        .map(|said| format!("{:?}", said.claim))
        .collect()
}

#[test]
fn an_idle_second_tab() {
    use Action::*;
    let path = [Open(0, 0), BackUp(0), Upload(0), Leave(0), SetBack(0), Open(0, 0), Upload(0), Open(1, 0), Wait, Wait];
    assert_eq!(judged(0, &path, |_| {}), Vec::<String>::new());
}
#[test]
fn clock() {
    use Action::*;
    let path = [Open(0, 0), Open(1, 0), Upload(1), Upload(0), Ask, Claim, Leave(1), Leave(0), SetClock(0), Open(0, 0), Upload(0), Wait];
    assert_eq!(judged(0, &path, |view| { view.log = Some((9, 255)); view.tables = Some(Asked::Then); }), Vec::<String>::new());
}
#[test]
fn twice() {
    use Action::*;
    let path = [Open(0, 0), Upload(0), BackUpServer, Claim, Wait, Wait, SetBackServer, Claim, Wait];
    assert_eq!(judged(0, &path, |_| {}), Vec::<String>::new());
}

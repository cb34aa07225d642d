use super::*;
use crate::answer::course::{Course, Pace};
use crate::answer::key_path::{Hop, KeyPath, KeyPaths, Step};
use crate::answer::questions::Coverage;
use crate::answer::story::Story;
use crate::answer::versions::Version;
use crate::bundle::{Artefact, ArtefactKind};
use crate::conclusion::{Conclusion, Question};
use crate::problem::{Place, Problem};
use crate::subject::Subject;
use crate::timeline::{Lane, Mark, Span, Timeline};
use crate::verdict::{Answer, ClockOf, Evidence, Fetch};

const HOSTILE: [&str; 10] = [
    "<script>fetch('//evil')</script>",
    "\"><img src=x onerror=alert(1)>",
    "</title></style></pre><svg onload=x>",
    "[click](javascript:alert(1)) ![i](//evil/p.png)",
    "```\n# heading\n@everyone #1 https://evil.example",
    "| a | b |\n|---|---|\n<details>",
    "\u{1b}[2J\u{7}\u{202e}gnp.exe",
    "&#60;b&#62; &lt;i&gt; `code` **bold** _it_ ~~x~~",
    "' onmouseover='x",
    "1. list - /close www.evil.example 1:100:1",
];

/// An answer in which every place that can hold foreign text holds some.
fn hostile(text: &str) -> Triage {
    let evidence = Evidence {
        artefact: text.into(),
        place: Place::Row { table: text.into(), row: 1 },
        at: Some(0),
        clock: ClockOf::Client,
        quote: text.into(),
        says: text.into(),
    };
    let fetch = vec![Fetch { artefact: ArtefactKind::Har, what: text.into(), how: text.into() }];
    let mut verdict =
        Verdict::example(Conclusion::Rollback, Answer::Unknown { fetch }, text).evidence([evidence]).how(text);
    verdict.would_refute.push(text.into());
    verdict.ruled_out.push(text.into());
    let proven = Verdict::example(Conclusion::Rollback, Answer::Proven, text);
    let mut remedies = crate::remediation::remedies(&crate::bundle::Bundle::new(), &[proven]);
    remedies.iter_mut().for_each(|remedy| {
        remedy.warnings.push(text.into());
        remedy.facts.push(text.into());
    });
    let step = |hop, answer| Step { hop, answer, says: text.into(), evidence: verdict.evidence.clone() };
    let path = KeyPath {
        about: text.into(),
        subject: Subject::default(),
        stopped_at: Some(Hop::Set),
        steps: vec![
            step(Hop::Made, Answer::Proven),
            step(Hop::Opened, verdict.answer.clone()),
            step(Hop::Set, Answer::Refuted),
        ],
    };
    let lane = Lane {
        name: text.into(),
        trouble: true,
        density: vec![1; crate::timeline::COLUMNS],
        total: 3,
        marks: vec![Mark { at: 5, text: text.into() }],
        spans: vec![Span { from: 1, to: 3, text: text.into() }],
    };
    Triage {
        schema: crate::SCHEMA_NAME,
        schema_version: 1,
        exit_code: 2,
        summary: text.into(),
        story: Story { sentence: text.into(), affected: vec![text.into()], causes: vec![0], ..Story::default() },
        questions: vec![Coverage {
            question: Question::Q1,
            covered: false,
            looked_at: vec![text.into()],
            proven: 0,
            refuted: 0,
            unknown: 1,
        }],
        course: Course {
            latency: vec![Pace { of: text.into(), minutes: Vec::new(), says: text.into() }],
            ..Course::default()
        },
        versions: vec![Version { of: text.into(), part: "browser", version: text.into() }],
        verdicts: vec![verdict],
        media_keys: KeyPaths { paths: vec![path.clone()], omitted: 3 },
        room_keys: KeyPaths { paths: vec![path], omitted: 1 },
        remedies,
        timeline: Timeline { from: 0, to: 10, lanes: vec![lane], notes: vec![text.into()] },
        artefacts: vec![Artefact { name: text.into(), kind: ArtefactKind::Other, used: false }],
        problems: vec![Problem { artefact: text.into(), place: Place::Whole, what: text.into() }],
    }
}

/// The tags of a page, without what stands between them.
fn tags(page: &str) -> Vec<String> {
    page.split('<').skip(1).map(|part| part.split('>').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn hostile_text_changes_no_tag_of_the_page() {
    let calm = tags(&html(&hostile("calm")));
    for text in HOSTILE {
        let page = html(&hostile(text));
        assert_eq!(tags(&page), calm, "{text}");
        assert!(!page.contains('\u{202e}') && !page.contains('\u{1b}'));
    }
    assert!(calm.iter().all(|tag| !tag.starts_with("script") && !tag.starts_with("link") && !tag.starts_with("img")));
}

#[test]
fn hostile_text_changes_no_structure_of_the_markdown() {
    // Every line begins as it does with calm text, but for those inside of code blocks.
    for text in HOSTILE {
        let markdown = markdown(&hostile(text));
        let mut fence: Option<String> = None;
        for line in markdown.lines() {
            let start = line.trim_start();
            let ticks: String = start.chars().take_while(|character| *character == '`').collect();
            match &fence {
                None if ticks.len() >= 3 => fence = Some(ticks),
                Some(open) if ticks.len() >= open.len() => fence = None,
                Some(_) => {}
                None => {
                    assert!(!start.trim_start_matches("- ").starts_with("1. "), "a list in {line}");
                    let line = line.replace("&#64;<!-- -->", "").replace("&#35;<!-- -->", "");
                    for bad in
                        ["<", "](", "`", "https://", "@everyone", "**bold", "~~", "\u{1b}", " /", "www.", ":100:"]
                    {
                        assert!(!line.contains(bad), "{bad} in {line}");
                    }
                }
            }
        }
        assert_eq!(fence, None, "a fence is left open by {text}");
    }
}

#[test]
fn what_markdown_leaves_alone_stays_readable_in_its_source() {
    let text = "Page of alice's device (KE-1, one_time_keys, 'and/or'): 22:54:59.137 UTC, version 0.1.0. So.";
    assert!(markdown(&hostile(text)).starts_with(&format!("# Triage\n\n**{text}**\n")));
}

#[test]
fn a_terminal_gets_no_control_characters() {
    for hostile_text in HOSTILE {
        let shown = text(&hostile(hostile_text));
        assert!(shown.chars().all(|character| character == '\n' || !character.is_control()), "{shown}");
    }
}

#[test]
fn every_format_shows_what_is_invisible_and_json_still_says_it() {
    let hidden = "a\u{61c}b\u{2028}c\u{200b}d\u{e0041}e";
    let triage = hostile(hidden);
    let json = json(&triage).unwrap();
    for shown in [text(&triage), markdown(&triage), html(&triage), json.clone()] {
        assert!(!shown.contains(|character| character != '\n' && crypto_diag_core::is_invisible(character)), "{shown}");
    }
    assert!(text(&triage).contains("a[U+061C]b[U+2028]c[U+200B]d[U+E0041]e"));
    assert!(json.contains(r"a\u061cb\u2028c\u200bd\udb40\udc41e"), "{json}");
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["summary"], hidden);
}

/// The exit is the last place: whatever field a token has come into, no format lets it out.
#[test]
fn no_field_of_an_answer_leaves_with_a_token_in_any_format() {
    const TOKEN: &str = "syt_YWxpY2U_kTqWvNzXcBmLpRtYgHjQ_2fG7hK";
    let triage = hostile(TOKEN);
    for shown in [text(&triage), markdown(&triage), html(&triage), json(&triage).unwrap()] {
        assert!(!shown.contains("kTqWvNzX"), "{shown}");
        assert!(shown.contains("[closed token ") || shown.contains("closed token 39"), "{shown}");
    }
}

#[test]
fn machines_get_what_people_get() {
    let triage = hostile("x");
    let value: serde_json::Value = serde_json::from_str(&json(&triage).unwrap()).unwrap();
    assert_eq!(value["schema"], "crypto-diag/triage");
    assert_eq!(value["verdicts"][0]["claim"], "rollback");
    assert_eq!(value["verdicts"][0]["is"], "unknown");
    assert_eq!(value["verdicts"][0]["fetch"][0]["artefact"], "har");
}

use std::collections::BTreeSet;

use super::*;
use crate::answer::course::{Course, Pace};
use crate::answer::key_path::{Hop, KeyPath, KeyPaths, Step};
use crate::answer::overlap::{Overlap, Overlaps};
use crate::answer::questions::Coverage;
use crate::answer::story::Story;
use crate::answer::versions::Version;
use crate::artefact::ArtefactKind;
use crate::bundle::Artefact;
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
    let mut remedies = crate::remediation::remedies(&crate::bundle::Bundle::new(), &[proven], &[]);
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
            overlaps: Overlaps {
                pairs: vec![Overlap {
                    of: [text.into(), text.into()],
                    messages: 1,
                    ahead_least: None,
                    ahead_most: Some(5),
                    overlaps: None,
                    at_least: None,
                    says: text.into(),
                }],
                omitted: 1,
                left_out: Some(text.into()),
            },
            latency: vec![Pace { of: text.into(), minutes: Vec::new(), routes: Vec::new(), says: text.into() }],
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

/// The tags of a page or a picture, without what stands between them.
fn tags(page: &str) -> Vec<String> {
    page.split('<').skip(1).map(|part| part.split('>').next().unwrap_or_default().to_owned()).collect()
}

/// A page with the picture taken out, and the picture.
fn parts(page: &str) -> (String, String) {
    let (before, rest) = page.split_once("<svg").expect("a picture");
    let (picture, after) = rest.split_once("</svg>").expect("its end");
    (format!("{before}{after}"), format!("<svg{picture}"))
}

/// The tags that a picture has, whatever their numbers: a long text has more lines, and each line is an element.
fn kinds_of_tags(picture: &str) -> BTreeSet<String> {
    let is_number = |character: char| character.is_ascii_digit() || character == '.';
    tags(picture).iter().map(|tag| tag.replace(is_number, "")).collect()
}

#[test]
fn hostile_text_changes_no_tag_of_the_page_and_of_the_picture() {
    const CALM: [&str; 2] = ["calm", "calm words of which there are so many that they stand in a second line"];
    let (calm, _) = parts(&html(&hostile(CALM[0])));
    let of_picture: BTreeSet<String> = CALM.iter().flat_map(|text| kinds_of_tags(&svg(&hostile(text)))).collect();
    for text in HOSTILE {
        let (page, picture) = (html(&hostile(text)), svg(&hostile(text)));
        let (rest, drawn) = parts(&page);
        assert_eq!(tags(&rest), tags(&calm), "{text}");
        for picture in [&*drawn, &*picture] {
            let new: Vec<String> = kinds_of_tags(picture).difference(&of_picture).cloned().collect();
            assert!(new.iter().all(|tag| tag.starts_with("svg ")), "{text}: {new:?}");
        }
        assert!(!page.contains('\u{202e}') && !page.contains('\u{1b}'));
        assert!(!picture.contains('\u{202e}') && !picture.contains('\u{1b}'));
    }
    let all = tags(&calm).into_iter().chain(of_picture);
    let outside = ["script", "link", "img", "image", "use", "a ", "foreignObject"];
    assert!(all.into_iter().all(|tag| outside.iter().all(|name| !tag.starts_with(name))));
}

#[test]
fn a_picture_refers_to_nothing_outside_and_has_no_character_that_xml_lacks() {
    let picture = svg(&hostile("a\u{0}b\u{b}c\u{fffe}d\u{ffff}e"));
    assert_eq!(picture.matches("http").count(), 1, "its namespace alone");
    assert!(!picture.contains("href") && !picture.contains("url(") && !picture.contains("@import"), "{picture}");
    assert!(picture.contains("a[U+0000]b[U+000B]c\u{fffd}d\u{fffd}e"), "{picture}");
}

#[test]
fn a_picture_says_in_words_what_a_pointer_would_show_and_counts_what_it_leaves_out() {
    let mut triage = hostile("x");
    let lane = |name: &str, from: i64| Lane {
        name: name.into(),
        total: 12,
        marks: (from..from + 12).map(|at| Mark { at, text: format!("event {at}") }).collect(),
        ..Lane::default()
    };
    triage.timeline = Timeline { from: 0, to: 100, lanes: vec![lane("first", 12), lane("second", 0)], notes: vec![] };
    let picture = svg(&triage);
    let place = |words: &str| picture.find(words).unwrap_or_else(|| panic!("{words}: {picture}"));
    assert!(place(">second: event 11<") < place(">first: event 12<"), "they stand by their time");
    assert!(!picture.contains("… and"), "{picture}");
    triage.timeline.lanes = (0..6).map(|number| lane(&format!("lane {number}"), number)).collect();
    assert!(svg(&triage).contains("… and 12 more"), "of 72, 60 are in words");
    triage.timeline = Timeline::default();
    assert!(svg(&triage).contains("Nothing that was given says when something happened."));
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

/// A folder of a hand-off may be given as a whole, and its files under other names: nothing is evidence of itself.
#[test]
fn no_answer_is_taken_for_evidence() {
    let quoted =
        "One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {\"key\":\"x\"}; new key: {\"key\":\"y\"}";
    let line = format!("2026-11-23 08:36:03,871 - a.b - 1 - INFO - GET-1 - {quoted}");
    let of = |text: &str| {
        let triage = hostile(text);
        [
            ("answer.json", json(&triage).expect("an answer is JSON")),
            ("answer.sarif", sarif(&triage).expect("an answer can be written")),
            ("answer.md", markdown(&triage)),
            ("answer.html", html(&triage)),
            ("timeline.svg", svg(&triage)),
        ]
    };
    for (name, answer) in of(quoted).into_iter().chain(of(&line)) {
        let head = &answer.as_bytes()[..answer.len().min(crate::artefact::HEAD_BYTES)];
        assert_eq!(ArtefactKind::guess(name, head), ArtefactKind::Other, "{name}");
        if name.ends_with(".json") || name.ends_with(".sarif") {
            assert_eq!(ArtefactKind::guess("found.json", head), ArtefactKind::Other, "{name} under another name");
        }
    }
    let picture = format!("<svg xmlns=\"http://www.w3.org/2000/svg\"><text>\n{line}\n</text></svg>");
    assert_eq!(ArtefactKind::guess("picture.SVG", picture.as_bytes()), ArtefactKind::Other);
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
    let (json, sarif) = (json(&triage).unwrap(), sarif(&triage).unwrap());
    for shown in [text(&triage), markdown(&triage), html(&triage), svg(&triage), sarif, json.clone()] {
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
    let documents = [json(&triage).unwrap(), sarif(&triage).unwrap()];
    for shown in [text(&triage), markdown(&triage), html(&triage), svg(&triage)].into_iter().chain(documents) {
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

/// A SARIF log's one run.
#[test]
fn each_format_says_that_ke3_and_ke4_are_independent_of_the_chain() {
    let mut triage = hostile("x");
    for form in [text, markdown, html] {
        let mut count = |question| {
            triage.questions[0].question = question;
            form(&triage).matches("Independent of KE").count()
        };
        assert_eq!(Question::ALL.map(&mut count), [0, 0, 1, 1]);
    }
}

fn run_of(triage: &Triage) -> serde_json::Value {
    let log: serde_json::Value = serde_json::from_str(&sarif(triage).unwrap()).unwrap();
    assert_eq!(log["version"], "2.1.0");
    log["runs"][0].clone()
}

#[test]
fn a_finding_is_as_bad_as_its_verdict_and_its_conclusion_say() {
    let unknown = Answer::Unknown { fetch: Vec::new() };
    for (conclusion, answer, kind, level) in [
        (Conclusion::Rollback, Answer::Proven, "fail", "error"),
        (Conclusion::Ke1Seen, Answer::Proven, "fail", "warning"),
        (Conclusion::Exhausted, Answer::Proven, "informational", "none"),
        (Conclusion::Rollback, Answer::Refuted, "pass", "none"),
        (Conclusion::Rollback, unknown, "open", "none"),
    ] {
        let mut triage = hostile("x");
        triage.verdicts = vec![Verdict::example(conclusion, answer, "x")];
        let run = run_of(&triage);
        let result = &run["results"][0];
        assert_eq!((&result["kind"], &result["level"]), (&kind.into(), &level.into()), "{result}");
        let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!((&rule["id"], &rule["shortDescription"]["text"]), (&result["ruleId"], &conclusion.title().into()));
    }
}

#[test]
fn findings_name_the_file_and_the_line_where_the_evidence_has_one() {
    let evidence = |artefact: &str, place: Place| Evidence {
        artefact: artefact.into(),
        place,
        at: Some(1_795_422_963_871),
        clock: ClockOf::Server,
        quote: "what stands there".into(),
        says: "what it says".into(),
    };
    let mut triage = hostile("x");
    triage.verdicts = vec![Verdict::example(Conclusion::Rollback, Answer::Proven, "x").evidence([
        evidence("logs/homeserver 1.log", Place::Line(7)),
        evidence("victim.har", Place::Entry(3)),
        evidence("x", Place::Line(0)),
    ])];
    triage.problems = vec![Problem::new("a.har", Place::LineColumn(2, 5), "it ends in the middle")];
    let run = run_of(&triage);
    let [first, entry, none] = [
        &run["results"][0]["locations"][0],
        &run["results"][0]["relatedLocations"][0],
        &run["results"][0]["relatedLocations"][1],
    ];
    let physical = &first["physicalLocation"];
    assert_eq!(physical["artifactLocation"]["uri"], "logs/homeserver%201.log");
    assert_eq!(physical["region"]["startLine"], 7);
    assert_eq!(physical["region"]["snippet"]["text"], "what stands there");
    assert_eq!(first["message"]["text"], "what it says");
    assert_eq!(first["properties"]["at"], "2026-11-23 08:36:03.871 UTC");
    assert_eq!(entry["logicalLocations"][0]["name"], "entry 3");
    assert!(entry["physicalLocation"].get("region").is_none() && none["physicalLocation"].get("region").is_none());
    let notification = &run["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(notification["locations"][0]["physicalLocation"]["region"]["startLine"], 2);
}

#[test]
fn a_finding_is_known_again_though_its_answer_its_words_and_its_storm_have_changed() {
    let fingerprint = |answer, about: &str, message_ids: &[&str]| {
        let mut verdict = Verdict::example(Conclusion::LostKey, answer, about);
        verdict.subject.message_ids = message_ids.iter().map(ToString::to_string).collect();
        let mut triage = hostile("x");
        triage.verdicts = vec![verdict];
        run_of(&triage)["results"][0]["partialFingerprints"]["conclusionAndSubject/v1"].as_str().unwrap().to_owned()
    };
    let once = fingerprint(Answer::Proven, "one", &["m1"]);
    assert_eq!(once, r#"lost-key {"messageIds":["m1"]}"#);
    assert_eq!(fingerprint(Answer::Refuted, "other", &["m1", "m2"]), once);
    assert_ne!(fingerprint(Answer::Proven, "one", &["m2"]), once);
}

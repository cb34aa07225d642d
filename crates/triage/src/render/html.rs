//! One page: verdict first, then evidence, then the picture. Self-contained, without a script, fit for print. Foreign text enters
//! through [`Markup`].

use crypto_diag_core::Clean;

use super::markup::Markup;
use super::{HopRow, by_question, key_tables, picture, standing, tree};
use crate::conclusion::CAUSE_AND_EFFECT;
use crate::remediation::NOTE;
use crate::stamp;
use crate::triage::Triage;
use crate::verdict::{Answer, Verdict};

const STYLE: &str = "\
:root{color-scheme:light dark;--proven:#b3261e;--unknown:#8a5a00;--refuted:#2e6b34;--soft:#8883}\
body{font:1rem/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.2rem;border-bottom:1px solid var(--soft)}\
.summary{font-size:1.15rem}article{border-left:.35rem solid;padding:.1rem 0 .1rem 1rem;margin:1rem 0;break-inside:avoid-page}\
.proven{border-color:var(--proven)}.unknown{border-color:var(--unknown)}.refuted{border-color:var(--refuted)}\
.word{font-weight:700;text-transform:uppercase;font-size:.85rem}\
.proven .word{color:var(--proven)}.unknown .word{color:var(--unknown)}.refuted .word{color:var(--refuted)}\
h3{font-size:1rem;margin:.3rem 0}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--soft);padding:.5rem;margin:.2rem 0 .8rem;font-size:.85rem}\
p,li,h3{overflow-wrap:anywhere}.where{font-size:.9rem}table{border-collapse:collapse}td,th{border:1px solid var(--soft);padding:.2rem .6rem;text-align:left;overflow-wrap:anywhere;min-width:5.5em}\
.wide{overflow-x:auto}svg{width:100%;min-width:50rem;height:auto}\
@media screen and (prefers-color-scheme:dark){:root{--proven:#ff8a80;--unknown:#ffcc66;--refuted:#8fd694}}\
@media(max-width:40rem){td,th{padding:.2rem .3rem;font-size:.85rem}}\
@media print{@page{margin:1.5cm}:root{color-scheme:light;font-size:11px}body{max-width:none;margin:0;padding:0}\
h2,h3,.word{break-after:avoid}tr,pre,svg{break-inside:avoid}svg{min-width:0}details::details-content{content-visibility:visible}}";

/// The answer as a page.
pub fn html(triage: &Triage) -> Clean {
    let mut page = Markup::default();
    page.markup("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
        .markup("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">")
        .markup("<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"referrer\" content=\"no-referrer\">")
        .markup("<title>Triage</title><style>")
        .markup(STYLE)
        .markup(picture::STYLE)
        .markup("</style></head><body><main><h1>Triage</h1>\n")
        .within("<p class=\"summary\">", &triage.summary, "</p>\n");
    faults_of_artefacts(&mut page, triage);
    chain(&mut page, triage);
    next(&mut page, triage);
    for (coverage, verdicts) in by_question(triage) {
        page.within("<section><h2>", coverage.question.text(), "</h2>\n");
        if let Some(sentence) = coverage.question.stands_alone() {
            page.within("<p class=\"where\">", sentence, "</p>\n");
        }
        for sentence in &coverage.looked_at {
            page.markup(if coverage.covered { "<p class=\"where\">" } else { "<p class=\"where unknown\">" });
            page.markup(standing(coverage)).markup(" ").text(sentence).markup("</p>\n");
        }
        let (refuted, rest): (Vec<&Verdict>, Vec<&Verdict>) =
            verdicts.into_iter().partition(|verdict| verdict.answer == Answer::Refuted);
        rest.into_iter().for_each(|verdict| add(&mut page, verdict));
        if !refuted.is_empty() {
            page.markup("<details><summary>").number(refuted.len() as u32).markup(" refuted</summary>\n");
            refuted.into_iter().for_each(|verdict| add(&mut page, verdict));
            page.markup("</details>\n");
        }
        page.markup("</section>\n");
    }
    paths(&mut page, triage);
    options(&mut page, triage);
    picture::section(&mut page, &triage.timeline);
    sources(&mut page, triage);
    page.markup("</main></body></html>\n");
    Clean::told(page.as_str())
}

/// What could not be read, before anything is said of the rest.
fn faults_of_artefacts(page: &mut Markup, triage: &Triage) {
    if triage.problems.is_empty() {
        return;
    }
    page.markup("<section><h2>Not as it should be</h2><ul>\n");
    for problem in &triage.problems {
        page.within("<li>", &problem.to_string(), "</li>\n");
    }
    page.markup("</ul></section>\n");
}

/// The picture of causes and effects: nested lists, so that it reads the same aloud.
fn chain(page: &mut Markup, triage: &Triage) {
    let tree = tree(triage);
    if tree.is_empty() {
        return;
    }
    page.markup("<section><h2>").text(CAUSE_AND_EFFECT).markup("</h2>\n");
    let mut depth = 0;
    page.markup("<ul class=\"chain\">");
    for branch in &tree {
        while depth < branch.depth {
            page.markup("<ul>");
            depth += 1;
        }
        while depth > branch.depth {
            page.markup("</ul>");
            depth -= 1;
        }
        page.within("<li><strong>", &branch.text(), "</strong>");
        if let Some(place) = branch.place() {
            page.within(" <span class=\"where\">", &place, "</span>");
        }
        page.markup("</li>\n");
    }
    while depth > 0 {
        page.markup("</ul>");
        depth -= 1;
    }
    page.markup("</ul>\n").within("<p>Affected: ", &triage.story.affected.join(", "), "</p></section>\n");
}

/// The one thing to fetch next.
fn next(page: &mut Markup, triage: &Triage) {
    let Some(next) = &triage.story.next else { return };
    page.markup("<section><h2>Next</h2><p>Fetch this next, since it can settle most of what is unknown (")
        .number(next.settles.len() as u32)
        .within("): ", &next.fetch.artefact.to_string(), ": ")
        .text(&next.fetch.what)
        .within("</p><pre>", &next.fetch.how, "</pre></section>\n");
}

fn add(page: &mut Markup, verdict: &Verdict) {
    let (class, word) = (verdict.answer.word(), verdict.word());
    page.within("<article class=\"", class, "\">").within("<span class=\"word\">", word, "</span> ");
    page.within("<h3>", verdict.conclusion.title(), "</h3>").within("<p>", &verdict.statement, "</p>\n");
    if !verdict.subject.message_ids.is_empty() {
        page.within("<p class=\"where\">Messages: ", &verdict.subject.message_ids.join(", "), "</p>\n");
    }
    for piece in &verdict.evidence {
        page.markup("<p class=\"where\">").text(&piece.artefact).markup(", ").text(&piece.place.to_string());
        if let Some(at) = piece.at {
            page.markup(", <time>").text(&stamp::print(at)).markup("</time>");
        }
        page.within(": ", &piece.says, "</p>").within("<pre>", &piece.quote, "</pre>\n");
    }
    if !verdict.ruled_out.is_empty()
        || !verdict.how.is_empty()
        || !verdict.otherwise().is_empty()
        || !verdict.would_refute.is_empty()
    {
        page.markup("<ul>");
        for text in &verdict.ruled_out {
            page.within("<li>ruled out: ", text, "</li>");
        }
        for text in verdict.otherwise() {
            page.within("<li>or else: ", text, "</li>");
        }
        for text in &verdict.how {
            page.within("<li>still open: ", text, "</li>");
        }
        for text in &verdict.would_refute {
            page.within("<li>would refute it: ", text, "</li>");
        }
        page.markup("</ul>\n");
    }
    if let Answer::Unknown { fetch } = &verdict.answer {
        for fetch in fetch {
            page.within("<p>To find out (", &fetch.artefact.to_string(), "): ").text(&fetch.what).within(
                "</p><pre>",
                &fetch.how,
                "</pre>\n",
            );
        }
    }
    page.markup("</article>\n");
}

/// How far each key came.
fn paths(page: &mut Markup, triage: &Triage) {
    for table in key_tables(triage) {
        page.within("<section><h2>", table.title, "</h2>\n");
        for path in &table.paths {
            page.within("<h3>", path.about, ": ").within("", &path.standing, "</h3>");
            page.markup("<table><tr><th>hop</th><th>is</th><th>why</th></tr>");
            for HopRow { hop, is, why } in &path.hops {
                page.markup("<tr><td>").markup(hop).markup("</td><td>").markup(is).within(
                    "</td><td>",
                    why,
                    "</td></tr>\n",
                );
            }
            page.markup("</table>\n");
        }
        table.left_out.iter().for_each(|text| {
            page.within("<p>", text, "</p>\n");
        });
        page.markup("</section>\n");
    }
}

fn options(page: &mut Markup, triage: &Triage) {
    if triage.remedies.is_empty() {
        return;
    }
    page.markup("<section><h2>Options</h2>").within("<p>", NOTE, "</p>\n");
    for remedy in &triage.remedies {
        page.markup("<h3>").number(remedy.rank).within(". ", remedy.title, "</h3>").within(
            "<p>",
            remedy.what,
            "</p><ul>",
        );
        page.within("<li>touches: ", remedy.blast_radius, "</li>").within("<li>costs: ", remedy.cost, "</li>");
        for text in &remedy.warnings {
            page.within("<li><strong>", text, "</strong></li>");
        }
        for text in &remedy.facts {
            page.within("<li>", text, "</li>");
        }
        for text in &remedy.because {
            page.within("<li>because: ", text, "</li>");
        }
        page.markup("</ul>\n");
    }
    page.markup("</section>\n");
}

fn sources(page: &mut Markup, triage: &Triage) {
    page.markup("<section><h2>Artefacts</h2><table><tr><th>file</th><th>kind</th><th>used</th></tr>");
    for artefact in &triage.artefacts {
        page.within("<tr><td>", &artefact.name, "</td>").within("<td>", &artefact.kind.to_string(), "</td>");
        page.markup(if artefact.used { "<td>yes</td></tr>" } else { "<td>no</td></tr>" });
    }
    page.markup("</table></section>\n");
    if triage.course.sentences().next().is_some() {
        page.markup("<section><h2>How it went on</h2><ul>\n");
        for sentence in triage.course.sentences() {
            page.within("<li>", sentence, "</li>\n");
        }
        page.markup("</ul></section>\n");
    }
    page.markup("<section>");
    if !triage.versions.is_empty() {
        page.markup("<h2>Versions</h2><table><tr><th>of</th><th>part</th><th>version</th></tr>");
        for version in &triage.versions {
            page.within("<tr><td>", &version.of, "</td>").markup("<td>").markup(version.part).within(
                "</td><td>",
                &version.version,
                "</td></tr>",
            );
        }
        page.markup("</table>\n");
    }
    page.markup("</section>\n");
}

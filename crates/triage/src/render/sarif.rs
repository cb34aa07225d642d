//! For tools that take findings: SARIF 2.1.0 (OASIS). A rule there is a conclusion here, and a result a verdict: a proven fault fails, what
//! is refuted passes, what is unknown is open.
//!
//! Foreign text enters through [`message`], and a file's name through [`file`].

use crypto_diag_core::Clean;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};

use super::{plain, written};
use crate::conclusion::Kind;
use crate::problem::Place;
use crate::proof::Premise;
use crate::rules::{self, Rule};
use crate::stamp;
use crate::triage::{SCHEMA_NAME, Triage};
use crate::verdict::{Answer, ClockOf, Evidence, Verdict};

/// The standard's own schema.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What the files' names are relative to.
const FILES: &str = "FILES";

/// What else than letters and digits a name has in an address.
const IN_A_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The fields' order is that of the file: whose it is stands in its head, so that nothing takes it for evidence.
#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    automation_details: Value,
    tool: Value,
    invocations: [Value; 1],
    original_uri_base_ids: Value,
    artifacts: Vec<Value>,
    results: Vec<Value>,
    properties: Value,
}

/// The answer as a SARIF log. Its results are the verdicts, in the answer's order.
///
/// # Errors
/// None in practice: every part of it can be written.
pub fn sarif(triage: &Triage) -> Result<Clean, serde_json::Error> {
    let mut artifacts = Vec::new();
    for artefact in &triage.artefacts {
        let properties = json!({"kind": artefact.kind, "used": artefact.used});
        let artifact = json!({"location": file(&artefact.name), "properties": properties});
        // Two files that were named one by one may have one name; the standard wants each entry once.
        if !artifacts.contains(&artifact) {
            artifacts.push(artifact);
        }
    }
    written(&Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            automation_details: json!({"id": format!("{SCHEMA_NAME}/")}),
            tool: json!({"driver": {
                "name": "crypto-diag",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules::ALL.iter().map(rule).collect::<Result<Vec<_>, _>>()?,
            }}),
            invocations: [invocation(triage)],
            original_uri_base_ids: json!({FILES: {"description": message("The folder that was judged; in a hand-off it is data/.")}}),
            artifacts,
            results: triage.verdicts.iter().map(result).collect::<Result<_, _>>()?,
            properties: json!({"story": triage.story, "questions": triage.questions}),
        }],
    })
}

/// A rule, with all of its premises.
fn rule(rule: &Rule) -> Result<Value, serde_json::Error> {
    let conclusion = rule.conclusion;
    let all = |premises: &[&Premise]| premises.iter().map(|premise| premise.says).collect::<Vec<_>>().join(" ");
    let refuted = match rule.refuted_by {
        [] => "It is never refuted.".to_owned(),
        premises => format!("It is refuted if all of this holds: {}", all(premises)),
    };
    let (_, level) = kind_and_level(&Answer::Proven, conclusion.kind());
    Ok(json!({
        "id": serde_json::to_value(conclusion)?,
        "name": format!("{conclusion:?}"),
        "shortDescription": message(conclusion.title()),
        "fullDescription": message(rule.argument),
        "help": message(&format!("It is proven if all of this holds: {} {refuted}", all(rule.proven_by))),
        "defaultConfiguration": {"level": level},
        "properties": {"family": conclusion.family().id(), "question": conclusion.question()},
    }))
}

/// What the standard calls the answer to a conclusion, and how bad that is. Only what fails has a level (3.27.10).
fn kind_and_level(answer: &Answer, kind: Kind) -> (&'static str, &'static str) {
    match (answer, kind) {
        (Answer::Proven, Kind::Fault) => ("fail", "error"),
        (Answer::Proven, Kind::Sighting) => ("fail", "warning"),
        (Answer::Proven, Kind::Notice) => ("informational", "none"),
        (Answer::Refuted, _) => ("pass", "none"),
        (Answer::Unknown { .. }, _) => ("open", "none"),
    }
}

fn result(verdict: &Verdict) -> Result<Value, serde_json::Error> {
    let (kind, level) = kind_and_level(&verdict.answer, verdict.conclusion.kind());
    let mut locations = verdict.evidence.iter().map(location);
    let first: Vec<Value> = locations.by_ref().take(1).collect();
    // What is elsewhere already stands only there.
    let mut properties = serde_json::to_value(verdict)?;
    if let Some(properties) = properties.as_object_mut() {
        properties.retain(|name, _| !matches!(name.as_str(), "claim" | "statement" | "evidence"));
    }
    let id = serde_json::to_value(verdict.conclusion)?;
    let known_by =
        format!("{} {}", id.as_str().unwrap_or_default(), serde_json::to_string(&verdict.subject.leading())?);
    Ok(json!({
        "ruleIndex": rules::ALL.iter().position(|rule| rule.conclusion == verdict.conclusion),
        "ruleId": id,
        "kind": kind,
        "level": level,
        "message": message(&verdict.statement),
        "locations": first,
        "relatedLocations": locations.collect::<Vec<_>>(),
        "partialFingerprints": {"conclusionAndSubject/v1": known_by},
        "properties": properties,
    }))
}

/// Where a piece of evidence stands, what stands there, and what that says.
fn location(piece: &Evidence) -> Value {
    let mut location = at(file(&piece.artefact), &piece.place);
    let quote = plain(&piece.quote, false);
    if let Some(region) = location["physicalLocation"].get_mut("region") {
        region["snippet"] = json!({"text": quote});
    }
    location["message"] = message(&piece.says);
    let clock = match piece.clock {
        ClockOf::Client => "client",
        ClockOf::Server => "server",
    };
    location["properties"] = json!({"quote": quote, "at": piece.at.map(stamp::print), "clock": clock});
    location
}

/// A place in a file. Only lines are places to the standard; an entry or a row is one by its name.
fn at(address: Value, place: &Place) -> Value {
    let mut location = json!({"physicalLocation": {"artifactLocation": address}});
    match place {
        Place::Line(line) | Place::LineColumn(line, _) if *line > 0 => {
            location["physicalLocation"]["region"] = json!({"startLine": line});
        }
        Place::Whole => {}
        place => location["logicalLocations"] = json!([{"name": plain(&place.to_string(), false)}]),
    }
    location
}

/// How it went, with what could not be read.
fn invocation(triage: &Triage) -> Value {
    let problems = triage.problems.iter().map(|problem| {
        json!({
            "level": "warning",
            "message": message(&problem.what),
            "locations": [at(file(&problem.artefact), &problem.place)],
        })
    });
    json!({
        "executionSuccessful": triage.exit_code < 3,
        "exitCode": triage.exit_code,
        "toolExecutionNotifications": problems.collect::<Vec<_>>(),
    })
}

/// A file by its name, as an address that leads out of no folder: where a part of it would, it is one part altogether.
fn file(name: &str) -> Value {
    let leads_out = name.split('/').any(|part| matches!(part, "" | "." | ".."));
    let encoded = |part: &str| utf8_percent_encode(part, IN_A_NAME).to_string();
    let uri = if leads_out { encoded(name) } else { name.split('/').map(encoded).collect::<Vec<_>>().join("/") };
    json!({"uri": uri, "uriBaseId": FILES})
}

/// Text that means only itself: braces would ask for arguments (3.11.5), and brackets before a parenthesis are a link (3.11.6).
fn message(text: &str) -> Value {
    let text = plain(text, false).replace('{', "{{").replace('}', "}}").replace("](", "] (");
    json!({"text": text})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_an_address_that_leads_out_of_no_folder() {
        for (name, uri) in [
            ("victim.report.json", "victim.report.json"),
            ("shake/logs 0.log", "shake/logs%200.log"),
            ("a:b#c?.log", "a%3Ab%23c%3F.log"),
            ("ü.log", "%C3%BC.log"),
            ("/dev/fd/63", "%2Fdev%2Ffd%2F63"),
            ("../../etc/passwd", "..%2F..%2Fetc%2Fpasswd"),
            ("C:\\x", "C%3A%5Cx"),
            ("", ""),
        ] {
            assert_eq!(file(name)["uri"], uri, "{name}");
        }
    }

    #[test]
    fn a_message_is_neither_a_link_nor_a_template() {
        assert_eq!(message("[a](javascript:b) {0} x\ny")["text"], "[a] (javascript:b) {{0}} x y");
    }
}

//! Findings for people and for programs, and the reference of the rules.

use super::allow::{Allowance, Outcome};
use super::rule::ALL;
use super::{Finding, Place};
use crate::json::Json;

/// For people: a finding in three lines, then how many there are.
pub fn text(outcome: &Outcome) -> String {
    let mut out = String::new();
    for finding in &outcome.findings {
        out.push_str(&format!(
            "{}: {} {}\n  {}\n  breaks: {}\n  remedy: {}\n\n",
            place(&finding.place),
            finding.rule.id,
            finding.element,
            finding.reason,
            finding.rule.breaks,
            finding.rule.remedy
        ));
    }
    for (finding, allowance) in &outcome.allowed {
        out.push_str(&format!(
            "{}: allowed: {} {}\n  {}\n  because: {}\n\n",
            place(&finding.place),
            finding.rule.id,
            finding.element,
            finding.reason,
            allowance.reason
        ));
    }
    for finding in &outcome.notices {
        out.push_str(&format!(
            "{}: notice: {} {}\n  {}\n  remedy: {}\n\n",
            place(&finding.place),
            finding.rule.id,
            finding.element,
            finding.reason,
            finding.rule.remedy
        ));
    }
    let count = |count: usize| match count {
        0 => "nothing that breaks anybody".to_owned(),
        1 => "1 finding".to_owned(),
        many => format!("{many} findings"),
    };
    out.push_str(&count(outcome.findings.len()));
    if !outcome.allowed.is_empty() {
        out.push_str(&format!(", {} allowed", outcome.allowed.len()));
    }
    match outcome.notices.len() {
        0 => {}
        1 => out.push_str(", 1 notice"),
        many => out.push_str(&format!(", {many} notices")),
    }
    out.push('\n');
    out
}

fn place(place: &Place) -> String {
    match (place.line, place.column) {
        (Some(line), Some(column)) => format!("{}:{line}:{column}", place.file),
        _ => place.file.clone(),
    }
}

/// For programs: `{"findings": [...], "allowed": [...], "notices": [...]}`.
pub fn json(outcome: &Outcome) -> String {
    let findings = outcome
        .findings
        .iter()
        .map(|finding| one(finding, None))
        .collect();
    let allowed = outcome
        .allowed
        .iter()
        .map(|(finding, allowance)| one(finding, Some(allowance)))
        .collect();
    let notices = outcome
        .notices
        .iter()
        .map(|finding| one(finding, None))
        .collect();
    let report = Json::object([
        ("findings", Json::List(findings)),
        ("allowed", Json::List(allowed)),
        ("notices", Json::List(notices)),
    ]);
    report.pretty() + "\n"
}

fn one(finding: &Finding, allowance: Option<&Allowance>) -> Json {
    let mut json = Json::object([
        ("rule", finding.rule.id.into()),
        ("group", finding.rule.group.into()),
        ("element", finding.element.as_str().into()),
        ("file", finding.place.file.as_str().into()),
        ("line", Json::Plain(finding.place.line.into())),
        ("column", Json::Plain(finding.place.column.into())),
        ("reason", finding.reason.as_str().into()),
        ("breaks", finding.rule.breaks.into()),
        ("remedy", finding.rule.remedy.into()),
    ]);
    if let Some(allowance) = allowance {
        json.put("allowed_because", allowance.reason.as_str());
    }
    json
}

/// The reference of the rules, in Markdown.
pub fn reference() -> String {
    let mut out = INTRODUCTION.to_owned();
    let mut group = "";
    for rule in ALL {
        if rule.group != group {
            group = rule.group;
            out.push_str(&format!("\n## {group}\n"));
        }
        out.push_str(&format!(
            "\n### {}\n\n{}\n\n- Whom it breaks: {}\n- Remedy: {}\n",
            rule.id, rule.means, rule.breaks, rule.remedy
        ));
    }
    out
}

const INTRODUCTION: &str = include_str!("report/introduction.md");

//! A sample that was looked at, as text.

use super::{Findings, Fit, Tally};
use crate::pages::words::number;

/// How many codes of a kind are told.
const CODES_MAX: usize = 12;
/// How many reasons for setting aside are told.
const REASONS_MAX: usize = 20;

/// The findings in words, without content.
#[must_use]
pub fn to_text(findings: &Findings) -> String {
    let contents = &findings.contents;
    let unreadable: u64 = contents.unreadable.values().sum();
    let mut lines = vec![format!("{} messages, {} that cannot be read", number(contents.messages), number(unreadable))];
    lines.extend(contents.unreadable.iter().map(|(what, count)| format!("  {} {what}", number(*count))));
    for (title, tally) in [
        ("HL7 version (MSH-12)", &contents.versions),
        ("processing id (MSH-11)", &contents.processing),
        ("read as", &contents.charsets),
        ("events (MSH-9)", &contents.events),
        ("identifiers (PID-3, authority^type)", &contents.identifiers),
        ("locations (PV1-3)", &contents.locations),
        ("results (OBX-3)", &contents.results),
        ("diagnoses (DG1-3, to the point)", &contents.diagnoses),
        ("orders (OBR-4, RF1-10)", &contents.orders),
    ] {
        lines.push(format!("{title}: {}", tally_text(tally)));
    }
    lines.push(String::new());
    lines.push("Profiles, by how many messages they recognise:".to_owned());
    lines.extend(findings.fits.iter().map(|fit| format!("  {}: {} of {}", fit.profile, number(fit.recognised), number(fit.patients))));
    if let Some(best) = findings.fits.first().filter(|fit| fit.recognised > 0) {
        lines.push(String::new());
        lines.extend(fit_lines(best));
    } else {
        lines.push("None fits: begin with a copy of the nearest one, and give it the identifiers above.".to_owned());
    }
    lines.push(String::new());
    lines.push("Told by their text are codes alone that stand in messages about three people or more.".to_owned());
    lines.join("\n")
}

fn tally_text(tally: &Tally) -> String {
    let (told, untold) = tally.told();
    if tally.total() == 0 {
        return "none".to_owned();
    }
    let mut parts: Vec<String> = told.iter().take(CODES_MAX).map(|(text, count)| format!("{text} ({})", number(*count))).collect();
    let more: u64 = told.iter().skip(CODES_MAX).map(|(_, count)| count).sum();
    for (count, what) in [(more, "less frequent"), (untold, "not told")] {
        if count > 0 {
            parts.push(format!("{} {what}", number(count)));
        }
    }
    parts.join(", ")
}

fn fit_lines(fit: &Fit) -> Vec<String> {
    let organisations = if fit.organisations.is_empty() { "no organisation".to_owned() } else { fit.organisations.join(", ") };
    let mut lines = vec![
        format!("With {}, for {organisations}, and nobody known before:", fit.profile),
        format!("  applied {}, of nobody's concern {}, set aside {}", number(fit.applied), number(fit.discarded), number(fit.set_aside)),
        format!("  NHS numbers in {}, verified in {}", number(fit.nhs_numbers), number(fit.nhs_verified)),
    ];
    if !fit.facts.is_empty() {
        let facts: Vec<String> = fit.facts.iter().map(|(words, count)| format!("{words} {}", number(*count))).collect();
        lines.push(format!("  {}", facts.join(", ")));
    }
    let mut reasons: Vec<_> = fit.reasons.iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), (*reason).clone()));
    if !reasons.is_empty() {
        lines.push("Why messages would be set aside:".to_owned());
    }
    for ((place, what), count) in reasons.into_iter().take(REASONS_MAX) {
        let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
        lines.push(format!("  {} {place}{what}", number(*count)));
    }
    lines.push(if fit.missing.is_empty() { "Nothing is missing that the rules need." } else { "What the rules would miss:" }.to_owned());
    lines.extend(fit.missing.iter().map(|sentence| format!("  {sentence}")));
    lines
}

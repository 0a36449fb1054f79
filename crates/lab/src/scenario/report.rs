//! Report of scenarios as one HTML file: steps, and a picture of what wrapped what, when.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use super::outcome::{Outcome, Sample};

/// Width of the picture, in pixels.
const WIDTH: usize = 960;
/// Height of the part that shows what wraps the drives.
const AREA: usize = 120;
/// Height of a row of marks.
const ROW: usize = 18;

/// Colours of master keys, distinguishable by the colour-blind (Okabe and Ito).
const COLOURS: [&str; 7] =
    ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442"];

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
padding:0 1rem;color:#1f2933;background:#fff}table{border-collapse:collapse;width:100%}\
td,th{text-align:left;padding:.25rem .5rem;border-bottom:1px solid #d9e2ec;vertical-align:top}\
.passed{color:#0b6e4f}.failed{color:#b00020}.fault td:first-child{border-left:4px solid #d55e00}\
code,.n{font-family:ui-monospace,monospace;font-size:.9em}.n{text-align:right}\
svg{width:100%;height:auto;margin:1rem 0}svg text{font:12px system-ui,sans-serif;fill:#52606d}";

/// The report of these outcomes.
pub fn html(outcomes: &[Outcome]) -> String {
    let passed = outcomes.iter().filter(|outcome| outcome.has_passed()).count();
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Scenarios of the \
         lab</title><style>{STYLE}</style></head><body><h1>Scenarios of the lab</h1>\
         <p>{passed} of {} passed.</p><table><tr><th>Scenario</th><th>Result</th></tr>",
        outcomes.len()
    );
    for outcome in outcomes {
        let _ = write!(
            text,
            "<tr><td><a href=\"#{0}\">{1}</a></td><td>{2}</td></tr>",
            escaped(&outcome.name),
            escaped(&outcome.title),
            verdict(outcome.has_passed())
        );
    }
    text.push_str("</table>");
    for outcome in outcomes {
        write_outcome(&mut text, outcome);
    }
    text.push_str("</body></html>\n");
    text
}

fn write_outcome(text: &mut String, outcome: &Outcome) {
    let _ = write!(
        text,
        "<h2 id=\"{0}\">{1}</h2><p>{2}</p>",
        escaped(&outcome.name),
        escaped(&outcome.title),
        escaped(outcome.story.trim())
    );
    write_picture(text, outcome);
    text.push_str("<table><tr><th>At</th><th>Step</th><th>Result</th><th>Took</th></tr>");
    for step in &outcome.steps {
        let class = if step.is_fault { " class=\"fault\"" } else { "" };
        let why = step.result.as_ref().err().map(|why| format!(": {}", escaped(why)));
        let _ = write!(
            text,
            "<tr{class}><td class=\"n\">{}</td><td>{}</td><td>{}{}</td>\
             <td class=\"n\">{}</td></tr>",
            seconds(step.at),
            escaped(&step.say),
            verdict(step.result.is_ok()),
            why.unwrap_or_default(),
            seconds(step.took)
        );
    }
    text.push_str("</table>");
}

/// Which master key wraps how many drives, over time, with the faults above and the KMIP messages
/// below.
fn write_picture(text: &mut String, outcome: &Outcome) {
    let end = outcome.steps.iter().map(|step| step.at.saturating_add(step.took)).max();
    let end = end.unwrap_or_default().max(Duration::from_millis(1));
    let x = |at: Duration| {
        let scaled = at.min(end).as_millis().saturating_mul(960);
        scaled.checked_div(end.as_millis()).unwrap_or_default()
    };
    let height = AREA.saturating_add(ROW.saturating_mul(3));
    let _ = write!(
        text,
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"What wrapped the drives\">"
    );
    for step in outcome.steps.iter().filter(|step| step.is_fault) {
        let _ = write!(
            text,
            "<line x1=\"{0}\" x2=\"{0}\" y1=\"0\" y2=\"{height}\" stroke=\"#d55e00\" \
             stroke-dasharray=\"4\"/><text x=\"{1}\" y=\"12\">fault</text>",
            x(step.at),
            x(step.at).saturating_add(4)
        );
    }
    let keys: BTreeSet<&String> =
        outcome.samples.iter().flat_map(|sample| sample.wrapped_by.keys()).collect();
    let keys: Vec<&String> = keys.into_iter().collect();
    let total = outcome.samples.iter().map(total).max().unwrap_or(1).max(1);
    for (at, sample) in outcome.samples.iter().enumerate() {
        let next = at.checked_add(1).and_then(|at| outcome.samples.get(at));
        let (from, to) = (x(sample.at), x(next.map_or(end, |next| next.at)));
        let mut y = ROW;
        for (key, count) in &sample.wrapped_by {
            let part = count.saturating_mul(AREA).checked_div(total).unwrap_or_default();
            let place = keys.iter().position(|known| *known == key).unwrap_or_default();
            let colour = COLOURS.iter().cycle().nth(place).copied().unwrap_or_default();
            let _ = write!(
                text,
                "<rect x=\"{from}\" y=\"{y}\" width=\"{}\" height=\"{part}\" fill=\"{colour}\">\
                 <title>{count} drives wrapped by {}</title></rect>",
                to.saturating_sub(from).max(1),
                escaped(key)
            );
            y = y.saturating_add(part);
        }
    }
    write_messages(text, outcome, ROW.saturating_add(AREA));
    for (place, key) in keys.iter().enumerate() {
        let colour = COLOURS.iter().cycle().nth(place).copied().unwrap_or_default();
        let (left, y) = (place.saturating_mul(160), height.saturating_sub(6));
        let short: String = key.chars().take(8).collect();
        let _ = write!(
            text,
            "<rect x=\"{left}\" y=\"{}\" width=\"10\" height=\"10\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"{y}\">key {}</text>",
            y.saturating_sub(10),
            left.saturating_add(16),
            escaped(&short)
        );
    }
    text.push_str("</svg>");
}

/// How many KMIP messages of each operation there were.
fn write_messages(text: &mut String, outcome: &Outcome, y: usize) {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for message in &outcome.messages {
        let items = message.get("items").and_then(Value::as_array);
        for item in items.into_iter().flatten() {
            let is_request = message.get("direction").is_some_and(|way| way == "request");
            if let Some(operation) = item.get("operation").and_then(Value::as_str)
                && is_request
            {
                let count = counts.entry(operation).or_default();
                *count = count.saturating_add(1);
            }
        }
    }
    let counts: Vec<_> =
        counts.iter().map(|(operation, count)| format!("{count} {operation}")).collect();
    let said = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
    let y = y.saturating_add(14);
    let _ = write!(text, "<text x=\"0\" y=\"{y}\">KMIP requests: {}</text>", escaped(&said));
}

fn total(sample: &Sample) -> usize {
    sample.wrapped_by.values().sum()
}

fn verdict(passed: bool) -> &'static str {
    match passed {
        true => "<span class=\"passed\">passed</span>",
        false => "<span class=\"failed\">failed</span>",
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// The text with what HTML reads as markup, and control characters, made harmless.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' => escaped.push('\n'),
            // Bidirectional controls turn what is around them.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                escaped.extend(c.escape_unicode());
            }
            c if c.is_control() => escaped.extend(c.escape_default()),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::html;
    use crate::scenario::outcome::{Outcome, Sample, StepOutcome};

    #[test]
    fn report_has_every_step_and_no_markup_of_others() {
        let step = |say: &str, result| StepOutcome {
            say: say.to_owned(),
            is_fault: true,
            result,
            at: Duration::from_millis(10),
            took: Duration::from_millis(20),
        };
        let wrapped_by = BTreeMap::from([("654fdfc8-aaaa".to_owned(), 12)]);
        let outcome = Outcome {
            name: "n".to_owned(),
            title: "<script>\u{202e}".to_owned(),
            story: "a & b".to_owned(),
            steps: vec![step("first", Ok(())), step("second", Err("\"why\"".to_owned()))],
            samples: vec![Sample { at: Duration::ZERO, wrapped_by, active: 12 }],
            messages: Vec::new(),
        };
        let html = html(&[outcome]);
        for part in ["first", "second", "&quot;why&quot;", "0 of 1 passed", "key 654fdfc8"] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("<script>") && !html.contains('\u{202e}'), "{html}");
    }
}

//! Tables of docs/personas.md: the personas by servers, and each failure.

use std::fmt::Write as _;

use serde_json::Value;

use super::file::Persona;

/// JSON report of one server.
pub(super) struct Report {
    server: String,
    personas: Vec<Value>,
}

impl Report {
    /// Reads the text of a report.
    pub(super) fn read(server: &str, text: &str) -> Result<Self, String> {
        let report: Value = serde_json::from_str(text).map_err(|why| why.to_string())?;
        let personas = report.get("personas").and_then(Value::as_array);
        let personas = personas.ok_or("it must be a report of `lab persona --json`")?.clone();
        Ok(Self { server: server.to_owned(), personas })
    }

    fn steps(&self, persona: &str) -> &[Value] {
        let named = |row: &&Value| row.get("name").and_then(Value::as_str) == Some(persona);
        let steps = self.personas.iter().find(named).and_then(|row| row.get("steps"));
        steps.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

/// The tables: personas by servers, the failures of each server, the sources.
pub(super) fn tables(personas: &[Persona], reports: &[Report]) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = overview(personas, reports, &mut out);
    for report in reports {
        let _ = failures(personas, report, &mut out);
    }
    let _ = sources(personas, &mut out);
    out
}

fn overview(personas: &[Persona], reports: &[Report], out: &mut String) -> std::fmt::Result {
    let servers: Vec<&str> = reports.iter().map(|report| report.server.as_str()).collect();
    writeln!(out, "| persona | product | KMIP | {} |", servers.join(" | "))?;
    writeln!(out, "|---|---|---{}|", "|---".repeat(reports.len()))?;
    for persona in personas {
        let (name, product) = (&persona.name, &persona.product);
        let cells: Vec<String> = reports.iter().map(|report| counts(report.steps(name))).collect();
        let version = persona.version;
        writeln!(out, "| {name} | {} | {version} | {} |", cell(product), cells.join(" | "))?;
    }
    let all = |report: &Report| {
        let passed = |persona: &&Persona| {
            let steps = report.steps(&persona.name);
            !steps.is_empty()
                && steps
                    .iter()
                    .all(|step| ["passed", "not needed"].contains(&text(step, "verdict")))
        };
        format!("**{} of {}**", personas.iter().filter(passed).count(), personas.len())
    };
    let cells: Vec<String> = reports.iter().map(all).collect();
    writeln!(out, "| **personas that pass** | | | {} |", cells.join(" | "))
}

/// Steps that passed, failed and were skipped.
fn counts(steps: &[Value]) -> String {
    let count =
        |verdict: &str| steps.iter().filter(|step| text(step, "verdict") == verdict).count();
    let passed = count("passed").saturating_add(count("not needed"));
    let (failed, skipped) = (count("failed"), count("skipped"));
    match (steps.len(), failed, skipped) {
        (0, ..) => "not played".to_owned(),
        (all, 0, 0) => format!("all {all}"),
        (_, failed, 0) => format!("{passed} passed, {failed} failed"),
        (_, failed, skipped) => format!("{passed} passed, {failed} failed, {skipped} skipped"),
    }
}

fn failures(personas: &[Persona], report: &Report, out: &mut String) -> std::fmt::Result {
    let mut rows = Vec::new();
    for persona in personas {
        for (number, step) in (1_usize..).zip(report.steps(&persona.name)) {
            let failures = step.get("failures").and_then(Value::as_array);
            for failure in failures.map_or(&[][..], Vec::as_slice) {
                let of = |name: &str| cell(text(failure, name));
                rows.push(format!(
                    "| {} | {number}: {} | {} | {} | {} |",
                    persona.name,
                    cell(text(step, "does")),
                    of("that"),
                    of("found"),
                    of("then")
                ));
            }
        }
    }
    writeln!(out, "\n### Failures of {}\n", report.server)?;
    if rows.is_empty() {
        return writeln!(out, "None.");
    }
    writeln!(out, "| persona | step | the product expects | and finds | then it |")?;
    writeln!(out, "|---|---|---|---|---|")?;
    rows.iter().try_for_each(|row| writeln!(out, "{row}"))
}

fn sources(personas: &[Persona], out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n### Sources\n")?;
    writeln!(out, "| persona | facts from | left out |")?;
    writeln!(out, "|---|---|---|")?;
    for persona in personas {
        let [sources, left_out] = [&persona.sources, &persona.left_out].map(|list| list.join("; "));
        writeln!(out, "| {} | {} | {} |", persona.name, cell(&sources), cell(&left_out))?;
    }
    Ok(())
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

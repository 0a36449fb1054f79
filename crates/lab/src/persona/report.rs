//! Report of personas, as text and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::file::{Persona, operations};
use super::play::{Failure, Outcome, StepOutcome, Verdict};

/// Report of one persona, for a person.
pub(super) fn text(outcome: &Outcome<'_>) -> String {
    let persona = outcome.persona;
    let mut out = format!("{}: {}, KMIP {}\n", persona.name, persona.product, persona.version);
    for (number, step) in (1..).zip(&outcome.steps) {
        // Writing to a string does not fail.
        let _ = step_text(number, step, &mut out);
    }
    let passed = outcome.steps.iter().filter(|step| step.verdict.is_good()).count();
    let _ = writeln!(out, "  {passed} of {} steps passed", outcome.steps.len());
    if !outcome.left.is_empty() {
        let _ = writeln!(out, "  objects that could not be destroyed: {:?}", outcome.left);
    }
    out
}

fn step_text(number: usize, step: &StepOutcome, out: &mut String) -> std::fmt::Result {
    let line = |word: &str| format!("  {word:<7} {number:>2}  {}", step.does);
    match &step.verdict {
        Verdict::Passed => writeln!(out, "{}", line("passed")),
        Verdict::NotNeeded => writeln!(out, "{} (not needed)", line("passed")),
        Verdict::Skipped(why) => writeln!(out, "{} ({why})", line("skipped")),
        Verdict::Failed(failures) => {
            writeln!(out, "{}", line("FAILED"))?;
            failures.iter().try_for_each(|Failure { that, found, then }| {
                let margin = " ".repeat(14);
                writeln!(out, "{margin}expected: {that}")?;
                writeln!(out, "{margin}found:    {found}")?;
                writeln!(out, "{margin}then:     {then}")
            })
        }
    }
}

/// Report of all personas, for a program.
pub(super) fn json(server: &str, outcomes: &[Outcome<'_>]) -> String {
    let personas: Vec<Value> = outcomes.iter().map(persona_json).collect();
    let report = json!({ "server": server, "personas": personas });
    format!("{report:#}\n")
}

fn persona_json(outcome: &Outcome<'_>) -> Value {
    let persona = outcome.persona;
    let steps = outcome.steps.iter().zip(&persona.steps).map(|(step, played)| {
        let (verdict, failures, reason) = match &step.verdict {
            Verdict::Passed => ("passed", Vec::new(), None),
            Verdict::NotNeeded => ("not needed", Vec::new(), None),
            Verdict::Failed(failures) => ("failed", failures.iter().map(failure).collect(), None),
            Verdict::Skipped(why) => ("skipped", Vec::new(), Some(why)),
        };
        json!({
            "does": step.does,
            "operations": operations(played),
            "verdict": verdict,
            "failures": failures,
            "reason": reason,
            "resumedTlsSession": step.resumed,
            "milliseconds": u64::try_from(step.milliseconds).unwrap_or(u64::MAX),
        })
    });
    json!({
        "name": persona.name,
        "product": persona.product,
        "version": persona.version.to_string(),
        "passed": outcome.has_passed(),
        "steps": steps.collect::<Vec<_>>(),
        "left": outcome.left,
    })
}

fn failure(failure: &Failure) -> Value {
    json!({ "that": failure.that, "found": failure.found, "then": failure.then })
}

/// The personas of this program, a line each.
pub(super) fn list(personas: &[Persona]) -> String {
    let width = personas.iter().map(|persona| persona.name.len()).max().unwrap_or_default();
    personas.iter().fold(String::new(), |mut out, persona| {
        let steps = persona.steps.len();
        let (name, version, product) = (&persona.name, persona.version, &persona.product);
        let _ = writeln!(out, "{name:<width$}  KMIP {version}  {steps:>2} steps  {product}");
        out
    })
}

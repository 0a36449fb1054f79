//! Plays a persona: sends its steps, and judges each answer as the product would.

use std::time::Instant;

use kmip::encoding::Element;
use zeroize::Zeroizing;

use super::cleanup::{Created, destroy};
use super::condition::Condition;
use super::file::{Connections, Persona, Step};
use super::message::{Answer, item_failure, item_text, pad, request};
use super::server::KeyServer;
use super::values::Values;

/// Result of a persona.
pub(super) struct Outcome<'a> {
    pub(super) persona: &'a Persona,
    pub(super) steps: Vec<StepOutcome>,
    /// Objects that could not be destroyed.
    pub(super) left: Vec<String>,
}

/// Result of a step.
pub(super) struct StepOutcome {
    pub(super) does: String,
    pub(super) verdict: Verdict,
    /// Whether its connection has resumed a TLS session.
    pub(super) resumed: bool,
    pub(super) milliseconds: u128,
}

/// Verdict on a step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    /// The product does not do it with such a server.
    NotNeeded,
    Failed(Vec<Failure>),
    /// It was not played, because of an earlier step.
    Skipped(String),
}

impl Verdict {
    /// Whether the product goes on.
    pub(super) fn is_good(&self) -> bool {
        match self {
            Self::Passed | Self::NotNeeded => true,
            Self::Failed(_) | Self::Skipped(_) => false,
        }
    }
}

/// An expectation that was not met.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// What the product expects.
    pub(super) that: String,
    /// What it finds.
    pub(super) found: String,
    /// What it does.
    pub(super) then: String,
}

impl Outcome<'_> {
    /// Whether each step has passed.
    pub(super) fn has_passed(&self) -> bool {
        self.steps.iter().all(|step| step.verdict.is_good())
    }
}

/// Plays a persona, and destroys what it has created. With `keep_going`, a failed step ends only
/// the steps that need its values.
pub(super) fn play<'a>(
    persona: &'a Persona,
    server: &mut dyn KeyServer,
    keep_going: bool,
) -> Outcome<'a> {
    let mut run = Run {
        persona,
        server,
        values: Values::generate(&persona.values),
        created: Created::default(),
    };
    let mut steps = Vec::new();
    let mut failed = None;
    for (number, step) in (1_usize..).zip(&persona.steps) {
        let begun = Instant::now();
        let (verdict, resumed) = match failed {
            Some(earlier) if !keep_going => {
                (Verdict::Skipped(format!("step {earlier} failed")), false)
            }
            Some(_) | None => run.step(step),
        };
        if matches!(verdict, Verdict::Failed(_)) {
            failed = failed.or(Some(number));
        }
        let (does, milliseconds) = (step.does.clone(), begun.elapsed().as_millis());
        steps.push(StepOutcome { does, verdict, resumed, milliseconds });
    }
    run.server.close();
    let left = destroy(persona, &run.created, run.server);
    Outcome { persona, steps, left }
}

/// A persona that is played.
struct Run<'a> {
    persona: &'a Persona,
    server: &'a mut dyn KeyServer,
    values: Values,
    created: Created,
}

impl Run<'_> {
    /// Plays a step; also returns whether a TLS session was resumed for it.
    fn step(&mut self, step: &Step) -> (Verdict, bool) {
        let mut resumed = false;
        if let Some((value, wanted)) = &step.when {
            match self.values.resolve(value) {
                Ok(value) if value.as_str() == wanted => {}
                Ok(_) => return (Verdict::NotNeeded, false),
                Err(name) => return (Verdict::Skipped(format!("{name} has no value")), false),
            }
        }
        if let Some(name) = self.missing_value(step) {
            return (Verdict::Skipped(format!("${name} has no value")), false);
        }
        for _ in 0..step.times {
            let bytes = match self.message(step) {
                Ok(bytes) => bytes,
                Err(why) => return (Verdict::Skipped(why), resumed),
            };
            let answer =
                self.server.exchange(&bytes).and_then(|frame| Answer::read(frame.as_slice()));
            resumed |= self.server.is_resumed();
            if answer.is_err() || self.persona.habits.connection == Connections::PerMessage {
                self.server.close();
            }
            let failures = match &answer {
                Ok(answer) => self.judge(step, answer),
                Err(why) => vec![self.failure(step, "the server answers", why, None)],
            };
            if !failures.is_empty() {
                return (Verdict::Failed(failures), resumed);
            }
        }
        (Verdict::Passed, resumed)
    }

    /// The message of a step. The error is a value that no earlier step has set.
    fn message(&self, step: &Step) -> Result<Zeroizing<Vec<u8>>, String> {
        let resolve = |elements: &[Element]| -> Result<Vec<Element>, String> {
            let resolved = elements.iter().map(|element| self.values.resolve_element(element));
            resolved.collect::<Result<_, _>>().map_err(|name| format!("{name} has no value"))
        };
        let (header, items) = (resolve(&self.persona.header)?, resolve(&step.items)?);
        let mut message = request(self.persona.version, &header, items);
        pad(&mut message, &self.persona.habits.count_padding);
        message.to_ttlv().map_err(|why| format!("the message cannot be written: {why}"))
    }

    /// Takes the values of an answer, and returns what the product does not find right.
    fn judge(&mut self, step: &Step, answer: &Answer) -> Vec<Failure> {
        self.created.note(answer);
        let mut missing = Vec::new();
        for (name, number, path) in &step.captures {
            let payload = answer.item(*number).ok().and_then(|item| item.child("ResponsePayload"));
            let found = payload.map(|payload| path.find(payload)).unwrap_or_default();
            match found.first().and_then(|element| element.text()) {
                Some(text) => self.values.set(name, text),
                None => missing.push(name),
            }
        }
        let mut failures: Vec<Failure> = self.judge_items(step, answer).into_iter().collect();
        for expected in &step.expectations {
            // The status of an item that has failed says more than what it lacks.
            if !failures.is_empty() && expected.condition.status_of().is_none() {
                continue;
            }
            if let Err(why) = expected.condition.check(answer, &self.values) {
                let then = expected.otherwise.as_deref();
                failures.push(self.failure(step, &expected.that, &why, then));
            }
        }
        if failures.is_empty() && !missing.is_empty() {
            let names: Vec<String> = missing.iter().map(|name| format!("${name}")).collect();
            let why = format!("nothing for {}", names.join(", "));
            failures.push(self.failure(step, "the answer has what is needed later", &why, None));
        }
        failures
    }

    /// The first item that is not as every client needs it: those after it may not be there.
    fn judge_items(&self, step: &Step, answer: &Answer) -> Option<Failure> {
        for (number, sent) in (1..).zip(&step.items) {
            let about = |condition: &Condition| condition.status_of() == Some(number);
            let is_expected = step.expectations.iter().any(|expected| about(&expected.condition));
            let succeeded = Condition::Succeeds(number).check(answer, &self.values);
            if let (false, Err(why)) = (is_expected, succeeded) {
                let operation = item_text(sent, "Operation");
                let that = match step.items.len() {
                    1 => format!("{operation} succeeds"),
                    _ => format!("item {number}, {operation}, succeeds"),
                };
                return Some(self.failure(step, &that, &why, None));
            }
            let echoes = answer.item(number).map(|came| check_echoes(sent, came));
            if let Ok(Err((that, why))) = echoes {
                return Some(self.failure(step, that, &why, None));
            }
        }
        None
    }

    /// A value that an expectation needs and that neither this answer nor an earlier one has.
    fn missing_value<'s>(&self, step: &'s Step) -> Option<&'s str> {
        let needed = step.expectations.iter().flat_map(|each| each.condition.value_names());
        let captured = |name: &str| step.captures.iter().any(|(known, ..)| known == name);
        let is_missing =
            |name: &&str| !captured(name) && self.values.resolve(&format!("${name}")).is_err();
        needed.into_iter().find(is_missing)
    }

    fn failure(&self, step: &Step, that: &str, found: &str, then: Option<&str>) -> Failure {
        Failure {
            that: that.to_owned(),
            found: self.values.redact(found),
            then: then.unwrap_or(&step.otherwise).to_owned(),
        }
    }
}

/// Checks what every client needs of an item: the operation and the number that it was sent with.
fn check_echoes(sent: &Element, came: &Element) -> Result<(), (&'static str, String)> {
    // A failed item may be one that the server could not read.
    if item_failure(came).is_none() && item_text(came, "Operation") != item_text(sent, "Operation")
    {
        let found = match item_text(came, "Operation") {
            "" => "no Operation".to_owned(),
            other => other.to_owned(),
        };
        return Err(("the item names its operation", found));
    }
    let number = item_text(sent, "UniqueBatchItemID");
    if item_text(came, "UniqueBatchItemID") != number {
        let found = match (number, item_text(came, "UniqueBatchItemID")) {
            ("", _) => "one that was not sent".to_owned(),
            (_, "") => "none".to_owned(),
            (_, other) => other.to_owned(),
        };
        return Err(("Unique Batch Item ID is echoed", found));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

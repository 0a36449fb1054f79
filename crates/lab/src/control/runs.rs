//! Scenarios that the controller runs, one at a time, against the lab's own cluster.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::switchboard::Switchboard;
use crate::scenario::play::{Faults, play};
use crate::scenario::{Outcome, Scenario, report};

/// Runs that are kept, the newest ones.
const RUNS_MAX: usize = 50;

/// The runs.
#[derive(Default)]
pub(super) struct Runs(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    last: u64,
    runs: Vec<Run>,
}

struct Run {
    number: u64,
    name: String,
    steps: Vec<RunStep>,
    ended: Option<Result<Outcome, String>>,
}

struct RunStep {
    say: String,
    result: Option<Result<(), String>>,
}

/// Why a scenario is not run.
#[derive(Debug)]
pub(super) enum NotRun {
    /// There is none of this name.
    Unknown(String),
    /// Another one is running.
    Busy,
}

impl Runs {
    /// Begins a run in the background, and returns its number.
    pub(super) fn begin(
        self: &Arc<Self>,
        name: &str,
        switchboard: Arc<Switchboard>,
    ) -> Result<u64, NotRun> {
        let known = Scenario::built_in().unwrap_or_default();
        let scenario = known.into_iter().find(|scenario| scenario.name == name);
        let scenario = scenario.ok_or_else(|| NotRun::Unknown(name.to_owned()))?;
        let mut kept = self.kept();
        if kept.runs.iter().any(|run| run.ended.is_none()) {
            return Err(NotRun::Busy);
        }
        kept.last = kept.last.saturating_add(1);
        let number = kept.last;
        let step =
            |step: &crate::scenario::file::Step| RunStep { say: step.say.clone(), result: None };
        let steps = scenario.step.iter().map(step).collect();
        kept.runs.push(Run { number, name: scenario.name.clone(), steps, ended: None });
        if kept.runs.len() > RUNS_MAX {
            kept.runs.remove(0);
        }
        drop(kept);
        let runs = Arc::clone(self);
        tokio::spawn(async move {
            let mut next = 0_usize;
            let mut tell = |_: &str, result: Option<&Result<(), String>>| {
                let Some(result) = result else { return };
                runs.change(number, |run| {
                    if let Some(step) = run.steps.get_mut(next) {
                        step.result = Some(result.clone());
                    }
                });
                next = next.saturating_add(1);
            };
            let cluster = &switchboard.targets.cluster;
            let outcome = play(&scenario, cluster, Faults::Played, &mut tell).await;
            runs.change(number, |run| run.ended = Some(outcome));
        });
        Ok(number)
    }

    /// All runs, the oldest first.
    pub(super) fn list(&self) -> Value {
        self.kept().runs.iter().map(Run::json).collect()
    }

    /// The run that has not ended, or null.
    pub(super) fn running(&self) -> Value {
        let kept = self.kept();
        kept.runs.iter().find(|run| run.ended.is_none()).map_or(Value::Null, Run::json)
    }

    /// Report of a run that has ended.
    pub(super) fn report(&self, number: u64) -> Option<String> {
        let kept = self.kept();
        let run = kept.runs.iter().find(|run| run.number == number)?;
        let outcome = run.ended.as_ref()?.as_ref().ok()?;
        Some(report::html(std::slice::from_ref(outcome)))
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Run)) {
        if let Some(run) = self.kept().runs.iter_mut().find(|run| run.number == number) {
            change(run);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run {
    fn json(&self) -> Value {
        let done = self.steps.iter().take_while(|step| step.result.is_some()).count();
        let steps = self.steps.iter().enumerate().map(|(at, step)| {
            let status = match &step.result {
                Some(Ok(())) => "passed",
                Some(Err(_)) => "failed",
                None if self.ended.is_none() && at == done => "running",
                None => "waiting",
            };
            let why = step.result.as_ref().and_then(|result| result.as_ref().err());
            json!({ "detail": why, "say": step.say, "status": status })
        });
        let has_report = matches!(self.ended, Some(Ok(_)));
        let path = format!("/lab/v1/runs/{}/report.html", self.number);
        json!({
            "detail": self.ended.as_ref().and_then(|ended| ended.as_ref().err()),
            "name": self.name,
            "report": has_report.then_some(path),
            "run": self.number,
            "status": match &self.ended {
                None => "running",
                Some(Ok(outcome)) if outcome.has_passed() => "passed",
                Some(_) => "failed",
            },
            "step": done,
            "steps": steps.collect::<Vec<_>>(),
        })
    }
}

/// The scenarios, as the interface lists them.
pub(super) fn scenarios() -> Value {
    let scenarios = Scenario::built_in().unwrap_or_default();
    let scenario = |scenario: Scenario| {
        let steps: Vec<_> = scenario.step.iter().map(|step| json!({ "say": step.say })).collect();
        json!({
            "name": scenario.name,
            "steps": steps,
            "story": scenario.story.trim(),
            "title": scenario.title,
        })
    };
    scenarios.into_iter().map(scenario).collect()
}

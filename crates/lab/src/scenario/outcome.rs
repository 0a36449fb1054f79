//! What came of a scenario.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

/// What came of a scenario.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its story.
    pub story: String,
    /// Its steps, as far as they were played.
    pub steps: Vec<StepOutcome>,
    /// What wrapped the drives over time.
    pub samples: Vec<Sample>,
    /// KMIP messages of the cluster during the scenario, as `GET /sim/v1/messages` lists them.
    pub messages: Vec<Value>,
}

/// What came of a step.
#[derive(Clone, Debug)]
pub struct StepOutcome {
    /// What happens.
    pub say: String,
    /// Whether it switched a fault on.
    pub is_fault: bool,
    /// Ok, or why it failed.
    pub result: Result<(), String>,
    /// From the beginning of the scenario to that of the step.
    pub at: Duration,
    /// How long it took.
    pub took: Duration,
}

/// How many drives each master key wraps, and how many serve, at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// From the beginning of the scenario.
    pub at: Duration,
    /// Drives by the master key that opens them.
    pub wrapped_by: BTreeMap<String, usize>,
    /// Drives that serve.
    pub active: usize,
}

impl Outcome {
    /// Whether all steps held.
    pub fn has_passed(&self) -> bool {
        self.steps.iter().all(|step| step.result.is_ok())
    }
}

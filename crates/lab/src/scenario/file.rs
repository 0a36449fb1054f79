//! Files of scenarios: steps that a person reads and writes.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

/// The scenarios that the program has in it.
const BUILT_IN: &[(&str, &str)] = &[
    ("migration", include_str!("../../scenarios/migration.toml")),
    ("back-to-internal", include_str!("../../scenarios/back-to-internal.toml")),
    ("another-key-manager", include_str!("../../scenarios/another-key-manager.toml")),
    ("key-server-down-at-boot", include_str!("../../scenarios/key-server-down-at-boot.toml")),
    ("certificate-expired", include_str!("../../scenarios/certificate-expired.toml")),
    ("power-loss", include_str!("../../scenarios/power-loss.toml")),
    ("node-away", include_str!("../../scenarios/node-away.toml")),
    ("key-destroyed", include_str!("../../scenarios/key-destroyed.toml")),
    ("lying-key-server", include_str!("../../scenarios/lying-key-server.toml")),
    ("wrong-client-certificate", include_str!("../../scenarios/wrong-client-certificate.toml")),
    ("lagging-replica", include_str!("../../scenarios/lagging-replica.toml")),
];

/// A scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name: that of its file.
    #[serde(skip)]
    pub name: String,
    /// What it shows, in a few words.
    pub title: String,
    /// The story, for somebody who watches.
    pub story: String,
    /// Its steps.
    pub step: Vec<Step>,
}

/// A step.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What happens, and why, in a sentence.
    pub say: String,
    /// What is done.
    #[serde(rename = "do")]
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Makes key pair, certificate, key provider and key server, and tests them.
    Prepare,
    /// Writes a pattern to every drive.
    WriteData,
    /// Reads the pattern of every drive back.
    VerifyData,
    /// Calls a method of Element.
    Call(Call),
    /// Sends a request to the simulator's own API.
    Simulator(SimulatorRequest),
    /// Switches a fault.
    Fault(Switch),
    /// Begins a rekey.
    Rekey(Rekey),
    /// Waits until all of these facts hold.
    Wait(Wait),
    /// Requires that all of these facts hold now.
    Check(Map<String, Value>),
    /// Destroys the current master key at the key server.
    DestroyCurrentKey,
}

/// A call of a method of Element. `$name` in a parameter is what was saved under the name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Name of the method.
    pub method: String,
    /// Its parameters.
    #[serde(default)]
    pub params: Map<String, Value>,
    /// Name of the error that it must end with; without it, it must succeed.
    pub error: Option<String>,
    /// What is saved of the result, by name: JSON pointers.
    #[serde(default)]
    pub save: Map<String, Value>,
}

/// A request to the simulator's own API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulatorRequest {
    /// HTTP method.
    pub method: String,
    /// Path, after `/sim/v1`.
    pub path: String,
    /// Body.
    #[serde(default)]
    pub body: Value,
}

/// A fault that is switched.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// Name of the fault.
    pub name: String,
    /// Whether it is on from now on.
    pub on: bool,
    /// Its parameters.
    #[serde(default)]
    pub parameters: Map<String, Value>,
}

/// A rekey.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rekey {
    /// `internal` or `external`.
    pub to: String,
    /// Key provider; without it, that of [`Action::Prepare`].
    pub provider: Option<Value>,
}

/// Facts that are waited for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// The facts.
    pub until: Map<String, Value>,
    /// For how long at most.
    #[serde(default = "within_default")]
    pub within_seconds: u64,
}

const fn within_default() -> u64 {
    60
}

impl Scenario {
    /// Reads a scenario from the text of its file.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let scenario: Self =
            toml::from_str(text).map_err(|why| format!("scenario {name}: {why}"))?;
        if scenario.step.is_empty() {
            return Err(format!("scenario {name} must have a step"));
        }
        Ok(Self { name: name.to_owned(), ..scenario })
    }

    /// The scenario of this name, or in this file, which ends in `.toml`.
    pub fn find(name: &str) -> Result<Self, String> {
        if name.ends_with(".toml") {
            let text = std::fs::read_to_string(name).map_err(|why| format!("{name}: {why}"))?;
            let stem = Path::new(name).file_stem().map(|stem| stem.to_string_lossy());
            return Self::parse(&stem.unwrap_or_default(), &text);
        }
        let found = BUILT_IN.iter().find(|(known, _)| *known == name);
        let (name, text) = found.ok_or_else(|| format!("scenario {name:?} not found"))?;
        Self::parse(name, text)
    }

    /// All scenarios that the program has in it.
    pub fn built_in() -> Result<Vec<Self>, String> {
        BUILT_IN.iter().map(|(name, text)| Self::parse(name, text)).collect()
    }

    /// Whether a step switches a fault on, or destroys a key.
    pub fn has_faults(&self) -> bool {
        self.step.iter().any(|step| step.action.is_fault())
    }
}

impl Action {
    /// Whether it is a fault that the scenario is about.
    pub fn is_fault(&self) -> bool {
        matches!(self, Self::Fault(Switch { on: true, .. }) | Self::DestroyCurrentKey)
    }
}

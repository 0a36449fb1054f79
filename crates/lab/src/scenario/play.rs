//! Plays a scenario against a running lab.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::facts::{current_key, differences, facts_of};
use super::file::{Action, Call, Rekey, Scenario, SimulatorRequest, Step, Switch, Wait};
use super::outcome::{Outcome, Sample, StepOutcome};
use crate::cluster::Cluster;

/// How often the state is looked at while a step waits.
const POLL: Duration = Duration::from_millis(40);

/// How long a step waits at most when the faults are left out: it is to fail.
const WITHOUT_FAULTS: Duration = Duration::from_secs(10);

/// Bytes of a block of a drive.
const BLOCK_LEN: usize = 4096;

/// Which steps are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faults {
    /// All.
    Played,
    /// All but those that are faults: then the scenario must fail.
    LeftOut,
}

/// Gets the sentence of a step, and its result once it has one.
pub type Narrator<'a> = dyn FnMut(&str, Option<&Result<(), String>>) + Send + 'a;

/// Plays a scenario; `tell` gets each step before it is played, and after it its result.
pub async fn play(
    scenario: &Scenario,
    cluster: &Cluster,
    faults: Faults,
    tell: &mut Narrator<'_>,
) -> Result<Outcome, String> {
    let state = cluster.must("GET", "/sim/v1/state", &Value::Null).await?;
    let messages = cluster.must("GET", "/sim/v1/messages?last=1", &Value::Null).await?;
    let last = messages.pointer("/messages/0/number").and_then(Value::as_u64).unwrap_or_default();
    let longest_wait = match faults {
        Faults::Played => Duration::MAX,
        Faults::LeftOut => WITHOUT_FAULTS,
    };
    let (begun, saved, samples) = (Instant::now(), BTreeMap::new(), Vec::new());
    let mut player = Player { cluster, begun, longest_wait, saved, samples };
    player.sample(&state);
    let mut steps = Vec::new();
    for step in &scenario.step {
        if faults == Faults::LeftOut && step.action.is_fault() {
            continue;
        }
        tell(&step.say, None);
        let outcome = player.step(scenario, step).await;
        tell(&step.say, Some(&outcome.result));
        let failed = outcome.result.is_err();
        steps.push(outcome);
        if failed {
            break;
        }
    }
    let _ = cluster.must("DELETE", "/lab/v1/faults", &Value::Null).await;
    let listed = cluster.must("GET", "/sim/v1/messages?last=2000", &Value::Null).await;
    let listed = listed.ok().and_then(|listed| listed.get("messages")?.as_array().cloned());
    let is_new = |message: &Value| {
        message.get("number").and_then(Value::as_u64).is_some_and(|number| number > last)
    };
    Ok(Outcome {
        name: scenario.name.clone(),
        title: scenario.title.clone(),
        story: scenario.story.clone(),
        steps,
        samples: player.samples,
        messages: listed.unwrap_or_default().into_iter().filter(is_new).collect(),
    })
}

struct Player<'a> {
    cluster: &'a Cluster,
    begun: Instant,
    longest_wait: Duration,
    /// What steps have saved, by name.
    saved: BTreeMap<String, Value>,
    samples: Vec<Sample>,
}

impl Player<'_> {
    async fn step(&mut self, scenario: &Scenario, step: &Step) -> StepOutcome {
        let at = self.begun.elapsed();
        let data = json!({ "scenario": scenario.name });
        self.cluster.note("scenario", &step.say, "", data).await;
        let result = self.act(&step.action).await;
        if let Ok(state) = self.state().await {
            self.sample(&state);
        }
        let took = self.begun.elapsed().saturating_sub(at);
        StepOutcome { say: step.say.clone(), is_fault: step.action.is_fault(), result, at, took }
    }

    async fn act(&mut self, action: &Action) -> Result<(), String> {
        match action {
            Action::Prepare => self.prepare().await,
            Action::WriteData => self.write_data().await,
            Action::VerifyData => self.verify_data().await,
            Action::Call(call) => self.call(call).await,
            Action::Simulator(SimulatorRequest { method, path, body }) => {
                let path = format!("/sim/v1{path}");
                self.cluster.must(method, &path, body).await.map(drop)
            }
            Action::Fault(Switch { name, on, parameters }) => {
                let body = json!({ "on": on, "parameters": parameters });
                let path = format!("/lab/v1/faults/{name}");
                self.cluster.must("PUT", &path, &body).await.map(drop)
            }
            Action::Rekey(rekey) => self.rekey(rekey).await,
            Action::Wait(wait) => self.wait(wait).await,
            Action::Check(facts) => {
                let state = self.state().await?;
                none_of(differences(facts, &facts_of(&state)))
            }
            Action::DestroyCurrentKey => self.destroy_current_key().await,
        }
    }

    async fn state(&self) -> Result<Value, String> {
        self.cluster.must("GET", "/sim/v1/state", &Value::Null).await
    }

    /// Calls a method that must succeed.
    async fn must_call(&self, method: &str, params: Value) -> Result<Value, String> {
        let answer = self.cluster.call(method, &params).await?;
        answer.map_err(|(name, message)| format!("{method}: {name}: {message}"))
    }

    async fn prepare(&mut self) -> Result<(), String> {
        self.must_call("CreatePublicPrivateKeyPair", json!({ "commonName": "lab-cluster" }))
            .await?;
        let request = self.must_call("GetClientCertificateSignRequest", json!({})).await?;
        let signed = self.cluster.must("POST", "/lab/v1/sign", &request).await?;
        let defaults = self.cluster.must("GET", "/lab/v1/defaults", &Value::Null).await?;
        let of = |value: &Value, name: &str| value.get(name).cloned().unwrap_or_default();
        let provider = json!({ "keyProviderName": of(&defaults, "providerName") });
        let provider = self.must_call("CreateKeyProviderKmip", provider).await?;
        let provider = of(&of(&provider, "kmipKeyProvider"), "keyProviderID");
        let server = json!({
            "kmipCaCertificate": of(&signed, "kmipCaCertificate"),
            "kmipClientCertificate": of(&signed, "kmipClientCertificate"),
            "kmipKeyServerHostnames": [of(&defaults, "hostname")],
            "kmipKeyServerName": of(&defaults, "keyServerName"),
            "kmipKeyServerPort": of(&defaults, "port"),
        });
        let created = self.must_call("CreateKeyServerKmip", server).await?;
        let server = of(&of(&created, "kmipKeyServer"), "keyServerID");
        let added = json!({ "keyProviderID": provider, "keyServerID": server });
        self.must_call("AddKeyServerToProviderKmip", added).await?;
        self.must_call("TestKeyProviderKmip", json!({ "keyProviderID": provider })).await?;
        for (name, value) in [
            ("keyProviderID", provider),
            ("keyServerID", server),
            ("hostname", of(&defaults, "hostname")),
            ("port", of(&defaults, "port")),
            ("caCertificate", of(&signed, "kmipCaCertificate")),
            ("clientCertificate", of(&signed, "kmipClientCertificate")),
        ] {
            self.saved.insert(name.to_owned(), value);
        }
        Ok(())
    }

    /// Drives that serve, or would if they were unlocked.
    async fn drives(&self) -> Result<Vec<u64>, String> {
        let state = self.state().await?;
        let nodes = state.get("nodes").and_then(Value::as_array).cloned().unwrap_or_default();
        let drives = nodes.iter().filter_map(|node| node.get("drives")?.as_array()).flatten();
        Ok(drives.filter_map(|drive| drive.get("driveID")?.as_u64()).collect())
    }

    async fn write_data(&self) -> Result<(), String> {
        for drive in self.drives().await? {
            let path = format!("/sim/v1/drives/{drive}/blocks/0");
            let (status, body) = self.cluster.raw("PUT", &path, &pattern(drive)).await?;
            if status != 200 {
                return Err(format!("drive {drive}: {}", String::from_utf8_lossy(&body)));
            }
        }
        Ok(())
    }

    async fn verify_data(&self) -> Result<(), String> {
        for drive in self.drives().await? {
            let path = format!("/sim/v1/drives/{drive}/blocks/0");
            let (status, body) = self.cluster.raw("GET", &path, b"").await?;
            match status {
                200 if body == pattern(drive) => {}
                200 => return Err(format!("drive {drive} has other data than was written")),
                _ => return Err(format!("drive {drive}: {}", String::from_utf8_lossy(&body))),
            }
        }
        Ok(())
    }

    async fn call(&mut self, call: &Call) -> Result<(), String> {
        let params = self.filled(&Value::Object(call.params.clone()));
        let answer = self.cluster.call(&call.method, &params).await?;
        let result = match (answer, &call.error) {
            (Ok(result), None) => result,
            (Ok(_), Some(error)) => return Err(format!("it succeeded, wanted {error}")),
            (Err((name, _)), Some(error)) if name == *error => return Ok(()),
            (Err((name, message)), _) => return Err(format!("{name}: {message}")),
        };
        for (name, pointer) in &call.save {
            let pointer = pointer.as_str().unwrap_or_default();
            let value = result.pointer(pointer).ok_or_else(|| format!("{pointer} is missing"))?;
            self.saved.insert(name.clone(), value.clone());
        }
        Ok(())
    }

    async fn rekey(&mut self, rekey: &Rekey) -> Result<(), String> {
        let mut params = json!({ "keyManagementType": rekey.to });
        if rekey.to == "external" {
            let provider = rekey.provider.clone().unwrap_or_else(|| json!("$keyProviderID"));
            if let Some(members) = params.as_object_mut() {
                members.insert("keyProviderID".to_owned(), self.filled(&provider));
            }
        }
        self.must_call("RekeySoftwareEncryptionAtRestMasterKey", params).await.map(drop)
    }

    async fn wait(&mut self, wait: &Wait) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            let state = self.state().await?;
            self.sample(&state);
            let differences = differences(&wait.until, &facts_of(&state));
            if differences.is_empty() {
                return Ok(());
            }
            let within = Duration::from_secs(wait.within_seconds).min(self.longest_wait);
            if begun.elapsed() > within {
                return Err(format!("not within {within:?}: {}", differences.join("; ")));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn destroy_current_key(&self) -> Result<(), String> {
        let state = self.state().await?;
        let key_id = current_key(&state).ok_or("the cluster has no current master key")?;
        let server = self.saved.get("keyServerID").ok_or("no step has prepared a key server")?;
        let path = format!("/sim/v1/key-servers/{server}/objects");
        let listed = self.cluster.must("GET", &path, &Value::Null).await?;
        let objects = listed.get("objects").and_then(Value::as_array).cloned().unwrap_or_default();
        let found = objects.iter().find(|object| {
            let is = |name, value: &str| object.get(name).is_some_and(|found| found == value);
            is("keyID", &key_id) && is("state", "Active")
        });
        let identifier = found.and_then(|object| object.get("uniqueIdentifier")?.as_str());
        let identifier = identifier.ok_or_else(|| format!("no object is master key {key_id}"))?;
        let path = format!("{path}/{identifier}/destroy");
        self.cluster.must("POST", &path, &json!({ "confirm": identifier })).await.map(drop)
    }

    /// The value with what was saved in the place of `$name`.
    fn filled(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let saved = text.strip_prefix('$').and_then(|name| self.saved.get(name));
                saved.cloned().unwrap_or_else(|| value.clone())
            }
            Value::Array(items) => items.iter().map(|item| self.filled(item)).collect(),
            Value::Object(members) => {
                let filled = members.iter().map(|(name, v)| (name.clone(), self.filled(v)));
                Value::Object(filled.collect::<Map<_, _>>())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// Notes what wraps the drives now, if that is news.
    fn sample(&mut self, state: &Value) {
        let nodes = state.get("nodes").and_then(Value::as_array).cloned().unwrap_or_default();
        let drives = nodes.iter().filter_map(|node| node.get("drives")?.as_array()).flatten();
        let (mut wrapped_by, mut active) = (BTreeMap::<String, usize>::new(), 0_usize);
        for drive in drives {
            let newest = drive.get("wrappings").and_then(Value::as_array).and_then(|w| w.last());
            if let Some(key) = newest.and_then(Value::as_str) {
                let count = wrapped_by.entry(key.to_owned()).or_default();
                *count = count.saturating_add(1);
            }
            active = active
                .saturating_add(usize::from(drive.get("state").is_some_and(|s| s == "active")));
        }
        let sample = Sample { at: self.begun.elapsed(), wrapped_by, active };
        let is_news = self.samples.last().is_none_or(|last| {
            (&last.wrapped_by, last.active) != (&sample.wrapped_by, sample.active)
        });
        if is_news {
            self.samples.push(sample);
        }
    }
}

fn none_of(differences: Vec<String>) -> Result<(), String> {
    match differences.is_empty() {
        true => Ok(()),
        false => Err(differences.join("; ")),
    }
}

/// The block that is written to a drive.
fn pattern(drive: u64) -> Vec<u8> {
    format!("data of drive {drive}. ").bytes().cycle().take(BLOCK_LEN).collect()
}

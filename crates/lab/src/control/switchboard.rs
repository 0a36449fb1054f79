//! The faults that are on, and how each is switched and counted where it acts.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use super::catalogue::{Act, Clock, Fault, catalogue};
use super::clock;
use super::parameters::{self, Values};
use super::proxy::Proxy;
use crate::cluster::Cluster;

/// Beginning of the names of the rules that the controller adds.
const RULE_PREFIX: &str = "lab-";

/// What the controller switches.
pub(super) struct Targets {
    pub(super) cluster: Cluster,
    pub(super) proxy: Option<Proxy>,
    pub(super) cluster_clock: Option<PathBuf>,
    pub(super) key_server_clock: Option<PathBuf>,
}

/// All faults, and which of them are on.
pub(super) struct Switchboard {
    pub(super) targets: Targets,
    faults: Vec<Fault>,
    switched: Mutex<BTreeMap<String, Switched>>,
}

/// What is known of a fault that was switched.
#[derive(Clone, Debug, Default)]
struct Switched {
    on: bool,
    values: Values,
    /// How often it acted in earlier times that it was on.
    fired_before: u64,
    /// How often it was seen to act since it is on.
    fired: u64,
    matched: Option<u64>,
}

/// Why a fault is not switched.
#[derive(Debug)]
pub(super) enum NotSwitched {
    /// There is none of this name.
    Unknown(String),
    /// A parameter is not allowed, or the fault is not available.
    Refused(String),
    /// What it acts on did not do it.
    Failed(String),
}

impl Switchboard {
    pub(super) fn new(targets: Targets) -> Arc<Self> {
        Arc::new(Self { targets, faults: catalogue(), switched: Mutex::default() })
    }

    /// All faults, with their counts of now.
    pub(super) async fn list(&self) -> Value {
        self.count().await;
        let switched = self.switched.lock().await;
        self.faults.iter().map(|fault| self.json(fault, switched.get(&fault.name))).collect()
    }

    /// Switches a fault on, with these parameters, or off.
    pub(super) async fn switch(
        &self,
        name: &str,
        on: bool,
        given: &Map<String, Value>,
    ) -> Result<Value, NotSwitched> {
        let fault = self.faults.iter().find(|fault| fault.name == name);
        let fault = fault.ok_or_else(|| NotSwitched::Unknown(name.to_owned()))?;
        let values = parameters::values(fault.parameters, given).map_err(NotSwitched::Refused)?;
        if let Some(why) = self.unavailable(fault) {
            return Err(NotSwitched::Refused(why));
        }
        self.count().await;
        let mut switched = self.switched.lock().await;
        if on {
            self.make_room(fault, &mut switched).await.map_err(NotSwitched::Failed)?;
        }
        let known = switched.entry(fault.name.clone()).or_default();
        let values = if on { values } else { known.values.clone() };
        if on || known.on {
            self.act(fault, on, &values).await.map_err(NotSwitched::Failed)?;
        }
        known.fired_before = known.fired_before.saturating_add(known.fired);
        // Power and clocks act when they are switched.
        known.fired = u64::from(on && matches!(fault.act, Act::Power | Act::Clock(_)));
        (known.on, known.values) = (on, values);
        let shown = self.json(fault, Some(known));
        drop(switched);
        let title = format!("Fault {}: {}", if on { "on" } else { "off" }, fault.title);
        let data = json!({ "name": fault.name, "on": on, "parameters": shown.get("parameters") });
        self.targets.cluster.note("fault", &title, &fault.text, data).await;
        Ok(shown)
    }

    /// Switches every fault off. The first failure does not hold up the others.
    pub(super) async fn switch_all_off(&self) -> Result<(), NotSwitched> {
        let on: Vec<_> = {
            let switched = self.switched.lock().await;
            switched.iter().filter(|(_, known)| known.on).map(|(name, _)| name.clone()).collect()
        };
        let mut outcome = Ok(());
        for name in on {
            if let Err(why) = self.switch(&name, false, &Map::new()).await {
                outcome = Err(why);
            }
        }
        outcome
    }

    /// Reads how often the faults have acted, and notes those that acted for the first time.
    pub(super) async fn count(&self) {
        let mut switched = self.switched.lock().await;
        if !switched.values().any(|known| known.on) {
            return;
        }
        let set = switched.get("method-error").and_then(|known| known.values.get("method"));
        let counts = self.counts(set.cloned()).await;
        let mut acted = Vec::new();
        for fault in &self.faults {
            let Some(known) = switched.get_mut(&fault.name).filter(|known| known.on) else {
                continue;
            };
            let Some((matched, fired)) = counts.get(&fault.name) else { continue };
            if known.fired == 0 && *fired > 0 {
                acted.push(fault);
            }
            (known.matched, known.fired) = (*matched, *fired);
        }
        drop(switched);
        for fault in acted {
            let (title, data) =
                (format!("Fault acted: {}", fault.title), json!({ "name": fault.name }));
            self.targets.cluster.note("fault", &title, &fault.text, data).await;
        }
    }

    /// How often the faults that are on matched and acted, by name; what is away has no counts.
    /// `method` is the one whose error is set.
    async fn counts(&self, method: Option<Value>) -> BTreeMap<String, (Option<u64>, u64)> {
        let mut counts = BTreeMap::new();
        let number = |value: &Value, member: &str| value.get(member).and_then(Value::as_u64);
        if let Some(proxy) = &self.targets.proxy {
            let rules = proxy.must("GET", "/rules", &Value::Null).await.unwrap_or_default();
            for rule in rules.as_array().into_iter().flatten() {
                let name = rule.get("name").and_then(Value::as_str).unwrap_or_default();
                if let Some(name) = name.strip_prefix(RULE_PREFIX) {
                    let fired = number(rule, "fired").unwrap_or_default();
                    counts.insert(name.to_owned(), (number(rule, "matched"), fired));
                }
            }
            let shown = proxy.must("GET", "/certificate", &Value::Null).await.unwrap_or_default();
            let name = shown.get("name").and_then(Value::as_str).unwrap_or_default();
            for fault in &self.faults {
                if matches!(fault.act, Act::Certificate(certificate) if certificate == name) {
                    let fired = number(&shown, "handshakes").unwrap_or_default();
                    counts.insert(fault.name.clone(), (None, fired));
                }
            }
        }
        let errors = self.targets.cluster.must("GET", "/sim/v1/method-errors", &Value::Null).await;
        let errors = errors.unwrap_or_default();
        let errors = errors.get("methodErrors").and_then(Value::as_array).cloned();
        let own = errors.into_iter().flatten().find(|error| error.get("method") == method.as_ref());
        if let Some(error) = own {
            let fired = number(&error, "fired").unwrap_or_default();
            counts.insert("method-error".to_owned(), (None, fired));
        }
        counts
    }

    /// Switches off what cannot be on at the same time: a listener shows one certificate, and a
    /// fault that is on already is switched anew.
    async fn make_room(
        &self,
        fault: &Fault,
        switched: &mut BTreeMap<String, Switched>,
    ) -> Result<(), String> {
        for other in &self.faults {
            let excludes = other.name == fault.name
                || matches!((&fault.act, &other.act), (Act::Certificate(_), Act::Certificate(_)));
            let Some(known) = switched.get_mut(&other.name).filter(|known| known.on) else {
                continue;
            };
            if excludes {
                self.act(other, false, &known.values).await?;
                known.on = false;
            }
        }
        Ok(())
    }

    /// Switches a fault where it acts.
    async fn act(&self, fault: &Fault, on: bool, values: &Values) -> Result<(), String> {
        let cluster = &self.targets.cluster;
        match &fault.act {
            Act::Rule(template) => {
                let proxy = self.proxy()?;
                let name = format!("{RULE_PREFIX}{}", fault.name);
                // It may be gone: a proxy that was started again has no rules. And it may be there:
                // a controller that was started again knows of none.
                let path = format!("/rules/{name}");
                let (status, _) = proxy.send("DELETE", &path, &json!({})).await?;
                if !matches!(status, 200 | 404) {
                    return Err(format!(
                        "kmip-proxy answered {status} and did not remove the rule"
                    ));
                }
                if !on {
                    return Ok(());
                }
                let mut rule = parameters::filled(template, values)?;
                if let Some(members) = rule.as_object_mut() {
                    members.insert("name".to_owned(), name.into());
                }
                proxy.must("POST", "/rules", &rule).await.map(drop)
            }
            Act::Certificate(name) => {
                let name = if on { name } else { "default" };
                self.proxy()?.must("PUT", "/certificate", &json!({ "name": name })).await.map(drop)
            }
            Act::Power => {
                let node = values.get("node").cloned().unwrap_or_default();
                let verb = if on { "stop" } else { "start" };
                let path = format!("/sim/v1/nodes/{node}/{verb}");
                cluster.must("POST", &path, &Value::Null).await.map(drop)
            }
            Act::Clock(whose) => {
                let days = values.get("days").and_then(Value::as_i64).unwrap_or_default();
                let file = self.clock_file(*whose).ok_or("its clock cannot be set")?;
                clock::set(file, if on { days } else { 0 })?;
                self.close_connections().await;
                Ok(())
            }
            Act::MethodError if on => {
                cluster.must("PUT", "/sim/v1/method-errors", &json!(values)).await.map(drop)
            }
            Act::MethodError => {
                let method = values.get("method").and_then(Value::as_str).unwrap_or_default();
                let path = format!("/sim/v1/method-errors/{method}");
                // A cluster that was started again has none.
                cluster.raw("DELETE", &path, b"").await.map(drop)
            }
        }
    }

    /// Closes the connections through the proxy: the next handshake looks at the new clock.
    async fn close_connections(&self) {
        let Some(proxy) = &self.targets.proxy else { return };
        let shown = proxy.must("GET", "/certificate", &Value::Null).await.unwrap_or_default();
        if let Some(name) = shown.get("name") {
            let _ = proxy.must("PUT", "/certificate", &json!({ "name": name })).await;
        }
    }

    /// Takes back what an earlier controller has left switched on, of which nothing is known here.
    pub(super) async fn reset(&self) {
        if let Some(proxy) = &self.targets.proxy {
            let rules = proxy.must("GET", "/rules", &Value::Null).await.unwrap_or_default();
            for rule in rules.as_array().into_iter().flatten() {
                let name = rule.get("name").and_then(Value::as_str).unwrap_or_default();
                if name.starts_with(RULE_PREFIX) {
                    let _ = proxy.send("DELETE", &format!("/rules/{name}"), &json!({})).await;
                }
            }
            let _ = proxy.must("PUT", "/certificate", &json!({ "name": "default" })).await;
        }
        for file in [&self.targets.cluster_clock, &self.targets.key_server_clock] {
            if let Some(Err(why)) = file.as_ref().map(|file| clock::set(file, 0)) {
                let _ = writeln!(std::io::stderr(), "lab control: {why}");
            }
        }
    }

    fn proxy(&self) -> Result<&Proxy, String> {
        self.targets.proxy.as_ref().ok_or_else(|| NO_PROXY.to_owned())
    }

    fn clock_file(&self, whose: Clock) -> Option<&PathBuf> {
        match whose {
            Clock::Cluster => self.targets.cluster_clock.as_ref(),
            Clock::KeyServer => self.targets.key_server_clock.as_ref(),
        }
    }

    /// Why the fault cannot be switched on here, if so.
    fn unavailable(&self, fault: &Fault) -> Option<String> {
        match &fault.act {
            Act::Rule(_) | Act::Certificate(_) => self.proxy().err(),
            Act::Clock(whose) if self.clock_file(*whose).is_none() => Some(NO_CLOCK.to_owned()),
            Act::Power | Act::MethodError | Act::Clock(_) => None,
        }
    }

    fn json(&self, fault: &Fault, switched: Option<&Switched>) -> Value {
        let unknown = Switched::default();
        let known = switched.unwrap_or(&unknown);
        let parameters = fault.parameters.iter();
        let parameters: Map<_, _> = parameters
            .map(|parameter| (parameter.name.to_owned(), parameter.json(&known.values)))
            .collect();
        let unavailable = self.unavailable(fault);
        json!({
            "available": unavailable.is_none(),
            "fired": known.fired_before.saturating_add(known.fired),
            "group": fault.group,
            "matched": known.matched.filter(|_| known.on),
            "name": fault.name,
            "on": known.on,
            "parameters": parameters,
            "text": fault.text,
            "title": fault.title,
            "unavailable": unavailable,
        })
    }
}

const NO_PROXY: &str = "the lab was started without kmip-proxy between cluster and key server";

const NO_CLOCK: &str =
    "install the package faketime (libfaketime) and start the lab again: it sets the clock";

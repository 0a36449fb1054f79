//! Changes of a key server, whether each must be accepted, and the way back.
//!
//! What must come is read from the hosts themselves, by the client that the cluster would be there.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::case::{Change, Location};
use crate::fixture::{Fixture, current};
use crate::hosts::{Client, HOST_NAMES, Host, Hosts};

/// The hosts that the cluster uses of a key server, and the client that it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) hosts: Vec<Host>,
    client: Client,
    /// The names of the hosts, as `ModifyKeyServerKmip` takes them.
    pub(crate) names: Vec<&'static str>,
}

impl Access {
    fn new(hosts: &[Host], client: Client) -> Self {
        let names = hosts.iter().map(|host| host.name()).collect();
        Self { hosts: hosts.to_vec(), client, names }
    }

    /// As the fixture makes it.
    pub(crate) fn original() -> Self {
        Self::new(&[Host::First], Client::Cluster)
    }

    fn after(change: Change) -> Self {
        match change {
            Change::FirstHostStops => Self::new(&[Host::First, Host::Empty], Client::Cluster),
            Change::OtherName => Self { names: vec![HOST_NAMES[3]], ..Self::original() },
            Change::Moved => Self::new(&[Host::Moved], Client::Cluster),
            Change::EmptyHost => Self::new(&[Host::Empty], Client::Cluster),
            Change::SameClient => Self::original(),
            Change::OtherClient => Self::new(&[Host::First], Client::Other),
        }
    }

    /// The keys that each host which runs shows.
    pub(crate) fn shown(&self, hosts: &Hosts) -> Vec<BTreeSet<String>> {
        let running = self.hosts.iter().filter(|host| hosts.is_running(**host));
        running.map(|host| hosts.shown(*host, self.client)).collect()
    }

    /// The error of a change to this; none if it must be accepted.
    fn refusal(&self, hosts: &Hosts, in_use: &BTreeSet<String>) -> Option<&'static str> {
        let shown = self.shown(hosts);
        if shown.is_empty() {
            return Some("xKmipConnectionFailure");
        }
        let is_shown = |key_id| shown.iter().any(|keys| keys.contains(key_id));
        (!in_use.iter().all(is_shown)).then_some("xKmipServerError")
    }

    /// The error of a test of this; none if it must succeed.
    fn test_failure(&self, hosts: &Hosts, in_use: &BTreeSet<String>) -> Option<&'static str> {
        let shown = self.shown(hosts);
        if shown.is_empty() {
            return Some("xKmipConnectionFailure");
        }
        let is_missing = |keys: &BTreeSet<String>| !in_use.is_subset(keys);
        shown.iter().any(is_missing).then_some("xKmipServerError")
    }
}

/// A key server that is changed.
pub(crate) struct ChangedServer {
    provider: usize,
    /// As it was first.
    original: Value,
    pub(crate) access: Access,
    wrong: Vec<String>,
    /// Changes that were refused.
    pub(crate) refused: usize,
}

impl ChangedServer {
    pub(crate) fn new(fixture: &Fixture, provider: usize) -> Self {
        let original = fixture.key_server(provider);
        let access = Access::original();
        Self { provider, original, access, wrong: Vec::new(), refused: 0 }
    }

    /// What was not as it must be since it was last asked for.
    pub(crate) fn take_wrong(&mut self) -> Vec<String> {
        std::mem::take(&mut self.wrong)
    }

    /// What must be there before the rekey, if the change is that a host stops.
    pub(crate) fn prepare(&mut self, fixture: &Fixture, change: Change) {
        if change == Change::FirstHostStops {
            self.modify(fixture, Access::after(change), &json!({}));
        }
    }

    /// Makes the change. One that is refused is made as an operator who insists makes it.
    pub(crate) fn apply(&mut self, fixture: &mut Fixture, change: Change) {
        if matches!(change, Change::FirstHostStops | Change::Moved) {
            let (hosts, lab) = fixture.hosts_mut(self.provider);
            if hosts.is_running(Host::First) {
                hosts.stop(Host::First);
            }
            if change == Change::Moved {
                hosts.start_on_first_folder(lab, Host::Moved);
            }
        }
        if change != Change::FirstHostStops {
            let access = Access::after(change);
            let more = if matches!(change, Change::SameClient | Change::OtherClient) {
                json!({ "kmipClientCertificate": fixture.certificate(access.client) })
            } else {
                json!({})
            };
            if !self.modify(fixture, access.clone(), &more) {
                let path = format!("/sim/v1/key-servers/{}/skip-check", self.provider);
                fixture.sim("POST", &path, "");
                fixture.modify(self.provider, &with_names(&more, &access)).unwrap();
                self.access = access;
            }
        }
        if !matches!(change, Change::FirstHostStops | Change::Moved) {
            let (hosts, lab) = fixture.hosts_mut(self.provider);
            if !hosts.is_running(Host::First) {
                hosts.start_on_first_folder(lab, Host::First);
            }
        }
        self.check_tests(fixture);
    }

    /// Takes the change back. Returns whether the master key had to be moved to do it: neither the
    /// old values nor the new show all keys that are in use.
    pub(crate) fn take_back(&mut self, fixture: &mut Fixture, change: Change) -> bool {
        let (hosts, lab) = fixture.hosts_mut(self.provider);
        if hosts.is_running(Host::Moved) {
            hosts.stop(Host::Moved);
        }
        if !hosts.is_running(Host::First) {
            hosts.start_on_first_folder(lab, Host::First);
        }
        if change == Change::EmptyHost {
            // The new key may be at the empty host.
            self.modify(fixture, Access::after(Change::FirstHostStops), &json!({}));
        }
        if matches!(change, Change::EmptyHost | Change::FirstHostStops) {
            fixture.until("the rekey ends, and one master key is left", |state| {
                let keys = state["masterKeys"].as_array().unwrap();
                state["unlocked"] == json!(true) && state["rekey"].is_null() && keys.len() == 1
            });
        }
        let original = json!({ "kmipClientCertificate": self.original["kmipClientCertificate"] });
        if self.modify(fixture, Access::original(), &original) {
            return false;
        }
        fixture.start_rekey(Location::Internal);
        fixture.until("the rekey back to internal management ends", |state| {
            state["rekey"].is_null() && current(state).0 == Location::Internal
        });
        let is_back = self.modify(fixture, Access::original(), &original);
        assert!(is_back, "refused although no key is in use: {:?}", self.wrong);
        true
    }

    /// Asks for the change, and compares the answer with what must come. Returns whether it was
    /// accepted.
    fn modify(&mut self, fixture: &Fixture, access: Access, more: &Value) -> bool {
        let in_use = self.keys_in_use(fixture);
        let refusal = access.refusal(fixture.hosts(self.provider), &in_use);
        let before = fixture.key_server(self.provider);
        let answer = fixture.modify(self.provider, &with_names(more, &access));
        let is_accepted = answer.is_ok();
        match (answer, refusal) {
            (Ok(_), None) => {}
            (Err(error), Some(name)) if error.name == name => {
                self.refused += 1;
                if fixture.key_server(self.provider) != before {
                    self.wrong.push("a change that was refused was made".to_owned());
                }
                let port = fixture.hosts(self.provider).port();
                for host in &access.names {
                    if !error.message.contains(&format!("{host}:{port}")) {
                        self.wrong.push(format!("{host} is not named: {error:?}"));
                    }
                }
            }
            (answer, refusal) => {
                let answer = answer.map(|_| "accepted");
                let wrong = format!("a change to {access:?}: {answer:?} in place of {refusal:?}");
                self.wrong.push(wrong);
            }
        }
        if is_accepted {
            self.access = access;
        }
        is_accepted
    }

    /// The tests of the key server and of its provider say whether all keys in use are shown.
    fn check_tests(&mut self, fixture: &Fixture) {
        let in_use = self.keys_in_use(fixture);
        let expected = self.access.test_failure(fixture.hosts(self.provider), &in_use);
        for (method, member) in
            [("TestKeyServerKmip", "keyServerID"), ("TestKeyProviderKmip", "keyProviderID")]
        {
            let answer = fixture.cluster.try_call(method, &json!({ member: self.provider }));
            let name = answer.as_ref().err().map(|error| error.name.as_str());
            if name != expected {
                self.wrong.push(format!("{method}: {answer:?} in place of {expected:?}"));
            }
        }
    }

    /// The keys in use of the provider, by the cluster's own word.
    fn keys_in_use(&self, fixture: &Fixture) -> BTreeSet<String> {
        let state = fixture.state();
        let keys = state["masterKeys"].as_array().unwrap().iter();
        let here = keys.filter(|key| key["keyProviderID"] == json!(self.provider));
        let in_use = here.filter(|key| key["state"] == json!("inUse"));
        in_use.map(|key| key["keyID"].as_str().unwrap().to_owned()).collect()
    }
}

fn with_names(more: &Value, access: &Access) -> Value {
    let mut change = more.clone();
    change["kmipKeyServerHostnames"] = json!(access.names);
    change
}

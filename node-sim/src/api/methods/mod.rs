//! The methods of the API: one table, and one file for each family of them.
//!
//! What the API offers is decided by the table alone: `GetAPI` lists its rows, and nothing is in
//! it that is not done. A method never sees a socket, a header or a body.

pub mod accounts;
pub mod async_results;
pub mod cluster;
pub mod drives;
pub mod encryption;
pub mod faults;
pub mod features;
pub mod key_pair;
pub mod key_providers;
pub mod key_servers;
pub mod nodes;
pub mod params;
pub mod volumes;

use crate::api::api_version::{ApiVersion, CURRENT};
use crate::api::json_rpc::{self, Call};
use crate::cluster::Cluster;
use crate::state::error::{ElementError, ErrorName};
use crate::state::events::{EventType, Happening};
use params::{Parameter, Params};
use serde_json::{Map, Value, json};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use time::OffsetDateTime;

/// What a method answers.
pub type Outcome = Result<Value, ElementError>;

/// What a method answers, once it is there.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// A method that waits for something.
pub type Wait = for<'a> fn(&'a Element, &'a Params) -> Answer<'a>;

/// Where a method is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// By the cluster's own address.
    Cluster,
    /// By the address of a node.
    Node,
    /// By both.
    Both,
}

/// What a method does.
#[derive(Clone, Copy)]
pub enum Act {
    /// It tells what is known.
    Tell(fn(&Element, &Params) -> Outcome),
    /// It asks somebody, or tells something once; that is no event.
    Ask(Wait),
    /// It changes the cluster, which is an event.
    Change(Wait),
}

/// One method.
pub struct Method {
    /// As the API spells it.
    pub name: &'static str,
    /// The first version that has it.
    pub since: ApiVersion,
    /// Where it is offered.
    pub scope: Scope,
    /// What it takes.
    pub parameters: &'static [Parameter],
    /// What it does.
    pub act: Act,
}

/// The families of methods.
const FAMILIES: &[&[Method]] = &[
    cluster::METHODS,
    nodes::METHODS,
    drives::METHODS,
    encryption::METHODS,
    key_pair::METHODS,
    key_providers::METHODS,
    key_servers::METHODS,
    async_results::METHODS,
    faults::METHODS,
    accounts::METHODS,
    volumes::METHODS,
    features::METHODS,
];

/// Every method there is.
pub fn all() -> impl Iterator<Item = &'static Method> {
    FAMILIES.iter().copied().flatten()
}

/// The API of one cluster, as one door serves it.
pub struct Element {
    /// The cluster.
    pub cluster: Arc<Cluster>,
    /// The name of its primary administrator.
    pub admin: String,
    /// Whose address the door has: methods of another scope are unknown there.
    pub scope: Scope,
}

impl Element {
    /// Answers a call that came to the endpoint of this version.
    pub async fn answer(&self, version: ApiVersion, call: Call) -> String {
        let Call { id, method, params } = call;
        match self.perform(version, &method, params).await {
            Ok((result, unused)) => json_rpc::success(id, result, unused),
            Err(error) => {
                tracing::info!(method, name = error.name.text(), "refused");
                json_rpc::failure(&id, &error)
            }
        }
    }

    async fn perform(
        &self,
        version: ApiVersion,
        name: &str,
        given: Map<String, Value>,
    ) -> Result<(Value, Map<String, Value>), ElementError> {
        let method = self.find(version, name).ok_or_else(|| unknown(name, version))?;
        let (params, unused) = Params::check(method.parameters, given)?;
        let result = match method.act {
            Act::Tell(tell) => tell(self, &params)?,
            Act::Ask(ask) => ask(self, &params).await?,
            Act::Change(change) => {
                let result = change(self, &params).await?;
                self.record(method.name).await?;
                result
            }
        };
        tracing::debug!(method = method.name, %version, "answered");
        Ok((result, unused))
    }

    /// The documentation itself spells names in lower case, so case does not matter.
    fn find(&self, version: ApiVersion, name: &str) -> Option<&'static Method> {
        self.offered(version).find(|method| method.name.eq_ignore_ascii_case(name))
    }

    /// The methods that this door offers at the endpoint of this version.
    pub fn offered(&self, version: ApiVersion) -> impl Iterator<Item = &'static Method> {
        let scope = self.scope;
        all().filter(move |method| {
            let is_here = scope == Scope::Both || method.scope == Scope::Both;
            method.since <= version && (is_here || method.scope == scope)
        })
    }

    /// Calls that change something are events; what they were given is not told.
    async fn record(&self, method: &str) -> Result<(), ElementError> {
        let details = json!({ "admin": self.admin, "method": method });
        let happening = Happening::new(EventType::ApiEvent, format!("API call: {method}"));
        let happening = happening.with_details(details);
        self.cluster
            .change(|ledger| {
                ledger.events.record(happening, OffsetDateTime::now_utc());
                Ok(())
            })
            .await
    }
}

/// A reason as a sentence: with a capital and a full stop.
fn sentence(reason: &impl std::fmt::Display) -> String {
    let reason = reason.to_string();
    let mut letters = reason.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str().trim_end_matches('.'))
}

/// Ansible looks for the name of the error, `method=` and the code in one text.
fn unknown(name: &str, version: ApiVersion) -> ElementError {
    let shown: String = name.chars().take(128).collect();
    let newer = all().find(|m| m.name.eq_ignore_ascii_case(name) && m.since > version);
    let message = match newer {
        Some(newer) => format!(
            "Unknown API method=<{shown}>: it is there since version {}; this is the endpoint of \
             version {version}, the newest is {CURRENT}.",
            newer.since
        ),
        None => format!("Unknown API method=<{shown}>"),
    };
    ElementError::new(ErrorName::UnknownApiMethod, message)
}

#[cfg(test)]
mod tests {
    use super::all;
    use crate::api::api_version::{CURRENT, SUPPORTED};
    use std::collections::BTreeSet;

    #[test]
    fn the_table_names_each_method_and_each_parameter_once() {
        let mut names = BTreeSet::new();
        for method in all() {
            assert!(names.insert(method.name.to_lowercase()), "{}", method.name);
            assert!(SUPPORTED.contains(&method.since) && method.since <= CURRENT);
            let parameters: BTreeSet<_> = method.parameters.iter().map(|p| p.name).collect();
            assert_eq!(parameters.len(), method.parameters.len(), "{}", method.name);
        }
    }
}

//! A method of the API as data, and the API that a listener serves.

use super::params::{Parameter, Params};
use crate::api::api_version::ApiVersion;
use crate::cluster::Cluster;
use crate::state::error::ElementError;
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

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

/// The API of one cluster, as one door serves it.
pub struct Element {
    /// The cluster.
    pub cluster: Arc<Cluster>,
    /// The name of its primary administrator.
    pub admin: String,
    /// Whose address the door has: methods of another scope are unknown there.
    pub scope: Scope,
    /// The table of methods, by family.
    pub families: &'static [&'static [Method]],
}

impl Element {
    /// All methods of the table.
    pub fn methods(&self) -> impl Iterator<Item = &'static Method> {
        self.families.iter().copied().flatten()
    }

    /// The methods that this door offers at the endpoint of this version.
    pub fn offered(&self, version: ApiVersion) -> impl Iterator<Item = &'static Method> {
        let scope = self.scope;
        self.methods().filter(move |method| {
            let is_here = scope == Scope::Both || method.scope == Scope::Both;
            method.since <= version && (is_here || method.scope == scope)
        })
    }
}

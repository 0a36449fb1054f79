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
pub(crate) type MethodResult = Result<Value, ElementError>;

/// What a method answers, once it is there.
pub(crate) type MethodFuture<'a> = Pin<Box<dyn Future<Output = MethodResult> + Send + 'a>>;

/// A method that waits for something.
pub(crate) type AsyncAction = for<'a> fn(&'a ElementApi, &'a Params) -> MethodFuture<'a>;

/// Where a method is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// By the cluster's own address.
    Cluster,
    /// By the address of a node.
    Node,
    /// By both.
    Both,
}

/// What a method does.
#[derive(Clone, Copy)]
pub(crate) enum Action {
    /// It tells what is known.
    Read(fn(&ElementApi, &Params) -> MethodResult),
    /// It asks somebody, or tells something once; that is no event.
    Query(AsyncAction),
    /// It changes the cluster, which is an event.
    Change(AsyncAction),
}

/// One method.
pub(crate) struct Method {
    /// As the API spells it.
    pub(crate) name: &'static str,
    /// The first version that has it.
    pub(crate) since: ApiVersion,
    /// Where it is offered.
    pub(crate) scope: Scope,
    /// What it takes.
    pub(crate) parameters: &'static [Parameter],
    /// What it does.
    pub(crate) action: Action,
}

/// The API of one cluster, as one door serves it.
pub(crate) struct ElementApi {
    /// The cluster.
    pub(crate) cluster: Arc<Cluster>,
    /// The name of its primary administrator.
    pub(crate) admin: String,
    /// Whose address the door has: methods of another scope are unknown there.
    pub(crate) scope: Scope,
    /// The table of methods, by family.
    pub(crate) families: &'static [&'static [Method]],
}

impl ElementApi {
    /// All methods of the table.
    pub(crate) fn methods(&self) -> impl Iterator<Item = &'static Method> {
        self.families.iter().copied().flatten()
    }

    /// The methods that this door offers at the endpoint of this version.
    pub(crate) fn offered(&self, version: ApiVersion) -> impl Iterator<Item = &'static Method> {
        let scope = self.scope;
        self.methods().filter(move |method| {
            let is_here = scope == Scope::Both || method.scope == Scope::Both;
            method.since <= version && (is_here || method.scope == scope)
        })
    }
}

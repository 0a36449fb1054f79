//! A method of the API as data, and the API that a listener serves.

use super::method_errors::MethodErrors;
use super::params::{Parameter, Params};
use crate::api::api_version::ApiVersion;
use crate::cluster::Cluster;
use crate::state::error::ElementError;
use crate::stream::Stream;
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Result of a method.
pub(crate) type MethodResult = Result<Value, ElementError>;

/// Result of a method that waits for something.
pub(crate) type MethodFuture<'a> = Pin<Box<dyn Future<Output = MethodResult> + Send + 'a>>;

/// Function of a method that waits for something.
pub(crate) type AsyncAction = for<'a> fn(&'a ElementApi, &'a Params) -> MethodFuture<'a>;

/// Listeners that offer a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// By the cluster's own address.
    Cluster,
    /// By the address of a node.
    Node,
    /// By both.
    Both,
}

/// Function of a method, by its effect.
#[derive(Clone, Copy)]
pub(crate) enum Action {
    /// Reads the state of the cluster.
    Read(fn(&ElementApi, &Params) -> MethodResult),
    /// Calls a key server, or returns a result that can be fetched once; not an event.
    Query(AsyncAction),
    /// Changes the cluster, which is an event.
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
    /// Its parameters.
    pub(crate) parameters: &'static [Parameter],
    /// Its function.
    pub(crate) action: Action,
}

/// The API of one cluster, as one listener serves it.
pub(crate) struct ElementApi {
    /// The cluster.
    pub(crate) cluster: Arc<Cluster>,
    /// Where its calls are shown.
    pub(crate) stream: Arc<Stream>,
    /// Errors that are set for methods.
    pub(crate) method_errors: Arc<MethodErrors>,
    /// The name of its primary administrator.
    pub(crate) admin: String,
    /// Scope of the listener: methods of another scope are unknown there.
    pub(crate) scope: Scope,
    /// The table of methods, by family.
    pub(crate) families: &'static [&'static [Method]],
}

impl ElementApi {
    /// All methods of the table.
    pub(crate) fn methods(&self) -> impl Iterator<Item = &'static Method> {
        self.families.iter().copied().flatten()
    }

    /// The methods that this listener offers at the endpoint of this version.
    pub(crate) fn offered(&self, version: ApiVersion) -> impl Iterator<Item = &'static Method> {
        let scope = self.scope;
        self.methods().filter(move |method| {
            let is_here = scope == Scope::Both || method.scope == Scope::Both;
            method.since <= version && (is_here || method.scope == scope)
        })
    }
}

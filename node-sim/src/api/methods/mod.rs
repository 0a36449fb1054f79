//! The methods of the API: one table, and one file for each family of them.
//!
//! What the API offers is decided by the table alone: `GetAPI` lists its rows, and nothing is in
//! it that is not done. A method never sees a socket, a header or a body.

pub(crate) mod accounts;
pub(crate) mod async_results;
pub(crate) mod cluster;
mod dispatch;
pub(crate) mod drives;
pub(crate) mod encryption;
pub(crate) mod faults;
pub(crate) mod features;
pub(crate) mod hostnames;
pub(crate) mod key_pair;
pub(crate) mod key_providers;
pub(crate) mod key_servers;
pub(crate) mod method;
pub(crate) mod method_errors;
pub(crate) mod nodes;
pub(crate) mod params;
pub(crate) mod volumes;

use crate::cluster::Cluster;
use crate::stream::Stream;
use method::{ElementApi, Method, Scope};
use method_errors::MethodErrors;
use std::sync::Arc;

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

/// The API of this cluster, for a listener of this scope.
pub(crate) fn element_api(
    cluster: Arc<Cluster>,
    (stream, method_errors): (Arc<Stream>, Arc<MethodErrors>),
    admin: String,
    scope: Scope,
) -> ElementApi {
    ElementApi { cluster, stream, method_errors, admin, scope, families: FAMILIES }
}

#[cfg(test)]
mod tests {
    use super::FAMILIES;
    use crate::api::api_version::{CURRENT, SUPPORTED};
    use std::collections::BTreeSet;

    #[test]
    fn the_table_names_each_method_and_each_parameter_once() {
        let mut names = BTreeSet::new();
        for method in FAMILIES.iter().copied().flatten() {
            assert!(names.insert(method.name.to_lowercase()), "{}", method.name);
            assert!(SUPPORTED.contains(&method.since) && method.since <= CURRENT);
            let parameters: BTreeSet<_> = method.parameters.iter().map(|p| p.name).collect();
            assert_eq!(parameters.len(), method.parameters.len(), "{}", method.name);
        }
    }
}

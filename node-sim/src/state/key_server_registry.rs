//! The key providers and key servers that the cluster knows, and the rules between them.
//!
//! A part of the ledger. It decides; it contacts no server. Whether a provider is active is not
//! kept here: it is active while a key that was made through it is not yet deleted, and that is
//! known where the keys are.

use crate::state::error::{ElementError, ErrorName};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The port of a key server when none is given (KMIP profiles, 5.1).
pub(crate) const KMIP_PORT: u16 = 5696;

/// Key servers in one key provider: the API reference supports one.
pub(crate) const SERVERS_PER_PROVIDER_MAX: usize = 1;

/// Key servers that a cluster keeps: each holds a few certificates in a ledger written whole.
pub(crate) const KEY_SERVERS_MAX: usize = 64;

/// Key providers that a cluster keeps: a provider without its own server is of no use.
pub(crate) const KEY_PROVIDERS_MAX: usize = 64;

/// The cluster's number for a key server.
pub type KeyServerId = u64;

/// The cluster's number for a key provider.
pub(crate) type KeyProviderId = u64;

/// The providers that hold keys in use, as told by those who keep the keys.
pub(crate) type ActiveProviders = BTreeSet<KeyProviderId>;

/// How to reach a key server and how to be let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyServerKmip {
    /// For display only.
    pub name: String,
    /// Several only when the key server is a cluster of its own.
    pub hostnames: Vec<String>,
    /// Usually 5696.
    pub port: u16,
    /// In PEM, the certificates that the server's own is checked against.
    pub ca_certificate: String,
    /// In PEM, the certificate that was signed for the cluster's key pair.
    pub client_certificate: String,
}

/// What `ModifyKeyServerKmip` replaces; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyServerChange {
    /// For display only.
    pub(crate) name: Option<String>,
    /// Several only when the key server is a cluster of its own.
    pub(crate) hostnames: Option<Vec<String>>,
    /// Usually 5696.
    pub(crate) port: Option<u16>,
    /// In PEM, the certificates that the server's own is checked against.
    pub(crate) ca_certificate: Option<String>,
    /// In PEM, the certificate that was signed for the cluster's key pair.
    pub(crate) client_certificate: Option<String>,
}

/// A group of key servers that hold the same keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyProviderKmip {
    /// For display only.
    pub(crate) name: String,
    /// In the order in which they were added.
    pub(crate) key_server_ids: Vec<KeyServerId>,
}

/// Key servers and key providers. A number is never given twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyServerRegistry {
    last_server_id: KeyServerId,
    last_provider_id: KeyProviderId,
    servers: BTreeMap<KeyServerId, KeyServerKmip>,
    providers: BTreeMap<KeyProviderId, KeyProviderKmip>,
}

impl KeyServerChange {
    /// Whether nothing is to be changed; then the server is not contacted either.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The server as it would be.
    #[must_use]
    pub(crate) fn applied_to(&self, server: &KeyServerKmip) -> KeyServerKmip {
        let Self { name, hostnames, port, ca_certificate, client_certificate } = self.clone();
        KeyServerKmip {
            name: name.unwrap_or_else(|| server.name.clone()),
            hostnames: hostnames.unwrap_or_else(|| server.hostnames.clone()),
            port: port.unwrap_or(server.port),
            ca_certificate: ca_certificate.unwrap_or_else(|| server.ca_certificate.clone()),
            client_certificate: client_certificate
                .unwrap_or_else(|| server.client_certificate.clone()),
        }
    }
}

impl KeyServerRegistry {
    /// The key servers, by number.
    pub(crate) fn servers(&self) -> impl Iterator<Item = (KeyServerId, &KeyServerKmip)> {
        self.servers.iter().map(|(id, server)| (*id, server))
    }

    /// The key providers, by number.
    pub(crate) fn providers(&self) -> impl Iterator<Item = (KeyProviderId, &KeyProviderKmip)> {
        self.providers.iter().map(|(id, provider)| (*id, provider))
    }

    /// The key server of this number.
    pub(crate) fn server(&self, id: KeyServerId) -> Result<&KeyServerKmip, ElementError> {
        self.servers.get(&id).ok_or_else(|| no_such_server(id))
    }

    /// The key provider of this number.
    pub(crate) fn provider(&self, id: KeyProviderId) -> Result<&KeyProviderKmip, ElementError> {
        self.providers.get(&id).ok_or_else(|| no_such_provider(id))
    }

    /// The provider that the server belongs to.
    #[must_use]
    pub(crate) fn provider_of(&self, server: KeyServerId) -> Option<KeyProviderId> {
        self.providers().find(|(_, p)| p.key_server_ids.contains(&server)).map(|(id, _)| id)
    }

    /// The servers of a provider, in order; refused when the provider has none.
    pub(crate) fn servers_of(
        &self,
        id: KeyProviderId,
    ) -> Result<Vec<(KeyServerId, &KeyServerKmip)>, ElementError> {
        let provider = self.provider(id)?;
        let servers: Vec<_> = provider
            .key_server_ids
            .iter()
            .filter_map(|id| self.servers.get(id).map(|server| (*id, server)))
            .collect();
        if servers.is_empty() {
            return Err(ElementError::new(
                ErrorName::KeyProviderHasNoServer,
                format!(
                    "Key provider {id} has no key server. Add one with AddKeyServerToProviderKmip."
                ),
            ));
        }
        Ok(servers)
    }

    /// A new provider, without servers.
    pub(crate) fn create_provider(&mut self, name: &str) -> Result<KeyProviderId, ElementError> {
        check_limit(self.providers.len(), KEY_PROVIDERS_MAX, "key providers in a cluster")?;
        self.last_provider_id = self.last_provider_id.saturating_add(1);
        let provider = KeyProviderKmip { name: name.to_owned(), key_server_ids: Vec::new() };
        self.providers.insert(self.last_provider_id, provider);
        Ok(self.last_provider_id)
    }

    /// Deletes a provider that holds no key in use. Its servers stay, and belong to none.
    pub(crate) fn delete_provider(
        &mut self,
        id: KeyProviderId,
        active: &ActiveProviders,
    ) -> Result<(), ElementError> {
        self.provider(id)?;
        if active.contains(&id) {
            return Err(ElementError::new(
                ErrorName::KeyProviderIsActive,
                format!(
                    "Key provider {id} is active: keys created through it are in use. \
                     Rekey to another place first."
                ),
            ));
        }
        self.providers.remove(&id);
        Ok(())
    }

    /// A new key server, which belongs to no provider and need not exist yet.
    pub(crate) fn create_server(
        &mut self,
        server: KeyServerKmip,
    ) -> Result<KeyServerId, ElementError> {
        check_limit(self.servers.len(), KEY_SERVERS_MAX, "key servers in a cluster")?;
        self.last_server_id = self.last_server_id.saturating_add(1);
        self.servers.insert(self.last_server_id, server);
        Ok(self.last_server_id)
    }

    /// Replaces what the change names.
    pub(crate) fn modify_server(
        &mut self,
        id: KeyServerId,
        change: &KeyServerChange,
    ) -> Result<(), ElementError> {
        let server = self.servers.get_mut(&id).ok_or_else(|| no_such_server(id))?;
        *server = change.applied_to(server);
        Ok(())
    }

    /// Deletes a key server, unless an active provider would be left without any.
    pub(crate) fn delete_server(
        &mut self,
        id: KeyServerId,
        active: &ActiveProviders,
    ) -> Result<(), ElementError> {
        self.remove_from_provider(id, active)?;
        self.servers.remove(&id);
        Ok(())
    }

    /// Whether the server may join the provider: `false` when it is there already.
    pub(crate) fn may_add(
        &self,
        server: KeyServerId,
        provider: KeyProviderId,
    ) -> Result<bool, ElementError> {
        self.server(server)?;
        let group = self.provider(provider)?;
        match self.provider_of(server) {
            Some(present) if present == provider => Ok(false),
            Some(other) => Err(ElementError::new(
                ErrorName::KeyServerInUse,
                format!(
                    "Key server {server} belongs to key provider {other}. \
                     Remove it with RemoveKeyServerFromProviderKmip first."
                ),
            )),
            None => {
                let what = "key servers in a key provider";
                check_limit(group.key_server_ids.len(), SERVERS_PER_PROVIDER_MAX, what)?;
                Ok(true)
            }
        }
    }

    /// Puts the server into the provider. The caller has contacted the server before.
    pub(crate) fn add_to_provider(
        &mut self,
        server: KeyServerId,
        provider: KeyProviderId,
    ) -> Result<(), ElementError> {
        if self.may_add(server, provider)?
            && let Some(group) = self.providers.get_mut(&provider)
        {
            group.key_server_ids.push(server);
        }
        Ok(())
    }

    /// Takes the server out of its provider, if it has one, unless the provider is active and
    /// would be left without any.
    pub(crate) fn remove_from_provider(
        &mut self,
        server: KeyServerId,
        active: &ActiveProviders,
    ) -> Result<(), ElementError> {
        self.server(server)?;
        let Some(provider) = self.provider_of(server) else {
            return Ok(());
        };
        let Some(group) = self.providers.get_mut(&provider) else {
            return Ok(());
        };
        if active.contains(&provider) && group.key_server_ids.len() <= 1 {
            return Err(ElementError::new(
                ErrorName::KeyServerInUse,
                format!(
                    "Key server {server} is the last one of key provider {provider}, which is \
                     active: keys created through it are in use. Rekey to another place first."
                ),
            ));
        }
        group.key_server_ids.retain(|id| *id != server);
        Ok(())
    }
}

fn no_such_server(id: KeyServerId) -> ElementError {
    let message = format!("KeyServerID {id} does not exist.");
    ElementError::new(ErrorName::KeyServerIdDoesNotExist, message)
}

fn no_such_provider(id: KeyProviderId) -> ElementError {
    let message = format!("KeyProviderID {id} does not exist.");
    ElementError::new(ErrorName::KeyProviderIdDoesNotExist, message)
}

fn check_limit(present: usize, max: usize, what: &str) -> Result<(), ElementError> {
    if present < max {
        return Ok(());
    }
    Err(ElementError::new(ErrorName::ExceededLimit, format!("At most {max} {what}.")))
}

#[cfg(test)]
mod tests {
    use super::{ActiveProviders, KMIP_PORT, KeyServerChange, KeyServerKmip, KeyServerRegistry};
    use crate::state::error::ErrorName;

    fn server(name: &str) -> KeyServerKmip {
        KeyServerKmip {
            name: name.into(),
            hostnames: vec!["kms".into()],
            port: KMIP_PORT,
            ca_certificate: "ca".into(),
            client_certificate: "client".into(),
        }
    }

    /// Two providers; server 1 belongs to provider 1, server 2 to none.
    fn registry() -> KeyServerRegistry {
        let mut registry = KeyServerRegistry::default();
        registry.create_provider("p1").unwrap();
        registry.create_provider("p2").unwrap();
        registry.create_server(server("s1")).unwrap();
        registry.create_server(server("s2")).unwrap();
        registry.add_to_provider(1, 1).unwrap();
        registry
    }

    type Act = fn(
        &mut KeyServerRegistry,
        &ActiveProviders,
    ) -> Result<(), crate::state::error::ElementError>;

    #[test]
    fn the_rules_between_servers_and_providers() {
        use ErrorName as E;
        // What is done, while provider 1 is inactive, and what it answers while active.
        let table: &[(&str, Act, Option<E>, Option<E>)] = &[
            (
                "delete a provider",
                |r, a| r.delete_provider(1, a),
                None,
                Some(E::KeyProviderIsActive),
            ),
            ("delete another", |r, a| r.delete_provider(2, a), None, None),
            ("delete its last server", |r, a| r.delete_server(1, a), None, Some(E::KeyServerInUse)),
            (
                "remove its last server",
                |r, a| r.remove_from_provider(1, a),
                None,
                Some(E::KeyServerInUse),
            ),
            ("delete a free server", |r, a| r.delete_server(2, a), None, None),
            ("remove a free server", |r, a| r.remove_from_provider(2, a), None, None),
            ("add it again", |r, _| r.add_to_provider(1, 1), None, None),
            (
                "add it elsewhere",
                |r, _| r.add_to_provider(1, 2),
                Some(E::KeyServerInUse),
                Some(E::KeyServerInUse),
            ),
            (
                "add a second",
                |r, _| r.add_to_provider(2, 1),
                Some(E::ExceededLimit),
                Some(E::ExceededLimit),
            ),
            (
                "no such server",
                |r, _| r.add_to_provider(9, 1),
                Some(E::KeyServerIdDoesNotExist),
                Some(E::KeyServerIdDoesNotExist),
            ),
            (
                "no such provider",
                |r, _| r.add_to_provider(2, 9),
                Some(E::KeyProviderIdDoesNotExist),
                Some(E::KeyProviderIdDoesNotExist),
            ),
        ];
        for (what, act, inactive, active) in table {
            for (providers, expected) in [([].into(), inactive), ([1].into(), active)] {
                let mut changed = registry();
                let answer = act(&mut changed, &providers);
                assert_eq!(answer.as_ref().err().map(|e| e.name), *expected, "{what}");
                assert!(answer.is_ok() || changed == registry(), "{what}: refused, yet changed");
            }
        }
    }

    #[test]
    fn a_deleted_provider_leaves_its_servers_free_and_numbers_are_not_given_again() {
        let mut registry = registry();
        registry.delete_provider(1, &[].into()).unwrap();
        assert_eq!(registry.provider_of(1), None);
        assert_eq!(registry.create_provider("p3"), Ok(3));
        registry.delete_server(2, &[].into()).unwrap();
        assert_eq!(registry.create_server(server("s3")), Ok(3));
        assert_eq!(registry.servers_of(3).unwrap_err().name, ErrorName::KeyProviderHasNoServer);
    }

    #[test]
    fn a_change_replaces_what_it_names() {
        let mut registry = registry();
        let change = KeyServerChange { port: Some(5697), ..KeyServerChange::default() };
        assert!(!change.is_empty() && KeyServerChange::default().is_empty());
        registry.modify_server(1, &change).unwrap();
        assert_eq!(*registry.server(1).unwrap(), KeyServerKmip { port: 5697, ..server("s1") });
    }
}

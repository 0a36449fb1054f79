//! Tests and changes of key servers. A change contacts the key server first, with the new values,
//! and is refused if that fails. While master keys of a provider are in use, a test looks for them
//! at each host that is reached, and a change is refused unless the changed server shows them: the
//! drives would stay locked after the next power cycle. An operator can insist.
//!
//! Tasks that wait for a key server are woken once the change is durable: earlier they would try
//! again with the old values.

use super::shared_state::Cluster;
use crate::config::limits::KEY_SERVER_DEADLINE;
use crate::key_server::object_inventory::ObjectInventory;
use crate::key_server::{HostReport, KeyProviderAccess, KeyServerError};
use crate::state::error::{ElementError, ErrorName};
use crate::state::faults::KmipServerFault;
use crate::state::key_ring::{KeyId, KeyState, MasterKeyRecord};
use crate::state::key_server_registry::{
    KeyProviderId, KeyServerChange, KeyServerId, KeyServerKmip,
};
use crate::state::ledger::Ledger;
use kmip::vocabulary::State;
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{MutexGuard, PoisonError};

impl Cluster {
    /// Tests that the key server can be used, and shows the keys of its provider that are in use.
    ///
    /// # Errors
    /// It does not exist or cannot be used, or a host that is reached does not show a key in use.
    pub(crate) async fn test_key_server(&self, id: KeyServerId) -> Result<(), ElementError> {
        let server = self.read(|ledger| ledger.registry.server(id).cloned())?;
        let provider = self.contact(id, &server).await?;
        self.check_shown(&provider, id, Hosts::All).await?;
        self.retry_now();
        Ok(())
    }

    /// Lists the objects that the key server shows to the cluster.
    ///
    /// # Errors
    /// The key server does not exist, or cannot be used.
    pub(crate) async fn list_objects(
        &self,
        id: KeyServerId,
    ) -> Result<ObjectInventory, ElementError> {
        let provider = self.access_of(id)?;
        with_deadline(self.key_servers.inventory(&provider)).await
    }

    /// Revokes and destroys an object of the key server, whatever it is.
    ///
    /// # Errors
    /// The key server does not exist, cannot be used, or refuses.
    pub(crate) async fn destroy_object(
        &self,
        id: KeyServerId,
        unique_identifier: &str,
    ) -> Result<(), ElementError> {
        let provider = self.access_of(id)?;
        with_deadline(self.key_servers.destroy_object(&provider, unique_identifier)).await
    }

    /// Access of the first node to this key server only.
    fn access_of(&self, id: KeyServerId) -> Result<KeyProviderAccess, ElementError> {
        let server = self.read(|ledger| ledger.registry.server(id).cloned())?;
        let node_id = self.read(Ledger::master_node);
        let access = self.server_access(id, &server).map_err(element_error)?;
        Ok(KeyProviderAccess { node_id, servers: vec![access] })
    }

    /// Tests that the key servers of the provider can be used, and show the keys in use.
    ///
    /// # Errors
    /// The provider does not exist or has no key server, none can be used, or a host that is
    /// reached does not show a key in use.
    pub(crate) async fn test_key_provider(&self, id: KeyProviderId) -> Result<(), ElementError> {
        let ledger = self.ledger();
        ledger.registry.servers_of(id)?;
        let provider = self.provider_access(ledger.master_node(), id).map_err(element_error)?;
        with_deadline(self.key_servers.test(&provider)).await?;
        for server in &provider.servers {
            let alone = KeyProviderAccess { servers: vec![server.clone()], ..provider.clone() };
            self.check_shown(&alone, server.key_server_id, Hosts::All).await?;
        }
        self.retry_now();
        Ok(())
    }

    /// Replaces what the change names, after the key server was contacted with the new values. A
    /// change that names nothing contacts nobody.
    ///
    /// # Errors
    /// The key server does not exist, cannot be used with the new values, or does not show with
    /// them a key that is in use: the old ones stay.
    pub(crate) async fn modify_key_server(
        &self,
        id: KeyServerId,
        change: &KeyServerChange,
    ) -> Result<(), ElementError> {
        let present = self.read(|ledger| ledger.registry.server(id).cloned())?;
        if change.is_empty() {
            return Ok(());
        }
        let insists = self.unchecked_changes().remove(&id);
        loop {
            let mut checked = None;
            if !insists {
                let provider = self.contact(id, &change.applied_to(&present)).await?;
                checked = Some(self.check_shown(&provider, id, Hosts::Any).await?);
            }
            let is_modified = self
                .change(|ledger| {
                    if is_unchecked(ledger, id, checked.as_ref()) {
                        return Ok(false);
                    }
                    ledger.registry.modify_server(id, change).map(|()| true)
                })
                .await?;
            // A rekey has put another key in use meanwhile: it is looked for too.
            if is_modified {
                break;
            }
        }
        self.retry_now();
        Ok(())
    }

    /// Lets the next change of this key server be made without contacting it: an operator insists.
    ///
    /// # Errors
    /// The key server does not exist.
    pub(crate) fn allow_unchecked_change(&self, id: KeyServerId) -> Result<(), ElementError> {
        self.read(|ledger| ledger.registry.server(id).map(drop))?;
        self.unchecked_changes().insert(id);
        Ok(())
    }

    fn unchecked_changes(&self) -> MutexGuard<'_, BTreeSet<KeyServerId>> {
        self.unchecked_changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks for the keys in use of the server's provider at the hosts of the server that is given.
    /// Returns those keys.
    async fn check_shown(
        &self,
        provider: &KeyProviderAccess,
        id: KeyServerId,
        hosts: Hosts,
    ) -> Result<BTreeSet<KeyId>, ElementError> {
        let keys = self.read(|ledger| keys_in_use(ledger, id));
        for key_id in &keys {
            let known = self.read(|ledger| ledger.ring.key(*key_id)?.identifier.clone());
            let survey = self.key_servers.survey(provider, *key_id, known.as_deref());
            let reports = with_deadline(async { Ok(survey.await) }).await?;
            let missing = |report: &HostReport| match &report.shown {
                Ok(Some(key)) if key.state == State::Active => None,
                Ok(Some(key)) => Some(format!("{} shows it as {:?}", report.host, key.state)),
                Ok(None) => Some(format!("{} does not show it", report.host)),
                Err(error) if hosts == Hosts::All && is_unreachable(error) => None,
                Err(error) => Some(error.message.trim_end_matches('.').to_owned()),
            };
            let causes: Vec<_> = reports.iter().filter_map(missing).collect();
            let refused = match hosts {
                Hosts::All => !causes.is_empty(),
                Hosts::Any => causes.len() == reports.len(),
            };
            if refused {
                let message = format!(
                    "Master key {key_id} is in use, and the key server does not show it to this \
                     client: {}. Use the key server and the client certificate that the key was \
                     created with.",
                    causes.join("; ")
                );
                return Err(ElementError::new(ErrorName::KmipServerError, message));
            }
        }
        Ok(keys)
    }

    /// Puts the key server into the provider, after it was contacted. A server that is there
    /// already is not contacted again.
    ///
    /// # Errors
    /// One of the two does not exist, the server belongs to another provider or cannot be used.
    pub(crate) async fn add_key_server_to_provider(
        &self,
        id: KeyServerId,
        provider: KeyProviderId,
    ) -> Result<(), ElementError> {
        let (is_new, server) = self.read(|ledger| {
            let is_new = ledger.registry.may_add(id, provider)?;
            ledger.registry.server(id).map(|server| (is_new, server.clone()))
        })?;
        if !is_new {
            return Ok(());
        }
        self.contact(id, &server).await?;
        self.change(|ledger| ledger.registry.add_to_provider(id, provider)).await?;
        self.retry_now();
        Ok(())
    }

    /// Contacts the server over mutual TLS, on behalf of the master.
    async fn contact(
        &self,
        id: KeyServerId,
        server: &KeyServerKmip,
    ) -> Result<KeyProviderAccess, ElementError> {
        let access = self.server_access(id, server).map_err(element_error)?;
        let node_id = self.read(Ledger::master_node);
        let provider = KeyProviderAccess { node_id, servers: vec![access] };
        with_deadline(self.key_servers.test(&provider)).await?;
        Ok(provider)
    }
}

/// Whether the host did not answer; another one has.
const fn is_unreachable(error: &KeyServerError) -> bool {
    matches!(error.fault, KmipServerFault::ConnectionFailure)
}

/// Hosts of a key server that must show a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hosts {
    /// All that can be reached.
    All,
    /// One of them.
    Any,
}

/// Whether a key is in use that was not looked for.
fn is_unchecked(ledger: &Ledger, id: KeyServerId, checked: Option<&BTreeSet<KeyId>>) -> bool {
    checked.is_some_and(|checked| !keys_in_use(ledger, id).is_subset(checked))
}

/// The master keys in use of the provider that the key server belongs to.
fn keys_in_use(ledger: &Ledger, id: KeyServerId) -> BTreeSet<KeyId> {
    let provider = ledger.registry.provider_of(id);
    let of_provider = |record: &MasterKeyRecord| {
        let holder = record.management.key_provider_id();
        record.state == KeyState::InUse && holder.is_some() && holder == provider
    };
    ledger.ring.keys().filter(|(_, record)| of_provider(record)).map(|(id, _)| id).collect()
}

/// Calls a key server, and does not wait for it longer than the client would.
async fn with_deadline<T>(
    answer: impl Future<Output = Result<T, KeyServerError>>,
) -> Result<T, ElementError> {
    match tokio::time::timeout(KEY_SERVER_DEADLINE, answer).await {
        Ok(answer) => answer.map_err(element_error),
        Err(_) => Err(ElementError::new(
            ErrorName::KmipConnectionFailure,
            format!("The key server did not answer within {} s.", KEY_SERVER_DEADLINE.as_secs()),
        )),
    }
}

/// The three sub-kinds of `kmipServerFault`, as errors.
fn element_error(error: KeyServerError) -> ElementError {
    let name = match error.fault {
        KmipServerFault::ConnectionFailure => ErrorName::KmipConnectionFailure,
        KmipServerFault::AuthenticationFailure => ErrorName::KmipAuthenticationFailure,
        KmipServerFault::ServerError => ErrorName::KmipServerError,
    };
    ElementError::new(name, error.message)
}

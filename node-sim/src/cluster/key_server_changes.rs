//! Tests and changes of key servers. A change contacts the key server first, with the new values,
//! and is refused if that fails. Tasks that wait for a key server are woken once the change is
//! durable: earlier they would try again with the old values.

use super::shared_state::Cluster;
use crate::config::limits::KEY_SERVER_DEADLINE;
use crate::key_server::{KeyProviderAccess, KeyServerError};
use crate::state::error::{ElementError, ErrorName};
use crate::state::faults::KmipServerFault;
use crate::state::key_server_registry::{
    KeyProviderId, KeyServerChange, KeyServerId, KeyServerKmip,
};
use crate::state::ledger::Ledger;
use std::future::Future;

impl Cluster {
    /// Tests that the key server can be used.
    ///
    /// # Errors
    /// It does not exist or cannot be used.
    pub(crate) async fn test_key_server(&self, id: KeyServerId) -> Result<(), ElementError> {
        let server = self.read(|ledger| ledger.registry.server(id).cloned())?;
        self.contact(id, &server).await?;
        self.retry_now();
        Ok(())
    }

    /// Tests that the key servers of the provider can be used.
    ///
    /// # Errors
    /// The provider does not exist or has no key server, or none can be used.
    pub(crate) async fn test_key_provider(&self, id: KeyProviderId) -> Result<(), ElementError> {
        let ledger = self.ledger();
        ledger.registry.servers_of(id)?;
        let provider = self.provider_access(ledger.master_node(), id).map_err(element_error)?;
        with_deadline(self.key_servers.test(&provider)).await?;
        self.retry_now();
        Ok(())
    }

    /// Replaces what the change names, after the key server was contacted with the new values. A
    /// change that names nothing contacts nobody.
    ///
    /// # Errors
    /// The key server does not exist or cannot be used with the new values: the old ones stay.
    pub(crate) async fn modify_key_server(
        &self,
        id: KeyServerId,
        change: &KeyServerChange,
    ) -> Result<(), ElementError> {
        let present = self.read(|ledger| ledger.registry.server(id).cloned())?;
        if change.is_empty() {
            return Ok(());
        }
        self.contact(id, &change.applied_to(&present)).await?;
        self.change(|ledger| ledger.registry.modify_server(id, change)).await?;
        self.retry_now();
        Ok(())
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
    async fn contact(&self, id: KeyServerId, server: &KeyServerKmip) -> Result<(), ElementError> {
        let access = self.server_access(id, server).map_err(element_error)?;
        let node_id = self.read(Ledger::master_node);
        let provider = KeyProviderAccess { node_id, servers: vec![access] };
        with_deadline(self.key_servers.test(&provider)).await
    }
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

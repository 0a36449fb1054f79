//! The cluster's key pair for key servers, and how each node reaches them with it.

use super::shared_state::Cluster;
use crate::key_server::client_key_pair::{NewKeyPair, remove_unreferenced_keys};
use crate::key_server::{KeyProviderAccess, KeyServerAccess, KeyServerError};
use crate::state::error::{ElementError, ErrorName};
use crate::state::key_ring::NodeId;
use crate::state::key_server_registry::{KeyProviderId, KeyServerId, KeyServerKmip};
use crate::state::ledger::{Ledger, LedgerError};
use std::sync::{Arc, PoisonError};
use zeroize::Zeroizing;

impl Cluster {
    /// The private key that the cluster proves itself with at key servers, PEM; none before it was
    /// stored. It is kept in a file of its own, never in the ledger.
    #[must_use]
    pub(crate) fn client_key(&self) -> Option<Zeroizing<String>> {
        self.client_key.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes this the cluster's one key pair for key servers. Its private key is durable before
    /// the ledger names it, and the key of an earlier pair is removed after the ledger forgot it.
    ///
    /// # Errors
    /// A provider is active, so the present pair is needed, or a file could not be written.
    pub(crate) async fn adopt_key_pair(&self, pair: NewKeyPair) -> Result<(), ElementError> {
        self.read(refuse_while_active)?;
        let (steps, folder) = (Arc::clone(&self.settings.steps), self.settings.folder.clone());
        let kept = tokio::task::spawn_blocking(move || {
            let private_key = pair.private_key().clone();
            pair.store(&steps, &folder).map(|record| (record, private_key))
        });
        let (record, private_key) = kept
            .await
            .unwrap_or_else(|join| Err(std::io::Error::other(join)))
            .map_err(|cause| LedgerError::file("write", &self.settings.folder, cause))?;
        self.change(|ledger| {
            refuse_while_active(ledger)?;
            ledger.key_pair = Some(record.clone());
            ledger.observed.set_key_pair_damage(None);
            Ok::<_, ElementError>(())
        })
        .await?;
        *self.client_key.write().unwrap_or_else(PoisonError::into_inner) = Some(private_key);
        self.retry_now();
        let (steps, folder) = (Arc::clone(&self.settings.steps), self.settings.folder.clone());
        let removed = tokio::task::spawn_blocking(move || {
            remove_unreferenced_keys(&steps, &folder, Some(&record))
        });
        if let Ok(Err(error)) = removed.await {
            tracing::warn!(%error, "a replaced private key could not be removed yet");
        }
        Ok(())
    }

    /// Returns the access to this key server, with the cluster's own key pair.
    ///
    /// # Errors
    /// The cluster has no key pair yet.
    pub(crate) fn server_access(
        &self,
        key_server_id: KeyServerId,
        server: &KeyServerKmip,
    ) -> Result<KeyServerAccess, KeyServerError> {
        let client_key = self.client_key().ok_or_else(|| {
            let damage = self.read(|l| l.observed.key_pair_damage().map(str::to_owned));
            KeyServerError::authentication(damage.unwrap_or_else(|| {
                "The cluster has no key pair for key servers. Make one with \
                 CreatePublicPrivateKeyPair and have its certificate signed."
                    .to_owned()
            }))
        })?;
        Ok(KeyServerAccess { key_server_id, server: server.clone(), client_key })
    }

    /// Returns the access of a node to the key servers of this provider.
    ///
    /// # Errors
    /// The provider does not exist or has no server, or the cluster has no key pair yet.
    pub(crate) fn provider_access(
        &self,
        node_id: NodeId,
        key_provider_id: KeyProviderId,
    ) -> Result<KeyProviderAccess, KeyServerError> {
        let ledger = self.ledger();
        let servers = ledger
            .registry
            .servers_of(key_provider_id)
            .map_err(|error| KeyServerError::server(error.message))?;
        let servers = servers.into_iter().map(|(id, server)| self.server_access(id, server));
        Ok(KeyProviderAccess { node_id, servers: servers.collect::<Result<_, _>>()? })
    }
}

/// One pair serves all key servers; while one of them holds a key that is in use, the certificate
/// that it knows the cluster by must stay usable. The first pair replaces none, and one whose file
/// is damaged is of no use: a rekey that waits for it goes on.
fn refuse_while_active(ledger: &Ledger) -> Result<(), ElementError> {
    if ledger.key_pair.is_none() || ledger.observed.key_pair_damage().is_some() {
        return Ok(());
    }
    let active = ledger.ring.active_providers();
    let Some(provider) = active.first() else { return Ok(()) };
    let message = format!(
        "Key provider {provider} is active and knows the cluster by its present key pair. \
         Rekey to internal key management first."
    );
    Err(ElementError::new(ErrorName::KeyProviderIsActive, message))
}

//! Destruction of a key at one host, and the proof of it.
//!
//! ```text
//! found: shown as destroyed -----------------------------------------------> Destroyed
//!        living -> Get: the key's own bytes? -> Revoke -> State -> Destroy -> State
//! nothing found ---------------------------------------------------------> not shown
//! ```
//!
//! What counts is the State that the host shows afterwards, not its answers to Revoke and Destroy.
//! That the object is not found any more proves its destruction only after an answer to Destroy
//! that says success. If that answer was lost, the destruction is an error and is tried again: then
//! the host shows the object as destroyed, or nothing proves what became of it.

use super::error::HostFailure;
use super::host_session::{FoundKey, HostSession, get, identifier_of, is_destroyed, key_of};
use crate::state::key_ring::RetiredKey;
use kmip::payload::{DestroyRequest, RevokeRequest};
use kmip::structures::RevocationReason;
use kmip::vocabulary::{RevocationReasonCode, State};

/// What a host shows of the key after its destruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtHost {
    /// The host showed the key and has destroyed it.
    Destroyed,
    /// The host does not show the key, living or destroyed.
    NotShown,
}

impl HostSession {
    /// Destroys every object that is this key, should there be several, and reads that back.
    pub(super) async fn destroy(&self, key: &RetiredKey) -> Result<AtHost, HostFailure> {
        let mut found = self.find_all(key.key_id(), key.identifier()).await?;
        if found.is_empty() {
            found = self.find_destroyed(key.key_id()).await?;
        }
        let mut first_failure = None;
        for object in &found {
            // The failure of one object does not hold up the others.
            if let Err(failure) = self.destroy_object(key, object).await {
                first_failure.get_or_insert(failure);
            }
        }
        match (first_failure, found.is_empty()) {
            (Some(failure), _) => Err(failure),
            (None, true) => Ok(AtHost::NotShown),
            (None, false) => Ok(AtHost::Destroyed),
        }
    }

    async fn destroy_object(&self, key: &RetiredKey, object: &FoundKey) -> Result<(), HostFailure> {
        if object.is_destroyed() {
            return Ok(());
        }
        if let Some(check) = key.check() {
            self.prove_key(key, object, check).await?;
        }
        if object.state == State::Active {
            self.revoke(key, object).await?;
        }
        let unique_identifier = identifier_of(&object.identifier);
        self.ask(DestroyRequest { unique_identifier }).await?;
        match self.state(&object.identifier, key.key_id()).await? {
            None => Ok(()),
            Some(state) if is_destroyed(state) => Ok(()),
            Some(state) => Err(HostFailure::server(format!(
                "answered Destroy with success and shows master key {} as {state:?}",
                key.key_id()
            ))),
        }
    }

    /// Proves that the object holds this key: another one may carry its attribute.
    async fn prove_key(
        &self,
        key: &RetiredKey,
        object: &FoundKey,
        check: &str,
    ) -> Result<(), HostFailure> {
        let got = match self.client.request(get(&object.identifier)).await {
            Ok(got) => got,
            // Some servers do not give a key that was revoked. An earlier attempt revoked it, after
            // it had compared the bytes; what is left to go by is that the object carries the
            // attribute and, if the identifier is known, that the key was fetched from it.
            Err(error)
                if error.reason().is_some()
                    && matches!(object.state, State::Deactivated | State::Compromised)
                    && key.identifier().is_none_or(|known| known == object.identifier) =>
            {
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let key_id = key.key_id();
        if key_of(&got, &object.identifier, key_id)?.check_value(key_id) == check {
            return Ok(());
        }
        Err(HostFailure::server(format!(
            "has an object {:?} with attribute {} that holds another key than master key {key_id}, \
             so it was not destroyed; find out whose it is, and remove it or its attribute",
            object.identifier,
            key_id.attribute_name()
        )))
    }

    /// Revokes the key. An answer may be lost, and a key that is not Active is refused: what counts
    /// is the State.
    async fn revoke(&self, key: &RetiredKey, object: &FoundKey) -> Result<(), HostFailure> {
        let reason = RevocationReason {
            code: RevocationReasonCode::CessationOfOperation,
            message: Some("The master key was replaced.".to_owned()),
        };
        let request = RevokeRequest {
            unique_identifier: identifier_of(&object.identifier),
            revocation_reason: reason,
            compromise_occurrence_date: None,
        };
        let revoked = self.ask(request).await;
        if self.state(&object.identifier, key.key_id()).await? != Some(State::Active) {
            return Ok(());
        }
        revoked?;
        Err(HostFailure::server(format!(
            "answered Revoke with success and shows master key {} as Active",
            key.key_id()
        )))
    }
}

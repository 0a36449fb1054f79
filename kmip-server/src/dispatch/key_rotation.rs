//! Keys that turn by themselves (2.1, 4.48, 4.51 and 4.54): each minute, those whose Rotate
//! Interval has passed are replaced, as if their owners had asked for Re-key.
//!
//! ```text
//! r/<when><hash of owner><id>  --those that are due-->  Re-key, in its owner's name
//! ```
//!
//! The row is one of the index, so it is written and removed with the object, in one commit: the
//! old key loses it, and the new one has one of its own. Two servers over one store cannot turn a
//! key twice, since the second finds the key changed.
//!
//! What a Re-key may do is decided by Re-key; what it refuses stays as it is, and the log is told.
//! Certificates do not turn: their request is the client's to make.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use kmip::payload::{ReKeyKeyPairRequest, ReKeyRequest, RequestPayload};
use kmip::vocabulary::{ObjectType, Operation, State};
use kmip::{DateTime, Identifier, Version};
use tracing::{info, warn};

use crate::auth::client::Client;
use crate::config::limits::ROTATION_PAUSE;
use crate::dispatch::key_server::KeyServer;
use crate::dispatch::resources;
use crate::objects::attribute::attribute;
use crate::objects::record::{Metadata, damaged};
use crate::objects::rotation::{self, Due};
use crate::operations::availability::is_served;
use crate::store::{Range, StoreError};

/// Rows read at once.
const PAGE: usize = 256;

/// Turns what is due, again and again.
pub(crate) async fn run(key_server: Arc<KeyServer>) {
    loop {
        tokio::time::sleep(ROTATION_PAUSE).await;
        match rotate_due_keys(&key_server, resources::now()).await {
            Ok(0) => {}
            Ok(turned) => info!("{turned} keys were replaced, as their Rotate Interval says"),
            Err(error) => warn!(%error, "keys could not be turned"),
        }
    }
}

/// Replaces the keys that are due at `now`, and says how many.
pub(crate) async fn rotate_due_keys(
    key_server: &KeyServer,
    now: DateTime,
) -> Result<usize, StoreError> {
    let mut rotated: usize = 0;
    let mut range = Range {
        from: rotation::PREFIX.to_vec(),
        to: rotation::row_of(DateTime(now.0.saturating_add(1))),
        limit: PAGE,
    };
    loop {
        let page = key_server.store().scan(range.clone()).await?;
        for (key, _) in &page {
            let Some(due) = Due::read(key) else { continue };
            rotated = rotated.saturating_add(usize::from(rotate(key_server, &due, now).await?));
        }
        match page.last() {
            Some((last, _)) if page.len() >= PAGE => range = range.beyond(last),
            _ => return Ok(rotated),
        }
    }
}

/// Replaces one key, in its owner's name.
async fn rotate(key_server: &KeyServer, due: &Due, now: DateTime) -> Result<bool, StoreError> {
    let Some(metadata) = metadata(key_server, due).await? else { return Ok(false) };
    let is_in_use = matches!(metadata.state(now), State::PreActive | State::Active);
    let Some(request) = request(due, &metadata).filter(|_| is_in_use) else {
        return Ok(false);
    };
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let owner = Client::new(metadata.owner, peer);
    let answers = key_server.ask(&owner, Version::V2_1, vec![request]).await;
    if answers.is_empty() {
        warn!(id = %due.id, owner = %owner.owner, "a key that is due could not be replaced");
    }
    Ok(!answers.is_empty())
}

/// What is known of the key, wherever its row says that it may stand.
async fn metadata(key_server: &KeyServer, due: &Due) -> Result<Option<Metadata>, StoreError> {
    for key in [Metadata::key(&due.id), Metadata::chosen_key(due.chosen, &due.id)] {
        let Some(record) = key_server.store().get(&key).await? else { continue };
        let metadata = Metadata::decode(&record.value).map_err(|error| damaged(&due.id, &error))?;
        if rotation::due(&metadata) == Some(due.when) {
            return Ok(Some(metadata));
        }
    }
    Ok(None)
}

/// What its owner would ask for.
fn request(due: &Due, metadata: &Metadata) -> Option<RequestPayload> {
    let id = Some(Identifier::from(due.id.as_str()));
    let offset = attribute!(metadata.values(), RotateOffset);
    let request: RequestPayload = match metadata.object_type() {
        Some(ObjectType::SymmetricKey) => ReKeyRequest {
            unique_identifier: id,
            offset,
            attributes: None,
            protection_storage_masks: None,
        }
        .into(),
        Some(ObjectType::PrivateKey) => ReKeyKeyPairRequest {
            private_key_unique_identifier: id,
            offset,
            ..ReKeyKeyPairRequest::default()
        }
        .into(),
        Some(_) | None => return None,
    };
    let operation: Operation = request.operation();
    is_served(operation).then_some(request)
}

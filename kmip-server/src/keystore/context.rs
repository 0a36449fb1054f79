//! What an operation may see and do: the objects of its client, as its batch sees them, and what
//! the batch has named so far. **Access is checked here and nowhere else**: every object comes
//! through [`Context::object`], and every new one goes through [`Context::insert`] or
//! [`Context::import`]. **What it reads is guarded here**: a batch that writes is committed only if
//! the objects that it has read are as they were.

use std::collections::BTreeSet;

use kmip::vocabulary::{ObjectType, Operation, UniqueIdentifier};
use kmip::{DateTime, Identifier, InputData, SecretBytes, Version};

use crate::auth::access_control;
use crate::auth::client::Client;
use crate::config::policy::Policy;
use crate::keystore::batch_references::BatchReferences;
use crate::keystore::message_work::{MessageWork, SlowWork};
use crate::keystore::process_state::{Effects, ProcessState};
use crate::objects::attribute_rules::Moment;
use crate::objects::error::{OperationError, Result};
use crate::objects::index::Index;
use crate::objects::lifecycle;
use crate::objects::record::{Known, Material, Metadata, Summary, damaged, take_apart};
use crate::store::StoreError;
use crate::store::root_key::IndexKey;
use crate::store::transaction::Transaction;

/// What an operation may see and do.
pub(crate) struct Context<'a> {
    /// The objects, as this batch sees them.
    pub transaction: Transaction<'a>,
    /// What lives beside the store; to be read alone.
    pub state: &'a ProcessState,
    /// What is to change there once the batch is durable.
    pub effects: Effects,
    /// Processor time of the message.
    pub work: &'a MessageWork,
    /// Makes the keys of index rows.
    pub index_key: &'a IndexKey,
    /// What the settings let operations do.
    pub policy: &'a Policy,
    /// Who asks.
    pub client: &'a Client,
    /// The operation of the item under way.
    pub operation: Operation,
    /// The version of the message.
    pub version: Version,
    /// The time of the message, which is one for all its items.
    pub now: DateTime,
    /// The object named last (the ID Placeholder; 2.1, 6).
    pub id_placeholder: Option<String>,
    /// The objects that the items of this batch have named in their answers.
    pub references: BatchReferences,
    /// The objects seen so far whose identifiers the client chose.
    pub chosen: BTreeSet<String>,
}

impl<'a> Context<'a> {
    /// Where slow work of this message is done.
    pub(crate) fn slow_work(&self) -> SlowWork<'a> {
        SlowWork { of: self.work, pool: &self.state.processor, owner: &self.client.owner }
    }

    /// The rows of the client's index.
    pub(crate) fn index(&self) -> Index<'a> {
        let own = self.client.own_rows.as_deref();
        Index { key: self.index_key, owner: &self.client.owner, own }
    }

    /// The identifier that a request means: the one it names, or the one its batch named last.
    pub(crate) fn identify(&self, named: Option<&Identifier>) -> Result<String> {
        let found = match named {
            Some(Identifier::Text(text)) => return Ok(text.clone()),
            None | Some(Identifier::Enumeration(UniqueIdentifier::IDPlaceholder)) => {
                self.id_placeholder.clone()
            }
            Some(Identifier::Index(index)) => self.references.at(*index).map(str::to_owned),
            Some(Identifier::Enumeration(word)) => self.references.of(*word).map(str::to_owned),
        };
        found.ok_or_else(|| {
            OperationError::invalid_field(
                "the request names no object, and no item before it in its batch named one",
            )
        })
    }

    /// The data that a request means: what it holds, or what its batch has given before (2.1, 7.9).
    pub(crate) fn data(&self, data: Option<InputData>) -> Result<Option<SecretBytes>> {
        let found = match data {
            None => return Ok(None),
            Some(InputData::Bytes(bytes)) => return Ok(Some(bytes)),
            Some(InputData::Enumeration(word)) => self.references.data_of(word),
            Some(InputData::Index(index)) => self.references.data_at(index),
        };
        found.cloned().map(Some).ok_or_else(|| {
            OperationError::invalid_field("no item before it in its batch gave the data meant")
        })
    }

    /// What is known of an object that the client may know of. It, or that there is none, is the
    /// same when the batch is committed, if the batch writes anything.
    pub(crate) async fn object(&mut self, id: &str) -> Result<Metadata> {
        self.known(id, Reading::Decides).await
    }

    /// As [`Self::object`], where nothing that is written follows from it: one of many that are
    /// looked through. Of the one that is found, [`Self::object`] is asked then.
    pub(crate) async fn glance(&mut self, id: &str) -> Result<Metadata> {
        self.known(id, Reading::Glance).await
    }

    /// As [`Self::object`], as much as is asked for.
    async fn known<K: Known>(&mut self, id: &str, reading: Reading) -> Result<K> {
        // An identifier longer than any that was given cannot be a key of the store.
        if id.len() > ID_LEN_MAX {
            return Err(OperationError::not_found("of so long an identifier"));
        }
        let given = self.read(id, &Metadata::key(id), reading).await?;
        let chosen = match given {
            Some(_) => None,
            None => {
                let key = Metadata::chosen_key(self.index().chosen(), id);
                if reading == Reading::Decides {
                    // Also if it is absent: a client may bring it. Ours nobody can name before.
                    self.transaction.guard(&key).await?;
                }
                self.read(id, &key, reading).await?
            }
        };
        match (reading, &chosen) {
            (Reading::Decides, Some(_)) => drop(self.chosen.insert(id.to_owned())),
            (Reading::Decides, None) => drop(self.chosen.remove(id)),
            (Reading::Glance, _) => {}
        }
        given.or(chosen).ok_or_else(|| OperationError::not_found(id))
    }

    /// What is known by a row, if the client may know of it in this version: there are no templates
    /// from 2.0 on.
    async fn read<K: Known>(
        &mut self,
        id: &str,
        key: &[u8],
        reading: Reading,
    ) -> Result<Option<K>> {
        let row = match reading {
            Reading::Decides => self.transaction.peek(key).await?,
            Reading::Glance => self.transaction.glance(key).await?,
        };
        let Some(row) = row else { return Ok(None) };
        let known = K::decode(row).map_err(|error| damaged(id, &error))?;
        let is_shown = known
            .object_type()
            .is_none_or(|kind| kind != ObjectType::Template || kind.exists_in(self.version));
        let may = access_control::may(self.client, self.operation, id, &known);
        // What another client does with its objects is nothing to wait for.
        if reading == Reading::Decides && known.owner() == self.client.owner {
            self.transaction.guard(key).await?;
        }
        Ok(Some(known).filter(|_| is_shown && may))
    }

    /// When, and in which State, something is asked of an object.
    pub(crate) fn moment(&self, metadata: &Metadata) -> Moment {
        Moment { state: metadata.state(self.now), now: self.now, version: self.version }
    }

    pub(crate) fn metadata_key(&self, id: &str) -> Vec<u8> {
        match self.chosen.contains(id) {
            true => Metadata::chosen_key(self.index().chosen(), id),
            false => Metadata::key(id),
        }
    }

    pub(crate) fn material_key(&self, id: &str) -> Vec<u8> {
        match self.chosen.contains(id) {
            true => Material::chosen_key(self.index().chosen(), id),
            false => Material::key(id),
        }
    }

    /// As [`Self::object`], of an object that is not archived: what is must be recovered before it
    /// is named in any other operation (1.4, 4; 2.1, 6.1).
    pub(crate) async fn online_object(&mut self, id: &str) -> Result<Metadata> {
        self.online(id).await
    }

    async fn online<K: Known>(&mut self, id: &str) -> Result<K> {
        let known: K = self.known(id, Reading::Decides).await?;
        match known.is_archived() {
            true => Err(OperationError::archived(id)),
            false => Ok(known),
        }
    }

    /// As [`Self::online_object`], of an object whose material is still there.
    pub(crate) async fn live_object(&mut self, id: &str) -> Result<Metadata> {
        self.live(id).await
    }

    /// As [`Self::live_object`], but only what decides whether it may be given away.
    pub(crate) async fn live_summary(&mut self, id: &str) -> Result<Summary> {
        self.live(id).await
    }

    async fn live<K: Known>(&mut self, id: &str) -> Result<K> {
        let known: K = self.online(id).await?;
        match lifecycle::is_destroyed(known.state(self.now)) {
            true => Err(OperationError::destroyed(id)),
            false => Ok(known),
        }
    }

    /// The object itself, of one that [`Self::object`] has let through.
    pub(crate) async fn material(&mut self, id: &str) -> Result<Material> {
        let missing = || StoreError::Damaged(format!("object {id} has lost its material"));
        let key = self.metadata_key(id);
        let row = self.transaction.peek(&key).await?.ok_or_else(missing)?;
        let (_, beside) = take_apart(row);
        if !beside.is_empty() {
            return Ok(Material::decode(beside).map_err(|error| damaged(id, &error))?);
        }
        let key = self.material_key(id);
        let bytes = self.transaction.peek(&key).await?.ok_or_else(missing)?;
        Ok(Material::decode(bytes).map_err(|error| damaged(id, &error))?)
    }
}

/// What an object is read for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// For a decision: it is guarded.
    Decides,
    /// To be looked at.
    Glance,
}

/// The longest Unique Identifier that is looked up. Ours are 36 bytes long; the limit keeps what a
/// client sends below the longest key of the store.
pub(crate) const ID_LEN_MAX: usize = 128;

//! Writes of a client's objects and of their index rows. **Every new object goes through
//! [`Context::insert`] or [`Context::import`]**, which hold it against what its attributes promise
//! and against the client's constraints.

use kmip::attributes::AttributeValue;
use kmip::objects::Object;
use kmip::vocabulary::ResultReason;
use uuid::Uuid;

use crate::auth::access_control;
use crate::config::Names;
use crate::keystore::constraints;
use crate::keystore::context::Context;
use crate::keystore::notifications::ObjectChange;
use crate::objects::attribute::attribute;
use crate::objects::attribute_consistency;
use crate::objects::attribute_rules;
use crate::objects::error::{OperationError, Result};
use crate::objects::index::{Holder, has_row, id_of, with_id};
use crate::objects::lifecycle;
use crate::objects::record::{BESIDE_LEN_MAX, Material, Metadata, Summary, damaged, take_apart};
use crate::secret::SecretBuffer;

impl Context<'_> {
    /// Makes a new object of the client's, and gives its identifier.
    pub(crate) async fn insert(
        &mut self,
        values: Vec<AttributeValue>,
        object: Object,
    ) -> Result<String> {
        if !access_control::may_make(self.client, self.operation, values.iter()) {
            return Err(OperationError::not_granted(self.operation));
        }
        attribute_rules::check_count(values.len())?;
        attribute_consistency::check_consistency(&values, &object)?;
        constraints::check(self, &values, object.object_type()).await?;
        if let Some(algorithm) = attribute!(values.iter(), CryptographicAlgorithm) {
            self.policy.disabled.check_algorithm(algorithm)?;
        }
        let id = Uuid::now_v7().to_string();
        let lease_time = self.lease_time(&object);
        let values = values.into_iter().filter(|v| !matches!(v, AttributeValue::LeaseTime(_)));
        let values = values.chain(lease_time);
        let metadata = Metadata::of_new(self.client.owner.clone(), values);
        self.write_rows(&id, None, Some(&metadata)).await?;
        self.write_whole(&id, &metadata, Some(object));
        if self.state.notifications.is_kept(&metadata.owner) {
            self.tell(metadata.owner.clone(), ObjectChange::of_new(&id, &metadata));
        }
        self.id_placeholder = Some(id.clone());
        Ok(id)
    }

    /// The Lease Time of a new object; a template is not used, and has none (1.4, 3.20).
    pub(crate) fn lease_time(&self, object: &Object) -> Option<AttributeValue> {
        let lease_time = self.policy.lease_time;
        let has_one = lease_time.0 > 0 && !matches!(object, Object::Template(_));
        has_one.then_some(AttributeValue::LeaseTime(lease_time))
    }

    /// Keeps an object under the identifier that the client chose, in the place of `old`, which is
    /// what [`Self::object`] gave for it. One without material is one that is destroyed.
    pub(crate) async fn import(
        &mut self,
        id: &str,
        old: Option<&Metadata>,
        new: &Metadata,
        object: Option<Object>,
    ) -> Result<()> {
        if old.is_none() && !access_control::may_make(self.client, self.operation, new.values()) {
            return Err(OperationError::not_granted(self.operation));
        }
        if old.is_none() {
            self.check_free(id).await?;
        }
        let values: Vec<AttributeValue> = new.values().cloned().collect();
        attribute_rules::check_count(values.len())?;
        if let Some(object) = &object {
            attribute_consistency::check_consistency(&values, object)?;
        }
        if let Some(algorithm) = attribute!(values.iter(), CryptographicAlgorithm) {
            self.policy.disabled.check_algorithm(algorithm)?;
        }
        if let Some(kind) = new.object_type() {
            constraints::check(self, &values, kind).await?;
        }
        if old.is_none() {
            self.chosen.insert(id.to_owned());
        }
        self.write_rows(id, old, Some(new)).await?;
        self.remove_material(id).await?;
        self.write_whole(id, new, object);
        if self.state.notifications.is_kept(&new.owner) {
            let news = match old {
                None => Some(ObjectChange::of_new(id, new)),
                Some(old) => ObjectChange::of_change(id, old, new, self.now),
            };
            if let Some(news) = news {
                self.tell(new.owner.clone(), news);
            }
        }
        self.id_placeholder = Some(id.to_owned());
        Ok(())
    }

    /// Refuses an identifier under which its owner has an object that does not show here: to a
    /// ticket with fewer rights, or a template to a client of 2.x. It must not be overwritten.
    async fn check_free(&mut self, id: &str) -> Result<()> {
        for key in [Metadata::key(id), Metadata::chosen_key(self.index().chosen(), id)] {
            let Some(bytes) = self.transaction.get(&key).await? else { continue };
            let metadata = Metadata::decode(&bytes).map_err(|error| damaged(id, &error))?;
            if metadata.owner == self.client.owner {
                return Err(OperationError::new(
                    ResultReason::ObjectAlreadyExists,
                    format!("an object {id} stands, and cannot be replaced from here"),
                ));
            }
        }
        Ok(())
    }

    /// Writes an object and what is known of it: in one row, if it is small.
    fn write_whole(&mut self, id: &str, metadata: &Metadata, object: Option<Object>) {
        let version = self.version;
        let material = object.map(|object| Material { version, object }.encode());
        let is_small = |material: &SecretBuffer| material.len() <= BESIDE_LEN_MAX;
        let beside = material.as_ref().filter(|material| is_small(material));
        let row = metadata.encode(beside.map(|material| material.as_slice()).unwrap_or_default());
        self.transaction.put(self.metadata_key(id), row);
        if let Some(material) = material.filter(|material| !is_small(material)) {
            self.transaction.put(self.material_key(id), material);
        }
    }

    /// Writes what is known of an object, and leaves the object itself as it is.
    async fn write_metadata(&mut self, id: &str, metadata: &Metadata) -> Result<()> {
        let row = self.metadata_row(id, metadata).await?;
        self.transaction.put(self.metadata_key(id), row);
        Ok(())
    }

    async fn metadata_row(&mut self, id: &str, metadata: &Metadata) -> Result<SecretBuffer> {
        let row = self.transaction.get(&self.metadata_key(id)).await?.unwrap_or_default();
        let (_, beside) = take_apart(&row);
        Ok(metadata.encode(beside))
    }

    /// Writes what is now known of an object in the place of what was.
    pub(crate) async fn update(
        &mut self,
        id: &str,
        old: &Metadata,
        mut new: Metadata,
    ) -> Result<()> {
        // One that an older program let grow may become smaller.
        if new.attributes.len() > old.attributes.len() {
            attribute_rules::check_count(new.attributes.len())?;
        }
        attribute_rules::follow(&mut new);
        new.set(AttributeValue::LastChangeDate(self.now));
        self.write_rows(id, Some(old), Some(&new)).await?;
        self.write_metadata(id, &new).await?;
        if self.state.notifications.is_kept(&new.owner)
            && let Some(news) = ObjectChange::of_change(id, old, &new, self.now)
        {
            self.tell(new.owner, news);
        }
        Ok(())
    }

    /// Tells the owner, once it is durable.
    fn tell(&mut self, owner: String, news: ObjectChange) {
        self.effects.then(move |live| live.notifications.push(&owner, news));
    }

    /// An object is fresh until it has been served once (1.4, 3.34; 2.1, 4.24). That changes
    /// nothing else of it, not even its Last Change Date, and on a full disk it stays fresh: who
    /// cannot fetch keys loses what they open.
    pub(crate) async fn served(&mut self, id: &str, summary: &Summary) -> Result<()> {
        if summary.fresh == Some(true) {
            let mut served = self.object(id).await?;
            served.set(AttributeValue::Fresh(false));
            let row = self.metadata_row(id, &served).await?;
            self.transaction.put_minor(self.metadata_key(id), row);
        }
        Ok(())
    }

    /// Removes an object and all that is known of it, as if it had never been. No client asks for
    /// that of a single object: what Destroy leaves is for ever.
    pub(crate) async fn forget(&mut self, id: &str, old: &Metadata) -> Result<()> {
        self.write_rows(id, Some(old), None).await?;
        self.remove_material(id).await?;
        self.transaction.get(&self.metadata_key(id)).await?;
        self.transaction.remove(self.metadata_key(id));
        Ok(())
    }

    /// Removes the object itself. What is known of it stays.
    pub(crate) async fn remove_material(&mut self, id: &str) -> Result<()> {
        let key = self.metadata_key(id);
        let row = self.transaction.get(&key).await?.unwrap_or_default();
        let (known, beside) = take_apart(&row);
        if !beside.is_empty() {
            self.transaction.put(key, SecretBuffer::new(known.to_vec()));
        }
        let key = self.material_key(id);
        self.transaction.get(&key).await?;
        self.transaction.remove(key);
        Ok(())
    }

    /// Brings the index rows of an object from what was known to what is known.
    async fn write_rows(
        &mut self,
        id: &str,
        old: Option<&Metadata>,
        new: Option<&Metadata>,
    ) -> Result<()> {
        let index = self.index();
        let storage = |metadata: &Metadata| lifecycle::storage(metadata.values(), self.now);
        // Nearly every change is of a date or another attribute that no row follows from.
        if let (Some(old), Some(new)) = (old, new)
            && storage(old) == storage(new)
            && old.values().filter(has_row).eq(new.values().filter(has_row))
        {
            return Ok(());
        }
        let rows = |metadata: &Metadata| index.rows(id, metadata, storage(metadata));
        let old = old.map(rows).unwrap_or_default();
        let new = new.map(rows).unwrap_or_default();
        for key in old.keys().filter(|key| !new.contains_key(*key)) {
            match self.transaction.get(key).await? {
                Some(holder) if !holder.is_empty() => self.leave_name(key, &holder, id).await?,
                Some(_) | None => self.transaction.remove(key.clone()),
            }
        }
        for (key, value) in new.iter().filter(|(key, value)| old.get(*key) != Some(*value)) {
            // Only a name can be another object's already: its row is the one that is shared. The
            // rest have the identifier in their key, and those of a new one are in no store.
            let is_own = value.is_empty();
            if is_own && old.is_empty() {
                self.transaction.put(key.clone(), SecretBuffer::new(value.clone()));
                continue;
            }
            match self.transaction.get_guarded(key).await? {
                Some(holder) if !is_own && Holder::read(&holder).id != id => {
                    // One that has it already stands among those who share it, and stays there.
                    if !old.contains_key(key) {
                        self.share_name(key, holder, id)?;
                    }
                }
                Some(_) | None => {
                    self.transaction.put(key.clone(), SecretBuffer::new(value.clone()))
                }
            }
        }
        Ok(())
    }

    /// Gives an object a name that another one has, if they may share it.
    ///
    /// The other's row is written again: who gives it up meanwhile must see this object.
    fn share_name(&mut self, key: &[u8], holder: SecretBuffer, id: &str) -> Result<()> {
        match self.policy.names {
            Names::Unique => Err(OperationError::new(
                ResultReason::NonUniqueNameAttribute,
                "another object of this client has the Name already",
            )),
            Names::Shared => {
                self.transaction.put(key.to_vec(), holder);
                self.transaction.put(with_id(key, id), SecretBuffer::default());
                Ok(())
            }
        }
    }

    /// Takes a name from an object. If others share it, one of them comes into its row.
    async fn leave_name(&mut self, key: &[u8], holder: &[u8], id: &str) -> Result<()> {
        if Holder::read(holder).id != id {
            let own = with_id(key, id);
            self.transaction.get(&own).await?;
            self.transaction.remove(own);
            return Ok(());
        }
        // Also where names are unique: they may have been shared before.
        let sharers = self.transaction.page(key, Some(key), 1).await?;
        match sharers.first().and_then(|row| Some((row, id_of(key, row)?))) {
            None => self.transaction.remove(key.to_vec()),
            Some((row, other)) => {
                self.transaction.get(row).await?;
                self.transaction.put(key.to_vec(), SecretBuffer::new(other.into_bytes()));
                self.transaction.remove(row.clone());
            }
        }
        Ok(())
    }
}

//! What has changed of a client's objects, for the connection on which the server tells it
//! (1.4, 5.1 and 5.2; 2.1, 6.2.2 and 6.2.3).
//!
//! ```text
//! batch, durable -> effect -> queue of the owner: change, change, change -> talk -> Notify | Put
//!                               the oldest is dropped when it is full
//! ```
//!
//! A queue begins when a client first asks to be told, and what changes while it is away waits for
//! it to come back. No key is here and no attribute: only which object changed, and in what. What
//! is told is read when it is told, so it is never older than what the client could ask for.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kmip::attributes::{AttributeReference, AttributeValue};
use kmip::vocabulary::{LinkType, tags};
use kmip::{DateTime, Identifier};
use tokio::sync::Notify;

use crate::objects::record::Metadata;

/// The most changes that wait for one client. A client that is away for longer asks with Locate.
pub(crate) const CHANGES_MAX: usize = 256;

/// The most clients that are told. Each may have [`CHANGES_MAX`] changes of some hundred bytes.
pub(crate) const QUEUES_MAX: usize = 4096;

/// That one object has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectChange {
    /// The object.
    pub id: String,
    /// Is it new, and does it replace another?
    pub kind: Kind,
    /// The attributes that it was given, or that have another value.
    pub changed: BTreeSet<AttributeReference>,
    /// The attributes that it has no more.
    pub deleted: BTreeSet<AttributeReference>,
}

/// What became of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is new.
    New,
    /// It is new, and stands for this one.
    Replaces(String),
    /// It is another than it was.
    Changed,
}

impl ObjectChange {
    /// Of a new object.
    pub(crate) fn of_new(id: &str, new: &Metadata) -> Self {
        let replaced = new.values().find_map(|value| {
            if let AttributeValue::Link(link) = value
                && link.link_type == LinkType::ReplacedObjectLink
                && let Identifier::Text(old) = &link.linked_object_identifier
            {
                Some(old.clone())
            } else {
                None
            }
        });
        let identifiers = [tags::UniqueIdentifier, tags::ShortUniqueIdentifier];
        let identifiers = identifiers.map(AttributeReference::Standard);
        Self {
            id: id.to_owned(),
            kind: replaced.map_or(Kind::New, Kind::Replaces),
            changed: new.values().map(AttributeValue::reference).chain(identifiers).collect(),
            deleted: BTreeSet::new(),
        }
    }

    /// Of an object that was known as `old` and is now known as `new`. That it was served, or its
    /// lease prolonged, is no news to the client that it was served to.
    pub(crate) fn of_change(
        id: &str,
        old: &Metadata,
        new: &Metadata,
        now: DateTime,
    ) -> Option<Self> {
        let of = |metadata: &Metadata| -> BTreeSet<AttributeReference> {
            metadata.values().map(AttributeValue::reference).collect()
        };
        let (before, after) = (of(old), of(new));
        let differs = |reference: &&AttributeReference| {
            !old.instances(reference).eq(new.instances(reference))
        };
        let mut changed: BTreeSet<_> = after.iter().filter(differs).cloned().collect();
        let deleted: BTreeSet<_> = before.difference(&after).cloned().collect();
        if old.state(now) != new.state(now) {
            changed.insert(AttributeReference::Standard(tags::State));
        }
        let quiet = [tags::Fresh, tags::LastChangeDate, tags::LeaseTime];
        let quiet = quiet.map(AttributeReference::Standard);
        if deleted.is_empty() && changed.iter().all(|reference| quiet.contains(reference)) {
            return None;
        }
        Some(Self { id: id.to_owned(), kind: Kind::Changed, changed, deleted })
    }
}

/// What a follower finds.
pub(crate) enum Next {
    /// This.
    ObjectChange(ObjectChange),
    /// Nothing yet.
    Nothing,
    /// That another connection of the client follows now.
    Superseded,
}

#[derive(Default)]
struct NotificationQueue {
    waiting: VecDeque<ObjectChange>,
    dropped: u64,
    /// Which connection follows: the one that came last.
    follower: u64,
    is_followed: bool,
    wake: Arc<Notify>,
}

/// The queues of all clients.
#[derive(Default)]
pub(crate) struct NotificationQueues {
    by_owner: Mutex<HashMap<String, NotificationQueue>>,
    /// How many there are: mostly none, which costs no lock.
    count: AtomicUsize,
}

impl NotificationQueues {
    fn all(&self) -> MutexGuard<'_, HashMap<String, NotificationQueue>> {
        // Every statement leaves the map whole, so a panic elsewhere spoils nothing.
        self.by_owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does anybody want to know what changes of the client's objects?
    pub(crate) fn is_kept(&self, owner: &str) -> bool {
        self.count.load(Ordering::Acquire) > 0 && self.all().contains_key(owner)
    }

    /// Something has changed, and is durable.
    pub(crate) fn push(&self, owner: &str, news: ObjectChange) {
        let mut all = self.all();
        let Some(queue) = all.get_mut(owner) else { return };
        match queue.waiting.iter_mut().find(|waiting| waiting.id == news.id) {
            // What is told is read when it is told, so one telling serves for both.
            Some(waiting) => {
                waiting.changed.retain(|reference| !news.deleted.contains(reference));
                waiting.deleted.retain(|reference| !news.changed.contains(reference));
                waiting.changed.extend(news.changed);
                waiting.deleted.extend(news.deleted);
            }
            None => {
                if queue.waiting.len() >= CHANGES_MAX {
                    queue.waiting.pop_front();
                    queue.dropped = queue.dropped.saturating_add(1);
                    if queue.dropped == 1 {
                        tracing::warn!(owner, "more than {CHANGES_MAX} changes wait to be told");
                    }
                }
                queue.waiting.push_back(news);
            }
        }
        queue.wake.notify_one();
    }

    /// Follows the client's queue from now on, and no other connection does; none if there are too
    /// many queues.
    pub(crate) fn follow(self: &Arc<Self>, owner: &str) -> Option<Subscriber> {
        let mut all = self.all();
        if all.len() >= QUEUES_MAX && !all.contains_key(owner) {
            all.retain(|_, queue| queue.is_followed);
            if all.len() >= QUEUES_MAX {
                return None;
            }
        }
        let queue = all.entry(owner.to_owned()).or_default();
        queue.follower = queue.follower.saturating_add(1);
        queue.is_followed = true;
        if queue.dropped > 0 {
            tracing::warn!(owner, "{} changes are lost to a client that was away", queue.dropped);
            queue.dropped = 0;
        }
        // Whoever followed before must see that it does no more.
        queue.wake.notify_one();
        queue.wake = Arc::default();
        let (number, wake) = (queue.follower, Arc::clone(&queue.wake));
        self.count.store(all.len(), Ordering::Release);
        let queues = Arc::clone(self);
        Some(Subscriber { queues, owner: owner.to_owned(), number, wake, told: None })
    }
}

/// A connection that is told what changes.
pub(crate) struct Subscriber {
    queues: Arc<NotificationQueues>,
    owner: String,
    number: u64,
    wake: Arc<Notify>,
    /// What was told last, until the client has said that it heard.
    told: Option<ObjectChange>,
}

impl Subscriber {
    /// Completes when there may be something; may be dropped and called again.
    pub(crate) async fn wait(&self) {
        let nothing = match self.queues.all().get(&self.owner) {
            Some(queue) => queue.follower == self.number && queue.waiting.is_empty(),
            None => false,
        };
        if nothing {
            self.wake.notified().await;
        }
    }

    /// The next change. It waits again if the connection ends before [`Self::heard`].
    pub(crate) fn take(&mut self) -> Next {
        let mut all = self.queues.all();
        let Some(queue) = all.get_mut(&self.owner) else { return Next::Superseded };
        if queue.follower != self.number {
            return Next::Superseded;
        }
        match queue.waiting.pop_front() {
            Some(news) => {
                self.told = Some(news.clone());
                Next::ObjectChange(news)
            }
            None => Next::Nothing,
        }
    }

    /// The client heard the last change, or never will.
    pub(crate) fn heard(&mut self) {
        self.told = None;
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let told = self.told.take();
        let mut all = self.queues.all();
        let Some(queue) = all.get_mut(&self.owner) else { return };
        if let Some(news) = told {
            queue.waiting.push_front(news);
            queue.wake.notify_one();
        }
        queue.is_followed &= queue.follower != self.number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news(id: &str, changed: &[AttributeReference]) -> ObjectChange {
        ObjectChange {
            id: id.to_owned(),
            kind: Kind::Changed,
            changed: changed.iter().cloned().collect(),
            deleted: BTreeSet::new(),
        }
    }

    fn told(follower: &mut Subscriber) -> Vec<String> {
        let mut ids = Vec::new();
        while let Next::ObjectChange(news) = follower.take() {
            follower.heard();
            ids.push(news.id);
        }
        ids
    }

    #[test]
    fn what_was_not_heard_is_told_again_and_the_last_who_follows_is_told() {
        let queues = Arc::new(NotificationQueues::default());
        queues.push("a", news("before", &[]));
        let mut first = queues.follow("a").unwrap();
        queues.push("a", news("1", &[]));
        queues.push("b", news("another's", &[]));
        queues.push("a", news("2", &[]));
        assert!(matches!(first.take(), Next::ObjectChange(news) if news.id == "1"));
        drop(first);
        queues.push("a", news("3", &[]));
        let mut second = queues.follow("a").unwrap();
        assert_eq!(told(&mut second), ["1", "2", "3"]);
        let third = queues.follow("a").unwrap();
        assert!(matches!(second.take(), Next::Superseded));
        drop(second);
        assert!(queues.all()["a"].is_followed, "the third follows");
        drop(third);
        assert!(!queues.all()["a"].is_followed);
        assert!(queues.is_kept("a") && !queues.is_kept("b"));
    }

    #[test]
    fn changes_of_one_object_are_told_once_and_the_oldest_are_dropped() {
        let queues = Arc::new(NotificationQueues::default());
        let mut follower = queues.follow("a").unwrap();
        let [name, state] = [tags::Name, tags::State].map(AttributeReference::Standard);
        queues.push("a", news("one", std::slice::from_ref(&name)));
        queues.push("a", news("one", std::slice::from_ref(&state)));
        assert!(
            matches!(follower.take(), Next::ObjectChange(n) if n.changed == [name, state].into())
        );
        follower.heard();
        for n in 0..=CHANGES_MAX {
            queues.push("a", news(&n.to_string(), &[]));
        }
        let ids = told(&mut follower);
        assert_eq!((ids.len(), ids[0].as_str()), (CHANGES_MAX, "1"));
    }
}

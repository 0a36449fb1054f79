//! Cluster events: what happened, in order.
//!
//! A part of the ledger. Calls that only read are not events. No clock is read here, and no secret
//! and no parameter's value comes here.

use crate::state::timestamps;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::VecDeque;
use time::OffsetDateTime;

/// How many events are kept, the newest ones: the ledger is written whole.
pub(crate) const EVENTS_MAX: usize = 500;

/// What kind of event: Element's `eventInfoType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::enum_variant_names, reason = "the names are Element's")]
pub(crate) enum EventType {
    /// A call that changes something was made.
    ApiEvent,
    /// Encryption at rest: keys made, drives locked and unlocked, rekeys.
    EncryptionAtRestEvent,
    /// A drive changed.
    DriveEvent,
    /// The cluster master or the cluster as a whole changed.
    ClusterMasterEvent,
    /// A node's service started or stopped.
    ServiceEvent,
}

impl EventType {
    /// Every kind.
    pub(crate) const ALL: &'static [Self] = &[
        Self::ApiEvent,
        Self::EncryptionAtRestEvent,
        Self::DriveEvent,
        Self::ClusterMasterEvent,
        Self::ServiceEvent,
    ];

    /// The name as the wire spells it.
    #[must_use]
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::ApiEvent => "apiEvent",
            Self::EncryptionAtRestEvent => "encryptionAtRestEvent",
            Self::DriveEvent => "driveEvent",
            Self::ClusterMasterEvent => "clusterMasterEvent",
            Self::ServiceEvent => "serviceEvent",
        }
    }
}

/// Content of an event, without its number and date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EventContent {
    kind: EventType,
    message: String,
    node_id: u64,
    drive_id: u64,
    details: Option<Value>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    id: u64,
    date: String,
    #[serde(flatten)]
    content: EventContent,
}

/// The events that are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Events {
    last_id: u64,
    events: VecDeque<Event>,
}

/// Which events a call wants; what is absent does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EventFilter {
    /// Of this kind only.
    pub(crate) kind: Option<EventType>,
    /// From this number on.
    pub(crate) start_id: Option<u64>,
    /// Up to this number.
    pub(crate) end_id: Option<u64>,
    /// Of this node only.
    pub(crate) node_id: Option<u64>,
    /// Of this drive only.
    pub(crate) drive_id: Option<u64>,
    /// Of this service only; there are none but 0.
    pub(crate) service_id: Option<u64>,
    /// Since this time.
    pub(crate) start_time: Option<OffsetDateTime>,
    /// Until this time.
    pub(crate) end_time: Option<OffsetDateTime>,
    /// Not more than this, the newest.
    pub(crate) max: Option<u64>,
}

impl EventContent {
    /// An event of the cluster.
    pub(crate) fn new(kind: EventType, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), node_id: 0, drive_id: 0, details: None }
    }

    /// Names the node of the event.
    #[must_use]
    pub(crate) fn on_node(mut self, node_id: impl Into<u64>) -> Self {
        self.node_id = node_id.into();
        self
    }

    /// Names the drive of the event.
    #[must_use]
    pub(crate) const fn on_drive(mut self, drive_id: u64) -> Self {
        self.drive_id = drive_id;
        self
    }

    /// Adds details, as an object.
    #[must_use]
    pub(crate) fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }
}

impl Events {
    /// Records an event of now.
    pub(crate) fn record(&mut self, content: EventContent, now: OffsetDateTime) {
        self.last_id = self.last_id.saturating_add(1);
        let date = timestamps::format_microseconds(now);
        self.events.push_back(Event { id: self.last_id, date, content });
        while self.events.len() > EVENTS_MAX {
            self.events.pop_front();
        }
    }

    /// Id of the event that is recorded next.
    pub(crate) const fn next_id(&self) -> Option<u64> {
        self.last_id.checked_add(1)
    }

    /// The kinds and messages of the events that were recorded since `earlier`, the oldest first.
    pub(crate) fn since<'a>(
        &'a self,
        earlier: &Self,
    ) -> impl Iterator<Item = (EventType, &'a str)> + use<'a> {
        let last_id = earlier.last_id;
        let newer = self.events.iter().filter(move |event| event.id > last_id);
        newer.map(|event| (event.content.kind, event.content.message.as_str()))
    }

    /// The `events` of `ListEvents`, the newest first, as its documented sample shows them.
    #[must_use]
    pub(crate) fn list(&self, filter: &EventFilter) -> Vec<Value> {
        let max = filter.max.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
        self.events
            .iter()
            .rev()
            .filter(|event| filter.takes(event))
            .take(max)
            .map(Event::json)
            .collect()
    }
}

impl EventFilter {
    fn takes(&self, event: &Event) -> bool {
        let Event { id, date, content } = event;
        let date = || timestamps::parse(date);
        self.kind.is_none_or(|kind| kind == content.kind)
            && self.start_id.is_none_or(|start| *id >= start)
            && self.end_id.is_none_or(|end| *id <= end)
            && self.node_id.is_none_or(|node| node == content.node_id)
            && self.drive_id.is_none_or(|drive| drive == content.drive_id)
            && self.service_id.is_none_or(|service| service == 0)
            && self.start_time.is_none_or(|start| date().is_some_and(|date| date >= start))
            && self.end_time.is_none_or(|end| date().is_some_and(|date| date <= end))
    }
}

impl Event {
    fn json(&self) -> Value {
        let Self { id, date, content } = self;
        let EventContent { kind, message, node_id, drive_id, details } = content;
        let drive_ids: Vec<u64> = (*drive_id != 0).then_some(*drive_id).into_iter().collect();
        json!({
            "details": details.clone().unwrap_or_else(|| Value::from("")),
            "driveID": drive_id,
            "driveIDs": drive_ids,
            "eventID": id,
            "eventInfoType": kind.text(),
            "message": message,
            "nodeID": node_id,
            "serviceID": 0,
            "severity": 0,
            "timeOfPublish": date,
            "timeOfReport": date,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{EVENTS_MAX, EventContent, EventFilter, EventType, Events};
    use crate::state::timestamps::parse;
    use serde_json::json;

    #[test]
    fn events_are_listed_newest_first_and_narrowed_by_each_filter() {
        let mut events = Events::default();
        let day = |day| parse(&format!("2021-01-0{day}T00:00:00Z")).unwrap();
        events.record(EventContent::new(EventType::ApiEvent, "first"), day(1));
        let unlocked = EventContent::new(EventType::EncryptionAtRestEvent, "second").on_node(2_u32);
        events.record(unlocked, day(2));
        let failed = EventContent::new(EventType::DriveEvent, "third").on_node(2_u32);
        let failed = EventContent { drive_id: 5, ..failed };
        events.record(failed.with_details(json!({"reason": "locked"})), day(3));

        let all = EventFilter::default();
        let table: &[(&str, EventFilter, &[u64])] = &[
            ("all", all.clone(), &[3, 2, 1]),
            ("kind", EventFilter { kind: Some(EventType::ApiEvent), ..all.clone() }, &[1]),
            ("start", EventFilter { start_id: Some(2), ..all.clone() }, &[3, 2]),
            ("end", EventFilter { end_id: Some(2), ..all.clone() }, &[2, 1]),
            ("node", EventFilter { node_id: Some(2), ..all.clone() }, &[3, 2]),
            ("drive", EventFilter { drive_id: Some(5), ..all.clone() }, &[3]),
            ("service", EventFilter { service_id: Some(1), ..all.clone() }, &[]),
            ("since", EventFilter { start_time: Some(day(2)), ..all.clone() }, &[3, 2]),
            ("until", EventFilter { end_time: Some(day(2)), ..all.clone() }, &[2, 1]),
            ("max", EventFilter { max: Some(1), ..all.clone() }, &[3]),
        ];
        for (what, filter, expected) in table {
            let ids: Vec<_> =
                events.list(filter).iter().map(|e| e["eventID"].as_u64().unwrap()).collect();
            assert_eq!(ids, *expected, "{what}");
        }
        assert_eq!(
            events.list(&all)[0],
            json!({
                "details": {"reason": "locked"}, "driveID": 5, "driveIDs": [5], "eventID": 3,
                "eventInfoType": "driveEvent", "message": "third", "nodeID": 2, "serviceID": 0,
                "severity": 0, "timeOfPublish": "2021-01-03T00:00:00.000000Z",
                "timeOfReport": "2021-01-03T00:00:00.000000Z"
            })
        );
        let kept = serde_json::to_string(&events).unwrap();
        assert_eq!(serde_json::from_str::<Events>(&kept).unwrap(), events);
    }

    #[test]
    fn the_oldest_events_are_forgotten() {
        let mut events = Events::default();
        for _ in 0..EVENTS_MAX + 2 {
            let now = parse("2021-01-01T00:00:00Z").unwrap();
            events.record(EventContent::new(EventType::ApiEvent, ""), now);
        }
        let left = events.list(&EventFilter::default());
        assert_eq!(left.len(), EVENTS_MAX);
        assert_eq!(left[EVENTS_MAX - 1]["eventID"], json!(3));
    }
}

//! Calls of the APIs as events, without what is secret in them.

use super::event_log::{EventKind, EventLog};
use serde_json::{Map, Value, json};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longest text of a parameter or result that is shown, in characters: that of a certificate.
const TEXT_MAX: usize = 4096;

/// Longest parameters, and longest result, that are shown, in bytes of JSON.
const SHOWN_MAX: usize = 16 << 10;

/// Calls that only read, of which events are made in a second: a client that asks again and again
/// shall not push out what it waits for.
const READS_PER_SECOND: u32 = 10;

/// Parts of names of members that hold secrets.
const SECRET_NAMES: [&str; 4] = ["password", "privatekey", "secret", "token"];

/// A call that was answered.
pub(crate) struct AnsweredCall<'a> {
    /// Version of the endpoint, or `sim/v1`.
    pub(crate) endpoint: String,
    /// Name of the method.
    pub(crate) method: &'a str,
    /// Its parameters.
    pub(crate) params: Value,
    /// The result, or the error.
    pub(crate) outcome: Result<&'a Value, Value>,
    /// Whether it only reads.
    pub(crate) reads: bool,
    /// How long it took.
    pub(crate) took: Duration,
    /// Address of the client.
    pub(crate) client: IpAddr,
}

/// Maker of the events of calls.
pub(crate) struct CallLog {
    log: Arc<EventLog>,
    reads: ReadLimit,
}

/// Limit of the calls that only read.
#[derive(Default)]
struct ReadLimit(Mutex<Option<(Instant, u32)>>);

impl ReadLimit {
    /// Whether an event is made of one more.
    fn admit(&self, now: Instant) -> bool {
        let mut second = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match second.as_mut() {
            Some((begun, count)) if now.duration_since(*begun) < Duration::from_secs(1) => {
                *count = count.saturating_add(1);
                *count <= READS_PER_SECOND
            }
            Some(_) | None => {
                *second = Some((now, 1));
                true
            }
        }
    }
}

impl CallLog {
    /// A log that publishes in this one.
    pub(crate) fn new(log: Arc<EventLog>) -> Self {
        Self { log, reads: ReadLimit::default() }
    }

    /// Makes an event of a call. A successful call that only reads is left out when there are many.
    pub(crate) fn publish(&self, call: AnsweredCall<'_>) {
        if call.reads && call.outcome.is_ok() && !self.reads.admit(Instant::now()) {
            return;
        }
        let mut truncated = false;
        let mut event = Map::new();
        let milliseconds = u64::try_from(call.took.as_millis()).unwrap_or(u64::MAX);
        event.insert("endpoint".to_owned(), call.endpoint.into());
        event.insert("method".to_owned(), shortened(call.method, &mut truncated));
        event.insert("milliseconds".to_owned(), milliseconds.into());
        event.insert("client".to_owned(), call.client.to_string().into());
        event.insert("read".to_owned(), call.reads.into());
        event.insert("params".to_owned(), shown(&call.params, &mut truncated));
        let (member, value) = match &call.outcome {
            Ok(result) => ("result", shown(result, &mut truncated)),
            Err(error) => ("error", shown(error, &mut truncated)),
        };
        event.insert(member.to_owned(), value);
        event.insert("truncated".to_owned(), truncated.into());
        self.log.publish(EventKind::Call, event);
    }
}

/// The value without secrets, as far as it is not too long.
fn shown(value: &Value, truncated: &mut bool) -> Value {
    let shown = redacted(value, truncated);
    if shown.to_string().len() <= SHOWN_MAX {
        return shown;
    }
    *truncated = true;
    json!({})
}

fn redacted(value: &Value, truncated: &mut bool) -> Value {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                let value = if is_secret(name) && !value.is_null() {
                    "***".into()
                } else {
                    redacted(value, truncated)
                };
                (name.clone(), value)
            };
            Value::Object(members.iter().map(member).collect())
        }
        Value::Array(values) => values.iter().map(|value| redacted(value, truncated)).collect(),
        Value::String(text) => shortened(text, truncated),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn shortened(text: &str, truncated: &mut bool) -> Value {
    // A private key is never shown, whatever member it was pasted into.
    if text.contains("PRIVATE KEY") {
        return "***".into();
    }
    match text.char_indices().nth(TEXT_MAX) {
        None => text.into(),
        Some((end, _)) => {
            *truncated = true;
            text.get(..end).unwrap_or_default().into()
        }
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::{READS_PER_SECOND, ReadLimit, shown};
    use serde_json::{Value, json};
    use std::time::{Duration, Instant};

    #[test]
    fn secrets_are_hidden_at_any_depth_and_long_values_are_cut() {
        let mut truncated = false;
        let value = json!({
            "initiatorSecret": "s1", "a": [{ "targetSecret": "s2", "Password": 3, "x": null }],
            "kmipClientCertificate": "-----BEGIN PRIVATE KEY-----\ns4", "secret": null,
        });
        let expected = json!({
            "initiatorSecret": "***", "kmipClientCertificate": "***", "secret": null,
            "a": [{ "targetSecret": "***", "Password": "***", "x": null }],
        });
        assert_eq!(shown(&value, &mut truncated), expected);
        assert!(!truncated);
        let long = shown(&json!({ "x": "y".repeat(5000) }), &mut truncated);
        assert!(truncated && long["x"].as_str().unwrap().len() == super::TEXT_MAX);
        let many: Vec<Value> = (0..10_000).map(Value::from).collect();
        assert_eq!(shown(&json!(many), &mut truncated), json!({}));
    }

    #[test]
    fn reads_are_limited_by_the_second() {
        let (limit, begun) = (ReadLimit::default(), Instant::now());
        let admitted = (0..50).filter(|_| limit.admit(begun)).count();
        assert_eq!(admitted, usize::try_from(READS_PER_SECOND).unwrap());
        assert!(limit.admit(begun + Duration::from_secs(1)));
    }
}

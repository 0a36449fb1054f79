//! The results of asynchronous calls, from the handle that a call answers to the answer that is
//! fetched and forgotten.
//!
//! A part of the ledger: a handle that was given out is known after a crash. No clock is read here.

use crate::state::error::{ElementError, ErrorName};
use crate::state::timestamps;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// Completed results that nobody fetched are kept up to this number, the newest ones: the ledger
/// is written whole, so what no client will ask for again must not make it grow.
pub(crate) const COMPLETED_MAX: usize = 256;

/// The number that an asynchronous call answers.
pub(crate) type AsyncHandle = u64;

/// Which call a result belongs to: Element's `resultType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ResultType {
    /// A change of the master key.
    RekeySoftwareEncryptionAtRestMasterKey,
}

impl ResultType {
    /// The name as the wire spells it.
    #[must_use]
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::RekeySoftwareEncryptionAtRestMasterKey => {
                "RekeySoftwareEncryptionAtRestMasterKey"
            }
        }
    }
}

/// The error of an asynchronous call. Unlike a call's own error it has no code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AsyncError {
    /// What kind it is.
    pub(crate) name: String,
    /// What was wrong.
    pub(crate) message: String,
}

/// How far an asynchronous call has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AsyncStatus {
    /// Under way.
    Running {
        /// What can be told about it meanwhile.
        details: Value,
    },
    /// Over.
    Complete(Result<Value, AsyncError>),
}

/// One asynchronous call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AsyncResult {
    result_type: ResultType,
    create_time: String,
    last_update_time: String,
    status: AsyncStatus,
}

/// Results that can still be fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AsyncResults {
    last_handle: AsyncHandle,
    results: BTreeMap<AsyncHandle, AsyncResult>,
}

impl AsyncResults {
    /// Begins a call and answers its handle.
    pub(crate) fn start(
        &mut self,
        result_type: ResultType,
        details: Value,
        now: OffsetDateTime,
    ) -> AsyncHandle {
        self.last_handle = self.last_handle.saturating_add(1);
        let now = timestamps::format_seconds(now);
        let status = AsyncStatus::Running { details };
        let result =
            AsyncResult { result_type, create_time: now.clone(), last_update_time: now, status };
        self.results.insert(self.last_handle, result);
        self.last_handle
    }

    /// Tells how far a running call has come.
    pub(crate) fn progress(&mut self, handle: AsyncHandle, details: Value, now: OffsetDateTime) {
        self.update(handle, AsyncStatus::Running { details }, now);
    }

    /// Ends a running call. An ended one stays as it ended.
    pub(crate) fn complete(
        &mut self,
        handle: AsyncHandle,
        outcome: Result<Value, AsyncError>,
        now: OffsetDateTime,
    ) {
        self.update(handle, AsyncStatus::Complete(outcome), now);
        self.discard_oldest();
    }

    /// What a running call last told.
    #[must_use]
    pub(crate) fn details(&self, handle: AsyncHandle) -> Option<&Value> {
        match &self.results.get(&handle)?.status {
            AsyncStatus::Running { details } => Some(details),
            AsyncStatus::Complete(_) => None,
        }
    }

    /// Name of the error that a completed result has, if it has one.
    #[must_use]
    pub(crate) fn error_name(&self, handle: AsyncHandle) -> Option<&str> {
        match &self.results.get(&handle)?.status {
            AsyncStatus::Complete(Err(error)) => Some(&error.name),
            AsyncStatus::Complete(Ok(_)) | AsyncStatus::Running { .. } => None,
        }
    }

    /// Whether a result of this handle can still be fetched.
    #[must_use]
    pub(crate) fn is_known(&self, handle: AsyncHandle) -> bool {
        self.results.contains_key(&handle)
    }

    /// Whether `GetAsyncResult` without `keepResult` would delete it.
    #[must_use]
    pub(crate) fn is_complete(&self, handle: AsyncHandle) -> bool {
        self.results
            .get(&handle)
            .is_some_and(|result| matches!(result.status, AsyncStatus::Complete(_)))
    }

    /// The answer of `GetAsyncResult`.
    pub(crate) fn get(&self, handle: AsyncHandle) -> Result<Value, ElementError> {
        self.results.get(&handle).map(AsyncResult::answer).ok_or_else(|| {
            ElementError::new(
                ErrorName::DbNoSuchPath,
                format!(
                    "DBClient operation requested on a non-existent path at \
                     [/asyncresults/{handle}]"
                ),
            )
        })
    }

    /// Forgets a completed result; a running one is never forgotten.
    pub(crate) fn purge(&mut self, handle: AsyncHandle) {
        if self.is_complete(handle) {
            self.results.remove(&handle);
        }
    }

    /// The answer of `ListAsyncResults`, of the types named, or of all.
    #[must_use]
    pub(crate) fn list(&self, types: Option<&[String]>) -> Value {
        let named = |result: &AsyncResult| {
            types.is_none_or(|types| {
                types.iter().any(|t| t.eq_ignore_ascii_case(result.result_type.text()))
            })
        };
        let handles: Vec<_> = self
            .results
            .iter()
            .filter(|(_, result)| named(result))
            .map(|(handle, result)| result.entry(*handle))
            .collect();
        json!({ "asyncHandles": handles })
    }

    fn update(&mut self, handle: AsyncHandle, status: AsyncStatus, now: OffsetDateTime) {
        if let Some(result) = self.results.get_mut(&handle)
            && matches!(result.status, AsyncStatus::Running { .. })
        {
            result.status = status;
            result.last_update_time = timestamps::format_seconds(now);
        }
    }

    fn discard_oldest(&mut self) {
        let completed: Vec<_> =
            self.results.keys().copied().filter(|handle| self.is_complete(*handle)).collect();
        let surplus = completed.len().saturating_sub(COMPLETED_MAX);
        for handle in completed.into_iter().take(surplus) {
            self.results.remove(&handle);
        }
    }
}

impl AsyncResult {
    /// `details` is there only while it runs, `result` or `error` only when it is over.
    fn answer(&self) -> Value {
        let mut answer = Map::new();
        answer.insert("createTime".into(), self.create_time.clone().into());
        answer.insert("lastUpdateTime".into(), self.last_update_time.clone().into());
        answer.insert("resultType".into(), self.result_type.text().into());
        let (status, member, value) = match &self.status {
            AsyncStatus::Running { details } => ("running", "details", details.clone()),
            AsyncStatus::Complete(Ok(result)) => ("complete", "result", result.clone()),
            AsyncStatus::Complete(Err(error)) => ("complete", "error", error.json()),
        };
        answer.insert("status".into(), status.into());
        answer.insert(member.into(), value);
        answer.into()
    }

    fn entry(&self, handle: AsyncHandle) -> Value {
        let (completed, success, data) = match &self.status {
            AsyncStatus::Running { details } => (false, false, details.clone()),
            AsyncStatus::Complete(Ok(result)) => (true, true, result.clone()),
            AsyncStatus::Complete(Err(error)) => (true, false, error.json()),
        };
        json!({
            "asyncResultID": handle,
            "completed": completed,
            "createTime": self.create_time,
            "data": data,
            "lastUpdateTime": self.last_update_time,
            "resultType": self.result_type.text(),
            "success": success,
        })
    }
}

impl AsyncError {
    fn json(&self) -> Value {
        json!({ "name": self.name, "message": self.message })
    }
}

#[cfg(test)]
mod tests {
    use super::{AsyncError, AsyncResults, COMPLETED_MAX, ResultType};
    use crate::state::timestamps::parse;
    use serde_json::json;

    const REKEY: ResultType = ResultType::RekeySoftwareEncryptionAtRestMasterKey;

    #[test]
    fn a_result_is_told_while_it_runs_and_forgotten_once_it_was_fetched() {
        let (born, later) =
            (parse("2021-01-01T22:29:18Z").unwrap(), parse("2021-01-01T22:45:51Z").unwrap());
        let mut asyncs = AsyncResults::default();
        let handle = asyncs.start(REKEY, json!({"state": "CreateNewMasterKey"}), born);
        asyncs.purge(handle);
        assert_eq!(
            asyncs.get(handle).unwrap(),
            json!({
                "createTime": "2021-01-01T22:29:18Z", "lastUpdateTime": "2021-01-01T22:29:18Z",
                "details": {"state": "CreateNewMasterKey"}, "status": "running",
                "resultType": "RekeySoftwareEncryptionAtRestMasterKey"
            })
        );
        asyncs.complete(handle, Ok(json!({"state": "Ready"})), later);
        asyncs.progress(handle, json!({}), later);
        assert_eq!(
            asyncs.get(handle).unwrap(),
            json!({
                "createTime": "2021-01-01T22:29:18Z", "lastUpdateTime": "2021-01-01T22:45:51Z",
                "result": {"state": "Ready"}, "status": "complete",
                "resultType": "RekeySoftwareEncryptionAtRestMasterKey"
            })
        );
        asyncs.purge(handle);
        assert_eq!(
            asyncs.get(handle).unwrap_err().to_string(),
            "xDBNoSuchPath: DBClient operation requested on a non-existent path at \
             [/asyncresults/1]"
        );
        assert_eq!(asyncs.start(REKEY, json!({}), later), 2, "a handle is never given twice");
    }

    #[test]
    fn a_failure_has_a_name_and_a_message_but_no_code() {
        let now = parse("2021-01-01T22:29:18Z").unwrap();
        let mut asyncs = AsyncResults::default();
        let handle = asyncs.start(REKEY, json!({}), now);
        let error = AsyncError { name: "xRekeyAbandoned".into(), message: "Given up.".into() };
        asyncs.complete(handle, Err(error), now);
        let listed = asyncs.list(None);
        assert_eq!(
            listed["asyncHandles"][0],
            json!({
                "asyncResultID": 1, "completed": true, "success": false,
                "createTime": "2021-01-01T22:29:18Z", "lastUpdateTime": "2021-01-01T22:29:18Z",
                "data": {"name": "xRekeyAbandoned", "message": "Given up."},
                "resultType": "RekeySoftwareEncryptionAtRestMasterKey"
            })
        );
        assert_eq!(asyncs.list(Some(&["Clone".into()])), json!({"asyncHandles": []}));
    }

    #[test]
    fn results_that_nobody_fetches_do_not_pile_up() {
        let now = parse("2021-01-01T22:29:18Z").unwrap();
        let mut asyncs = AsyncResults::default();
        let running = asyncs.start(REKEY, json!({}), now);
        for _ in 0..COMPLETED_MAX + 3 {
            let handle = asyncs.start(REKEY, json!({}), now);
            asyncs.complete(handle, Ok(json!({})), now);
        }
        assert!(asyncs.is_known(running) && !asyncs.is_known(running + 3));
        assert!(asyncs.is_known(running + 4));
    }
}

//! One call: finds its method, checks its parameters, runs it and answers.

use super::method::{Action, ElementApi, Method};
use super::method_errors::MethodError;
use super::params::Params;
use crate::api::api_version::{ApiVersion, CURRENT};
use crate::api::json_rpc::{self, Call};
use crate::state::error::{ElementError, ErrorName};
use crate::state::events::{EventContent, EventType};
use crate::stream::calls::AnsweredCall;
use serde_json::{Map, Value, json};
use std::net::IpAddr;
use std::time::Instant;
use time::OffsetDateTime;

impl ElementApi {
    /// Answers a call that came to the endpoint of this version from this address.
    pub(crate) async fn answer(&self, version: ApiVersion, call: Call, client: IpAddr) -> String {
        let Call { id, method, params } = call;
        let begun = Instant::now();
        let shown = Value::Object(params.clone());
        let found = self.find(version, &method);
        let reads = found.is_some_and(|method| !matches!(method.action, Action::Change(_)));
        let publish = |outcome: Result<&Value, Value>| {
            let (endpoint, took) = (version.to_string(), begun.elapsed());
            let (method, params) = (found.map_or(method.as_str(), |found| found.name), shown);
            let call = AnsweredCall { endpoint, method, params, outcome, reads, took, client };
            self.stream.calls.publish(call);
        };
        if let Some(MethodError { name, message, .. }) = self.method_errors.take(&method) {
            tracing::info!(method, name, "answered with the error that is set");
            let error = json_rpc::error_json(&name, &message);
            publish(Err(error.clone()));
            return json_rpc::failure_json(&id, error);
        }
        match self.perform(version, &method, params).await {
            Ok((result, unused)) => {
                // Clients ask for the result of a rekey until it is there.
                if result.get("status").is_none_or(|status| status != "running") {
                    publish(Ok(&result));
                }
                json_rpc::success(id, result, unused)
            }
            Err(error) => {
                tracing::info!(method, name = error.name.text(), "refused");
                publish(Err(json_rpc::error_json(error.name.text(), &error.message)));
                json_rpc::failure(&id, &error)
            }
        }
    }

    async fn perform(
        &self,
        version: ApiVersion,
        name: &str,
        given: Map<String, Value>,
    ) -> Result<(Value, Map<String, Value>), ElementError> {
        let method = self.find(version, name).ok_or_else(|| self.unknown(version, name))?;
        let (params, unused) = Params::check(method.parameters, given)?;
        let result = match method.action {
            Action::Read(read) => read(self, &params)?,
            Action::Query(query) => query(self, &params).await?,
            Action::Change(change) => {
                let result = change(self, &params).await?;
                self.record(method.name).await?;
                result
            }
        };
        tracing::debug!(method = method.name, %version, "answered");
        Ok((result, unused))
    }

    /// The documentation itself spells names in lower case, so case does not matter.
    fn find(&self, version: ApiVersion, name: &str) -> Option<&'static Method> {
        self.offered(version).find(|method| method.name.eq_ignore_ascii_case(name))
    }

    /// Records a call that changed something as an event, without its parameters.
    async fn record(&self, method: &str) -> Result<(), ElementError> {
        let details = json!({ "admin": self.admin, "method": method });
        let content = EventContent::new(EventType::ApiEvent, format!("API call: {method}"));
        let content = content.with_details(details);
        self.cluster
            .change(|ledger| {
                ledger.events.record(content, OffsetDateTime::now_utc());
                Ok(())
            })
            .await
    }

    /// Ansible looks for the name of the error, `method=` and the code in one text.
    fn unknown(&self, version: ApiVersion, name: &str) -> ElementError {
        let shown: String = name.chars().take(128).collect();
        let newer = self.methods().find(|m| m.name.eq_ignore_ascii_case(name) && m.since > version);
        let message = match newer {
            Some(newer) => format!(
                "Unknown API method=<{shown}>: it is there since version {}; this is the endpoint \
                 of version {version}, the newest is {CURRENT}.",
                newer.since
            ),
            None => format!("Unknown API method=<{shown}>"),
        };
        ElementError::new(ErrorName::UnknownApiMethod, message)
    }
}

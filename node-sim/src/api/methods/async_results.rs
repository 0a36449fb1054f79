//! The results of asynchronous calls.

use super::method::{Action, ElementApi, Method, MethodResult, Scope};
use super::params::{Kind, Params, optional, required};
use crate::api::api_version::version;

/// The rows of the table.
pub(crate) const METHODS: &[Method] = &[
    Method {
        name: "GetAsyncResult",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[
            required("asyncHandle", Kind::Integer),
            optional("keepResult", Kind::Boolean),
        ],
        action: Action::Query(|api, params| Box::pin(get(api, params))),
    },
    Method {
        name: "ListAsyncResults",
        since: version(9, 0),
        scope: Scope::Cluster,
        parameters: &[optional("asyncResultTypes", Kind::Texts)],
        action: Action::Read(list),
    },
];

/// A completed result is deleted by being answered, unless it is to be kept. The answer and the
/// deletion are one change, so that no two callers both believe they were the last.
async fn get(api: &ElementApi, params: &Params) -> MethodResult {
    let handle = params.required_integer("asyncHandle")?;
    let keep = params.boolean("keepResult").unwrap_or(false);
    let ledger = api.cluster.ledger();
    if keep || !ledger.asyncs.is_complete(handle) {
        return ledger.asyncs.get(handle);
    }
    api.cluster
        .change(|ledger| {
            let answer = ledger.asyncs.get(handle)?;
            ledger.asyncs.purge(handle);
            Ok(answer)
        })
        .await
}

fn list(api: &ElementApi, params: &Params) -> MethodResult {
    let types = params.texts("asyncResultTypes");
    Ok(api.cluster.read(|ledger| ledger.asyncs.list(types.as_deref())))
}

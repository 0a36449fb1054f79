//! Objects of a key server, as it shows them to the cluster: `/sim/v1/key-servers/{id}/objects`.

use super::answers::{done, finish, json_text, refusal};
use super::request_parts::{self, PathNumbers};
use crate::api::api_state::ApiState;
use crate::key_server::certificate_checks;
use crate::state::error::{ElementError, ErrorName};
use crate::stream::messages::KEY_ID_ATTRIBUTE;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Confirmation of a destruction.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmed {
    confirm: String,
}

/// Answers the objects that the key server shows to the cluster, without their bytes.
pub(super) async fn list(
    State(state): State<Arc<ApiState>>,
    PathNumbers([id]): PathNumbers<1>,
) -> Response {
    let owner = state.api.cluster.read(|ledger| {
        let server = ledger.registry.server(id).ok()?;
        certificate_checks::summary(&server.client_certificate).map(|summary| summary.subject)
    });
    let cluster = Arc::clone(&state.api.cluster);
    finish(async move {
        match cluster.list_objects(id).await {
            Ok(inventory) => {
                let mut answer = json!(inventory);
                let objects = answer.get_mut("objects").and_then(Value::as_array_mut);
                objects.into_iter().flatten().for_each(|object| complete(object, owner.as_deref()));
                json_text(StatusCode::OK, &answer)
            }
            Err(error) => failure(&error),
        }
    })
    .await
}

/// Adds the master key that the object is, and the certificate under which it was read.
fn complete(object: &mut Value, owner: Option<&str>) {
    let Some(members) = object.as_object_mut() else { return };
    let custom = members.get("custom").and_then(Value::as_object);
    let key_id = custom.and_then(|custom| {
        custom.keys().find_map(|name| name.strip_prefix(KEY_ID_ATTRIBUTE)).map(str::to_owned)
    });
    members.insert("keyID".to_owned(), json!(key_id));
    members.insert("owner".to_owned(), json!(owner));
}

/// Revokes and destroys an object, if the body repeats its identifier.
pub(super) async fn destroy(
    State(state): State<Arc<ApiState>>,
    Path((id, unique_identifier)): Path<(String, String)>,
    body: Body,
) -> Response {
    let Ok(id) = id.parse() else {
        return refusal(StatusCode::BAD_REQUEST, &"keyServerID must be a whole number");
    };
    let body = match request_parts::read_body(body, &state).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let Ok(Confirmed { confirm }) = serde_json::from_slice(&body) else {
        let reason = "the body must be a JSON object with the member confirm, which repeats the \
                      Unique Identifier of the object";
        return refusal(StatusCode::BAD_REQUEST, &reason);
    };
    if confirm != unique_identifier {
        return refusal(StatusCode::CONFLICT, &"confirm must be the Unique Identifier in the path");
    }
    let cluster = Arc::clone(&state.api.cluster);
    finish(async move {
        match cluster.destroy_object(id, &unique_identifier).await {
            Ok(()) => done(),
            Err(error) => failure(&error),
        }
    })
    .await
}

fn failure(error: &ElementError) -> Response {
    let status = match error.name == ErrorName::KeyServerIdDoesNotExist {
        true => StatusCode::NOT_FOUND,
        false => StatusCode::BAD_GATEWAY,
    };
    refusal(status, error)
}

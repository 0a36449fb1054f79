//! Power of nodes, and the attempts of what waits.

use super::answers::{done, finish, internal, refusal};
use super::request_parts::PathNumbers;
use crate::api::api_state::ApiState;
use crate::cluster::PowerError;
use crate::state::key_ring::NodeId;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// Cuts the power of a node: its drives are absent, its keys in memory are lost.
pub(super) async fn stop_node(
    State(state): State<Arc<ApiState>>,
    PathNumbers([node_id]): PathNumbers<1>,
) -> Response {
    let cluster = Arc::clone(&state.api.cluster);
    let Ok(id) = u32::try_from(node_id) else { return no_such_node(node_id) };
    finish(async move { power(cluster.stop_node(NodeId(id)).await) }).await
}

/// Switches a node on; its drives unlock as soon as it has the master key.
pub(super) async fn start_node(
    State(state): State<Arc<ApiState>>,
    PathNumbers([node_id]): PathNumbers<1>,
) -> Response {
    let cluster = Arc::clone(&state.api.cluster);
    let Ok(id) = u32::try_from(node_id) else { return no_such_node(node_id) };
    finish(async move { power(cluster.start_node(NodeId(id)).await) }).await
}

/// Lets what waits for a key server or a node try again at once.
pub(super) async fn retry(State(state): State<Arc<ApiState>>) -> Response {
    state.api.cluster.retry_now();
    done()
}

/// Refuses a number that no node can have.
fn no_such_node(node_id: u64) -> Response {
    refusal(StatusCode::NOT_FOUND, &format!("node {node_id} does not exist"))
}

fn power(outcome: Result<(), PowerError>) -> Response {
    match outcome {
        Ok(()) => done(),
        Err(error @ PowerError::NoSuchNode(_)) => refusal(StatusCode::NOT_FOUND, &error),
        Err(PowerError::Ledger(error)) => internal(&error),
    }
}

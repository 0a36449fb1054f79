//! The simulator's own door: what a real cluster has hands for, and no API.
//!
//! It is apart from Element's API: other paths, plain HTTP verbs, plain HTTP statuses. It asks for
//! the same credentials, but for the health of the door.

use crate::rpc::door::Door;
use axum::Router;
use axum::routing::get;
use std::sync::Arc;

/// The paths that ask for credentials.
pub fn router() -> Router<Arc<Door>> {
    Router::new()
}

/// The path that does not: whether the door answers at all is seen by whoever knocks.
pub fn open_router() -> Router<Arc<Door>> {
    Router::new().route("/sim/v1/health", get(|| async { "ok\n" }))
}

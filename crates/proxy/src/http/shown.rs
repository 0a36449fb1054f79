//! What the interface shows and changes.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::time::Instant;

use crate::conversation::Recorder;
use crate::engine::Engine;
use crate::tls::ShownCertificate;

/// What the interface shows and changes.
#[derive(Clone)]
pub(crate) struct Shown {
    pub(crate) engine: Arc<Engine>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) certificate: Arc<ShownCertificate>,
    pub(crate) started: Instant,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Names under which it is reached besides.
    pub(crate) hosts: Arc<[String]>,
}

//! Processing of one message: decoding, authentication, batch, commit and response.

pub(crate) mod asynchronous;
pub(crate) mod batch;
pub(crate) mod commit;
pub(crate) mod key_rotation;
pub(crate) mod key_server;
pub(crate) mod resources;
pub(crate) mod response;

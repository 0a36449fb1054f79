//! Processing of one message: decoding, authentication, batch, commit and response.

pub mod asynchronous;
pub mod batch;
pub mod commit;
pub mod key_rotation;
pub mod key_server;
pub mod resources;
pub mod response;

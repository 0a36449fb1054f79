//! The messages, by what they are about. Each scenario runs once in each version.

pub(crate) mod attributes;
pub(crate) mod batches;
pub(crate) mod cryptography;
pub(crate) mod lifecycle;
pub(crate) mod malformed;
pub(crate) mod objects;
pub(crate) mod random;
pub(crate) mod server;

use harness::Lab;

use crate::script::Script;

/// Objects that the scenarios of one version share.
pub(crate) struct Objects {
    /// A key of 128 bits that the client has brought, active.
    pub(crate) key: String,
    /// A key that the server has made, active.
    pub(crate) made: String,
    /// A key for message authentication codes that the client has brought, active.
    pub(crate) code_key: String,
    /// A private key that the client has brought, active.
    pub(crate) private: String,
    /// Its public key.
    pub(crate) public: String,
    /// An object of bytes.
    pub(crate) opaque: String,
}

/// Sends the messages of every scenario in the version of the script.
pub(crate) fn run(script: &mut Script<'_>, lab: &Lab) {
    let objects = objects::run(script, lab);
    attributes::run(script, &objects);
    lifecycle::run(script, &objects);
    cryptography::run(script, &objects);
    server::run(script, &objects);
    batches::run(script, &objects);
    malformed::run(script, &objects);
}

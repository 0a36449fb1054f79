//! What tests of other crates use: the KMIP client of the cluster, and the means to open the keys
//! that a cluster keeps on disk. Programs use [`crate::run`] only.

use crate::crypto::aead;
use crate::node::ShareFile;
use crate::state::checked_json;
use crate::state::key_ring::{CreatedKey, KeyManagement, KeyRing};
use zeroize::Zeroizing;

pub use crate::crypto::master_key::{MASTER_KEY_LEN, MasterKey};
pub use crate::key_server::kmip_client::KmipClient;
pub use crate::key_server::{
    Destruction, DigestProof, FetchedKey, HostReport, KeyProviderAccess, KeyServerAccess,
    KeyServerClient, KeyServerError, KeyServerFuture, ShownKey, SurveyFuture,
};
pub use crate::state::durable_file::CRASH_VARIABLE;
pub use crate::state::faults::KmipServerFault;
pub use crate::state::key_ring::{KeyId, KeyOrigin, KnownKey, NodeId, RetiredKey};
pub use crate::state::key_server_registry::{KeyServerId, KeyServerKmip};

/// Permission to destroy an external master key of which this is known. A key without a check value
/// was planned and never used, and its identifier is unknown.
#[must_use]
pub fn retired_key(key_id: KeyId, known: KnownKey) -> Option<RetiredKey> {
    let mut ring = KeyRing::default();
    ring.plan(key_id, KeyManagement::External { key_provider_id: 1 }, String::new());
    let KnownKey { origin, identifier, check } = known;
    if let Some(origin) = origin {
        ring.set_origin(key_id, origin).ok()?;
    }
    if let Some(check) = check {
        ring.put_in_use(key_id, CreatedKey { dealing: None, check, identifier }).ok()?;
    }
    ring.retire(key_id).ok()?;
    ring.retired(key_id)
}

/// Internal master key that these share files of its nodes hold; none if they are too few.
#[must_use]
pub fn combine_share_files(key_id: KeyId, files: &[Vec<u8>]) -> Option<MasterKey> {
    let shares: Result<Vec<ShareFile>, _> =
        files.iter().map(|file| checked_json::decode(file)).collect();
    ShareFile::combine(key_id, &shares.ok()?).ok().map(|whole| whole.key)
}

/// Secret that was sealed under this key for this purpose (AES-256-GCM); none if it does not open.
#[must_use]
pub fn open_sealed(
    key: &[u8; MASTER_KEY_LEN],
    purpose: &str,
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    aead::open(key, purpose, sealed).ok()
}

//! Hashed Password (2.1, 8.5 and 9.11): both ends prove that they know a password, and neither
//! shows it.
//!
//! ```text
//! S1 = Hash(name, password)    S2 = Hash(password, name)
//! client: Hash(S1, timestamp), S2            server: Hash(timestamp, S1, Hash(S2))
//! ```
//!
//! The timestamp is hashed as the eight bytes that it has in a message. A proof that was seen is
//! no proof: each must be later than the one before, and near the server's clock, so that none is
//! good again after the server was started anew.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::{constant_time, digest};
use kmip::message::HashedPassword;
use kmip::vocabulary::{HashingAlgorithm, ResultReason};
use zeroize::Zeroizing;

use crate::objects::error::{OperationError, Result};

/// How far the client's clock may be from the server's, in microseconds: five minutes, as
/// Kerberos has it (RFC 4120, 1.6).
const SKEW_MAX: i64 = 5 * 60 * 1_000_000;

/// The hashes that a client may choose. Older ones are not offered for passwords.
const HASHES: [(HashingAlgorithm, &digest::Algorithm); 3] = [
    (HashingAlgorithm::SHA_256, &digest::SHA256),
    (HashingAlgorithm::SHA_384, &digest::SHA384),
    (HashingAlgorithm::SHA_512, &digest::SHA512),
];

/// What a user's password is proved with, for each of [`HASHES`].
pub(super) struct Proofs(Vec<(HashingAlgorithm, Secrets)>);

struct Secrets {
    hash: &'static digest::Algorithm,
    s1: Zeroizing<Vec<u8>>,
    s2: Zeroizing<Vec<u8>>,
}

impl Proofs {
    pub(super) fn of(name: &str, password: &str) -> Self {
        let (name, password) = (name.as_bytes(), password.as_bytes());
        let secrets = |(algorithm, hash)| {
            let s1 = over(hash, &[name, password]);
            let s2 = over(hash, &[password, name]);
            (algorithm, Secrets { hash, s1, s2 })
        };
        Self(HASHES.into_iter().map(secrets).collect())
    }
}

/// The last timestamp of each user.
#[derive(Default)]
pub(super) struct Seen(Mutex<BTreeMap<String, i64>>);

impl Seen {
    /// Checks a proof, at this time in microseconds since 1970, and gives the server's own.
    pub(super) fn check(
        &self,
        proofs: &Proofs,
        given: &HashedPassword,
        now: i64,
    ) -> Result<Vec<u8>> {
        let algorithm = given.hashing_algorithm.unwrap_or(HashingAlgorithm::SHA_256);
        let known = proofs.0.iter().find(|(offered, _)| *offered == algorithm);
        let (_, known) = known.ok_or_else(|| {
            OperationError::new(
                ResultReason::FeatureNotSupported,
                "a password is proved with SHA_256, SHA_384 or SHA_512",
            )
        })?;
        let when = given.timestamp.0;
        let bytes = when.to_be_bytes();
        let expected = [&over(known.hash, &[&known.s1, &bytes])[..], &known.s2].concat();
        let expected = Zeroizing::new(expected);
        let shown = given.hashed_password.as_bytes();
        constant_time::verify_slices_are_equal(&expected, shown)
            .map_err(|_| OperationError::wrong_credential())?;
        if when.saturating_sub(now).saturating_abs() > SKEW_MAX {
            return Err(OperationError::new(
                ResultReason::AuthenticationNotSuccessful,
                "the timestamp of the credential is too far from this server's clock",
            ));
        }
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = seen.entry(given.username.clone()).or_insert(i64::MIN);
        if *last >= when {
            return Err(OperationError::new(
                ResultReason::AuthenticationNotSuccessful,
                "the timestamp of the credential is not later than that of one before it",
            ));
        }
        *last = when;
        drop(seen);
        let inner = over(known.hash, &[&known.s2]);
        Ok(over(known.hash, &[&bytes, &known.s1, &inner]).to_vec())
    }
}

fn over(hash: &'static digest::Algorithm, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let mut context = digest::Context::new(hash);
    parts.iter().for_each(|part| context.update(part));
    Zeroizing::new(context.finish().as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip::{DateTimeExtended, SecretBytes};

    const NOW: i64 = 1_795_000_000_000_000;

    /// The formulas of 2.1, 9.11, written out: name "ada", password "lovelace".
    fn given(at: i64, spoilt: bool) -> HashedPassword {
        let hash = &digest::SHA256;
        let s1 = over(hash, &[b"adalovelace"]);
        let s2 = over(hash, &[b"lovelaceada"]);
        let mut bytes = [&over(hash, &[&s1, &at.to_be_bytes()])[..], &s2].concat();
        bytes[40] ^= u8::from(spoilt);
        HashedPassword {
            username: "ada".to_owned(),
            timestamp: DateTimeExtended(at),
            hashing_algorithm: None,
            hashed_password: SecretBytes::new(&bytes),
        }
    }

    /// One row a proof, in order: when it was made, whether it is spoilt, and whether it is taken.
    #[test]
    fn a_proof_is_taken_once_and_in_its_time() {
        let (seen, proofs) = (Seen::default(), Proofs::of("ada", "lovelace"));
        let rows = [
            (NOW, true, false),
            (NOW, false, true),
            (NOW, false, false),
            (NOW - 1, false, false),
            (NOW + 1, false, true),
            (NOW + SKEW_MAX + 1, false, false),
            (NOW - SKEW_MAX - 1, false, false),
        ];
        for (at, spoilt, taken) in rows {
            let answer = seen.check(&proofs, &given(at, spoilt), NOW);
            assert_eq!(answer.is_ok(), taken, "{at} {spoilt}");
            if let Ok(proof) = answer {
                let hash = &digest::SHA256;
                let inner = over(hash, &[&over(hash, &[b"lovelaceada"])]);
                let s1 = over(hash, &[b"adalovelace"]);
                assert_eq!(proof, *over(hash, &[&at.to_be_bytes(), &s1, &inner]));
            }
        }
        let md5 = HashedPassword {
            hashing_algorithm: Some(HashingAlgorithm::MD5),
            ..given(NOW + 2, false)
        };
        let refused = seen.check(&proofs, &md5, NOW).map_err(|error| error.reason);
        assert_eq!(refused, Err(ResultReason::FeatureNotSupported));
    }
}

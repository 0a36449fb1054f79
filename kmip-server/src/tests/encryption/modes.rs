//! Every algorithm with every mode of the vocabulary, as far as this server encrypts with it.

use kmip::vocabulary::{BlockCipherMode, CryptographicAlgorithm};

use crate::crypto::cipher::block_chaining::Link;
use crate::crypto::cipher::kind::Kind;

/// An algorithm in a mode, with a key.
pub(super) struct Served {
    pub(super) algorithm: CryptographicAlgorithm,
    pub(super) mode: Option<BlockCipherMode>,
    pub(super) kind: Kind,
    pub(super) key: Vec<u8>,
}

impl Served {
    /// Its name in a message of a test.
    pub(super) fn name(&self) -> String {
        format!("{:?} {:?}", self.algorithm, self.mode)
    }
}

/// The length of a key of an algorithm; a new one that this server encrypts with fails here until
/// it has a row.
fn key_len(algorithm: CryptographicAlgorithm) -> usize {
    use CryptographicAlgorithm as A;
    match algorithm {
        A::AES | A::Camellia | A::ChaCha20 | A::ChaCha20Poly1305 => 32,
        A::DES3 => 24,
        A::DES => 8,
        A::Blowfish | A::CAST5 | A::IDEA | A::RC4 => 16,
        other => panic!("{other:?} has no length of a key in this test"),
    }
}

/// All of them.
pub(super) fn served() -> Vec<Served> {
    let modes = BlockCipherMode::ROWS.iter().map(|row| Some(BlockCipherMode(row.value)));
    let modes: Vec<_> = [None].into_iter().chain(modes).collect();
    let mut all = Vec::new();
    for row in CryptographicAlgorithm::ROWS {
        let algorithm = CryptographicAlgorithm(row.value);
        for mode in &modes {
            let Ok(kind) = Kind::of(algorithm, *mode) else { continue };
            let key = (1..=u8::MAX).cycle().take(key_len(algorithm)).collect();
            all.push(Served { algorithm, mode: *mode, kind, key });
        }
    }
    assert!(all.len() > 60, "{} combinations", all.len());
    all
}

/// Does the mode need blocks of 16 bytes?
pub(super) fn needs_long_blocks(kind: Kind) -> bool {
    match kind {
        Kind::Gcm | Kind::Ccm | Kind::Xts => true,
        Kind::Chain(Link::None | Link::Cipher | Link::Both)
        | Kind::Fed(_)
        | Kind::Counted
        | Kind::KeyWrap(_)
        | Kind::ChaCha
        | Kind::ChaChaPoly
        | Kind::Rc4 => false,
    }
}

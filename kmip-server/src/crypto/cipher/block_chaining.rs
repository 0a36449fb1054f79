//! Modes that take whole blocks, one after another (SP 800-38A, 6.1 and 6.2).
//!
//! ```text
//! ECB    C = E(P)                     each block alone
//! CBC    C = E(P ^ r)    r <- C       r begins as the initialization vector
//! PCBC   C = E(P ^ r)    r <- P ^ C   (Kerberos 4)
//! ```

use zeroize::Zeroizing;

use super::block::SharedBlock;

/// What a block is mixed with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// Nothing: ECB.
    None,
    /// The block of ciphertext before: CBC.
    Cipher,
    /// Both blocks before: PCBC.
    Both,
}

/// A chain of blocks under way.
#[derive(Clone)]
pub(crate) struct Chain {
    cipher: SharedBlock,
    link: Link,
    register: Zeroizing<Vec<u8>>,
}

impl Chain {
    /// A chain that begins with this vector; it is empty for [`Link::None`].
    pub(crate) fn new(cipher: SharedBlock, link: Link, vector: &[u8]) -> Self {
        Self { cipher, link, register: Zeroizing::new(vector.to_vec()) }
    }

    /// Bytes of a block.
    pub(crate) fn block_len(&self) -> usize {
        self.cipher.len()
    }

    /// Encrypts the next whole blocks in place.
    pub(crate) fn encrypt(&mut self, data: &mut [u8]) {
        if self.link == Link::None {
            return self.cipher.encrypt(data);
        }
        for block in data.chunks_exact_mut(self.cipher.len()) {
            let plain = Zeroizing::new(block.to_vec());
            mix(block, &self.register);
            self.cipher.encrypt(block);
            self.register.copy_from_slice(block);
            if self.link == Link::Both {
                mix(&mut self.register, &plain);
            }
        }
    }

    /// Decrypts the next whole blocks in place.
    pub(crate) fn decrypt(&mut self, data: &mut [u8]) {
        let before = Zeroizing::new(data.to_vec());
        self.cipher.decrypt(data);
        if self.link == Link::None {
            return;
        }
        let len = self.cipher.len();
        for (block, cipher) in data.chunks_exact_mut(len).zip(before.chunks_exact(len)) {
            mix(block, &self.register);
            self.register.copy_from_slice(cipher);
            if self.link == Link::Both {
                mix(&mut self.register, block);
            }
        }
    }
}

/// Exclusive or, in place.
pub(crate) fn mix(into: &mut [u8], with: &[u8]) {
    into.iter_mut().zip(with).for_each(|(a, b)| *a ^= b);
}

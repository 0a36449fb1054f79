//! XTS (IEEE 1619; SP 800-38E): a data unit under two keys and the unit's number, as long as it
//! was. The number stands in the IV/Counter/Nonce as 16 bytes, the lowest first.

use zeroize::Zeroizing;

use super::block::SharedBlock;
use crate::crypto::cipher::block_chaining::mix;
use crate::crypto::error::{Error, Result};

/// Bytes of a block.
const BLOCK: usize = 16;

/// The longest data unit: 2^20 blocks (SP 800-38E).
const UNIT_LEN_MAX: usize = BLOCK << 20;

/// Both keys of XTS, which are one key's halves.
#[derive(Clone)]
pub(crate) struct Xts {
    pub(crate) data: SharedBlock,
    pub(crate) tweak: SharedBlock,
}

impl Xts {
    /// Encrypts or decrypts a data unit in place.
    pub(crate) fn apply(&self, number: &[u8], unit: &mut [u8], encrypts: bool) -> Result<()> {
        if unit.len() < BLOCK || unit.len() > UNIT_LEN_MAX {
            return Err(Error::data(format!(
                "a data unit of XTS has {BLOCK} to {UNIT_LEN_MAX} bytes"
            )));
        }
        let mut tweak = Tweak::new(self, number)?;
        let over = unit.len().checked_rem(BLOCK).unwrap_or(0);
        // The last whole block and what is over are done together.
        let together = if over == 0 { 0 } else { over.saturating_add(BLOCK) };
        let (whole, last) = unit.split_at_mut(unit.len().saturating_sub(together));
        let mut tweaks = Zeroizing::new(Vec::with_capacity(whole.len()));
        for _ in whole.chunks(BLOCK) {
            tweaks.extend_from_slice(&tweak.next());
        }
        self.blocks(whole, &tweaks, encrypts);
        if over != 0 {
            self.steal(last, &mut tweak, encrypts);
        }
        Ok(())
    }

    fn blocks(&self, data: &mut [u8], tweaks: &[u8], encrypts: bool) {
        mix(data, tweaks);
        if encrypts {
            self.data.encrypt(data);
        } else {
            self.data.decrypt(data);
        }
        mix(data, tweaks);
    }

    /// A whole block and a part of one: the part takes what it lacks from the block before it.
    fn steal(&self, last: &mut [u8], tweak: &mut Tweak, encrypts: bool) {
        let (first, second) = (tweak.next(), tweak.next());
        let (for_whole, for_part) = if encrypts { (first, second) } else { (second, first) };
        let (whole, part) = last.split_at_mut(BLOCK);
        self.blocks(whole, &for_whole, encrypts);
        whole.iter_mut().zip(part).for_each(|(a, b)| std::mem::swap(a, b));
        self.blocks(whole, &for_part, encrypts);
    }
}

/// The tweak of each block: E(number), and then times x in GF(2^128).
struct Tweak(Zeroizing<u128>);

impl Tweak {
    fn new(xts: &Xts, number: &[u8]) -> Result<Self> {
        let number: [u8; BLOCK] = number.try_into().map_err(|_| {
            Error::parameters(
                "XTS needs the number of the data unit as an IV/Counter/Nonce of 16 bytes",
            )
        })?;
        let mut block = Zeroizing::new(number);
        xts.tweak.encrypt(block.as_mut_slice());
        Ok(Self(Zeroizing::new(u128::from_le_bytes(*block))))
    }

    fn next(&mut self) -> [u8; BLOCK] {
        let now = *self.0;
        *self.0 = now << 1 ^ if now >> 127 == 1 { 0x87 } else { 0 };
        now.to_le_bytes()
    }
}

//! How the last block of a message is filled (1.4, 9.1.3.2.15; 2.1, 11.37).
//!
//! ```text
//! None         not at all: the data must be whole blocks
//! PKCS5        n bytes of value n                   (RFC 8018; PKCS #7 for longer blocks)
//! Zeros        zeros, and none to whole blocks; they stay when decrypted: nothing tells them apart
//! ANSIX9_23    zeros, and the last byte says how many bytes were added
//! ISO10126     random bytes, and the last byte says how many bytes were added
//! SSL3         any bytes, and the last byte says how many stand before it (RFC 6101, 5.2.3.2)
//! ```

use aws_lc_rs::rand;
use kmip::vocabulary::PaddingMethod;
use zeroize::Zeroizing;

use crate::crypto::error::{Error, Result};

/// Fills the last block of `data`.
pub(crate) fn pad(
    method: PaddingMethod,
    block: usize,
    data: &mut Zeroizing<Vec<u8>>,
) -> Result<()> {
    let over = data.len().checked_rem(block).unwrap_or(0);
    let missing = block.saturating_sub(over);
    let count = u8::try_from(missing).map_err(|_| Error::Internal("pad so long a block"))?;
    let before_last = missing.saturating_sub(1);
    let (full, but_one) =
        (data.len().saturating_add(missing), data.len().saturating_add(before_last));
    match method {
        PaddingMethod::None if over == 0 => {}
        PaddingMethod::None => return Err(not_whole(block)),
        PaddingMethod::Zeros if over == 0 => {}
        PaddingMethod::Zeros => data.resize(full, 0),
        PaddingMethod::PKCS5 => data.resize(full, count),
        PaddingMethod::ANSIX9_23 => {
            data.resize(but_one, 0);
            data.push(count);
        }
        PaddingMethod::ISO10126 => {
            let mut random = vec![0; before_last];
            rand::fill(&mut random).map_err(|_| Error::Internal("make random bytes"))?;
            data.extend_from_slice(&random);
            data.push(count);
        }
        PaddingMethod::SSL3 => {
            let before = count.saturating_sub(1);
            data.resize(but_one, before);
            data.push(before);
        }
        _ => return Err(no_block_padding(method)),
    }
    Ok(())
}

/// The length of what stands before the padding of `data`, which is all whole blocks.
pub(crate) fn unpadded(method: PaddingMethod, block: usize, data: &[u8]) -> Result<usize> {
    if matches!(method, PaddingMethod::None | PaddingMethod::Zeros) {
        return Ok(data.len());
    }
    let last = data.last().copied().ok_or(Error::Failed)?;
    let added = match method {
        PaddingMethod::SSL3 => usize::from(last).saturating_add(1),
        PaddingMethod::PKCS5 | PaddingMethod::ANSIX9_23 | PaddingMethod::ISO10126 => {
            usize::from(last)
        }
        _ => return Err(no_block_padding(method)),
    };
    if added == 0 || added > block {
        return Err(Error::Failed);
    }
    let before = data.len().checked_sub(added).ok_or(Error::Failed)?;
    let filled = data.get(before..data.len().saturating_sub(1)).ok_or(Error::Failed)?;
    let must_be = match method {
        PaddingMethod::PKCS5 => Some(last),
        PaddingMethod::ANSIX9_23 => Some(0),
        _ => None,
    };
    // All bytes are looked at, whichever of them is wrong.
    let wrong = filled.iter().fold(0, |wrong, byte| wrong | must_be.map_or(0, |must| byte ^ must));
    if wrong == 0 { Ok(before) } else { Err(Error::Failed) }
}

/// Can a padding of a block cipher have this name?
pub(crate) fn is_for_blocks(method: PaddingMethod) -> Result<()> {
    match method {
        PaddingMethod::None
        | PaddingMethod::PKCS5
        | PaddingMethod::SSL3
        | PaddingMethod::Zeros
        | PaddingMethod::ANSIX9_23
        | PaddingMethod::ISO10126 => Ok(()),
        _ => Err(no_block_padding(method)),
    }
}

fn no_block_padding(method: PaddingMethod) -> Error {
    Error::parameters(format!("{method:?} is no padding of a block cipher"))
}

/// The data is not whole blocks, and nothing fills the last one.
pub(crate) fn not_whole(block: usize) -> Error {
    Error::data(format!(
        "without padding the data must be whole blocks of {block} bytes: name a PaddingMethod"
    ))
}

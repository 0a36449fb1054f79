//! Counter with CBC-MAC (SP 800-38C; RFC 3610), over any cipher with blocks of 16 bytes.
//!
//! The first block that is authenticated holds the length of the data, so a message is done in one
//! piece.

use zeroize::Zeroizing;

use super::block::{Block, SharedBlock};
use crate::crypto::cipher::block_chaining::mix;
use crate::crypto::cipher::stream_modes::{Feedback, KeyStream};
use crate::crypto::error::{Error, Result};

/// Bytes of a block.
const BLOCK: usize = 16;

/// The cipher, if its blocks are those of the mode.
pub(crate) fn with(cipher: SharedBlock) -> Result<SharedBlock> {
    match cipher.len() {
        BLOCK => Ok(cipher),
        _ => Err(Error::unsupported("CCM needs a cipher with blocks of 16 bytes")),
    }
}

/// The tag of the data, and what it is hidden with: the data is encrypted or decrypted in place.
pub(crate) fn apply(
    cipher: &SharedBlock,
    nonce: &[u8],
    additional: &[u8],
    data: &mut [u8],
    tag_len: usize,
    encrypts: bool,
) -> Result<Zeroizing<Vec<u8>>> {
    // The counter has what the nonce leaves of a block after the byte of flags.
    let counter = 15_usize
        .checked_sub(nonce.len())
        .filter(|counter| (2..=8).contains(counter))
        .ok_or_else(|| Error::parameters("CCM needs an IV/Counter/Nonce of 7 to 13 bytes"))?;
    let flag = u8::try_from(counter.saturating_sub(1)).map_err(|_| Error::Internal("count"))?;
    let first = [&[flag], nonce, &vec![0; counter]].concat();
    let mut stream = KeyStream::new(cipher.clone(), Feedback::Counter(counter), &first);
    let mut mask = Zeroizing::new(vec![0; BLOCK]);
    stream.encrypt(&mut mask)?;
    let tag = |data: &[u8]| tag(cipher.as_ref(), nonce, additional, data, tag_len, counter);
    let mut tag = if encrypts {
        let tag = tag(data)?;
        stream.encrypt(data)?;
        tag
    } else {
        stream.decrypt(data)?;
        tag(data)?
    };
    mix(&mut tag, &mask);
    tag.truncate(tag_len);
    Ok(tag)
}

/// CBC-MAC over the formatted blocks (SP 800-38C, A.2).
fn tag(
    cipher: &dyn Block,
    nonce: &[u8],
    additional: &[u8],
    data: &[u8],
    tag_len: usize,
    counter: usize,
) -> Result<Zeroizing<Vec<u8>>> {
    let too_long = || Error::data("the data is longer than CCM takes with a nonce so long");
    let data_len = u64::try_from(data.len()).map_err(|_| too_long())?.to_be_bytes();
    let (above, kept) = data_len.split_at(data_len.len().saturating_sub(counter));
    if above.iter().any(|byte| *byte != 0) {
        return Err(too_long());
    }
    let tag_code = tag_len.saturating_sub(2).checked_div(2).unwrap_or(0);
    let code = |value: usize, shift: u32| {
        u8::try_from(value).map(|value| value << shift).map_err(|_| Error::Internal("count"))
    };
    let has_additional = usize::from(!additional.is_empty());
    let flags = code(has_additional, 6)? | code(tag_code, 3)? | code(counter.saturating_sub(1), 0)?;
    let mut register = Zeroizing::new([&[flags], nonce, kept].concat());
    cipher.encrypt(&mut register);
    if !additional.is_empty() {
        let mut prefixed = match (u16::try_from(additional.len()), u32::try_from(additional.len()))
        {
            (Ok(len), _) if len < 0xFF00 => len.to_be_bytes().to_vec(),
            (_, Ok(len)) => [&[0xFF, 0xFE], len.to_be_bytes().as_slice()].concat(),
            (_, Err(_)) => return Err(too_long()),
        };
        prefixed.extend_from_slice(additional);
        authenticate(cipher, &mut register, &prefixed);
    }
    authenticate(cipher, &mut register, data);
    Ok(register)
}

/// Goes over the data block by block, the last one filled with zeros.
fn authenticate(cipher: &dyn Block, register: &mut [u8], data: &[u8]) {
    for block in data.chunks(BLOCK) {
        mix(register, block);
        cipher.encrypt(register);
    }
}

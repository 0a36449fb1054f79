//! AES key wrapping: NISTKeyWrap (RFC 3394; SP 800-38F, KW) and AESKeyWrapPadding (RFC 5649; KWP).

use aes_kw::{AesKw, AesKwp, KeyInit};
use kmip::vocabulary::CryptographicAlgorithm;
use zeroize::Zeroizing;

use crate::crypto::error::{Error, Result};

/// Bytes that the wrapped key is longer than the key.
const HALF: usize = 8;

/// The two ways.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Whole halves of blocks alone.
    Plain,
    /// Any number of bytes.
    Padded,
}

/// Does `$step` with the wrapper of the way and the key.
macro_rules! with_wrapper {
    ($way:expr, $key:expr, |$wrapper:ident| $step:expr) => {
        match ($way, $key.len()) {
            (Way::Plain, 16) => with_wrapper!(@ AesKw<aes::Aes128>, $key, $wrapper, $step),
            (Way::Plain, 24) => with_wrapper!(@ AesKw<aes::Aes192>, $key, $wrapper, $step),
            (Way::Plain, 32) => with_wrapper!(@ AesKw<aes::Aes256>, $key, $wrapper, $step),
            (Way::Padded, 16) => with_wrapper!(@ AesKwp<aes::Aes128>, $key, $wrapper, $step),
            (Way::Padded, 24) => with_wrapper!(@ AesKwp<aes::Aes192>, $key, $wrapper, $step),
            (Way::Padded, 32) => with_wrapper!(@ AesKwp<aes::Aes256>, $key, $wrapper, $step),
            _ => Err(wrong_key()),
        }
    };
    (@ $ty:ty, $key:expr, $wrapper:ident, $step:expr) => {{
        let $wrapper = <$ty>::new_from_slice($key).map_err(|_| wrong_key())?;
        $step
    }};
}

/// Wraps the bytes of a key.
pub(crate) fn wrap(way: Way, key: &[u8], data: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let fits = match way {
        Way::Plain => data.len() >= 2 * HALF && data.len().is_multiple_of(HALF),
        Way::Padded => !data.is_empty(),
    };
    if !fits {
        return Err(Error::data(
            "NISTKeyWrap takes 16 bytes or more, in steps of 8, and AESKeyWrapPadding any but none",
        ));
    }
    let len = data.len().next_multiple_of(HALF).saturating_add(HALF);
    let mut out = Zeroizing::new(vec![0; len]);
    with_wrapper!(way, key, |wrapper| wrapper
        .wrap_key(data, &mut out)
        .map(drop)
        .map_err(|_| Error::Internal("wrap a key")))?;
    Ok(out)
}

/// Unwraps the bytes of a key, if they were wrapped with this one.
pub(crate) fn unwrap(way: Way, key: &[u8], data: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let shortest = if way == Way::Plain { 3 * HALF } else { 2 * HALF };
    if data.len() < shortest || !data.len().is_multiple_of(HALF) {
        return Err(Error::Failed);
    }
    let mut out = Zeroizing::new(vec![0; data.len()]);
    let len = with_wrapper!(way, key, |wrapper| wrapper
        .unwrap_key(data, &mut out)
        .map(<[u8]>::len)
        .map_err(|_| Error::Failed))?;
    out.truncate(len);
    Ok(out)
}

/// Key wrapping is AES's.
pub(crate) fn is_for(algorithm: CryptographicAlgorithm) -> Result<()> {
    match algorithm == CryptographicAlgorithm::AES {
        true => Ok(()),
        false => Err(Error::parameters("NISTKeyWrap and AESKeyWrapPadding need a key of AES")),
    }
}

fn wrong_key() -> Error {
    Error::parameters("a key that wraps has 16, 24 or 32 bytes")
}

//! The IV/Counter/Nonce of a message: how long it must be, and who makes it (1.4, 3.6 and 4.29;
//! 2.1, 4.16 and 6.1.17; SP 800-38A, appendix B; SP 800-38D, 8.2).
//!
//! ```text
//! CTR     | fixed field | invocation field | counter |    a block
//! GCM     | fixed field | invocation field |              the counter is the mode's own
//! ```

use aws_lc_rs::rand;
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::CryptographicAlgorithm as A;

use super::block;
use crate::crypto::cipher::block_chaining::Link;
use crate::crypto::cipher::kind::Kind;
use crate::crypto::error::{Error, Result};

/// The vector of a message to be encrypted.
pub(crate) struct Vector {
    pub(crate) bytes: Vec<u8>,
    /// Did the server make it, so that the client must be told?
    pub(crate) is_made: bool,
}

/// The longest vector that is made: a request for more is a mistake.
const MADE_LEN_MAX: usize = 64;

/// The vector of a message to be encrypted: what the request has, or else a random one.
///
//= KMIP 2.1, 6.1.17, exception: a client that says nothing of Random IV is given one all the same,
// and told it, since clients of servers that always did so rely on it. One that says `false` is
// refused.
pub(crate) fn to_encrypt(
    kind: Kind,
    algorithm: A,
    parameters: &CryptographicParameters,
    given: Option<&[u8]>,
) -> Result<Vector> {
    let Some(lengths) = Lengths::of(kind, algorithm) else {
        return Ok(Vector { bytes: Vec::new(), is_made: false });
    };
    if let Some(given) = given {
        lengths.check(given, parameters)?;
        return Ok(Vector { bytes: given.to_vec(), is_made: false });
    }
    if parameters.random_iv == Some(false) {
        return Err(Error::MissingIv);
    }
    let mut bytes = vec![0; lengths.to_make(parameters)?];
    rand::fill(&mut bytes).map_err(|_| Error::Internal("make a random vector"))?;
    lengths.check(&bytes, parameters)?;
    Ok(Vector { bytes, is_made: true })
}

/// The vector of a message to be decrypted.
pub(crate) fn to_decrypt(
    kind: Kind,
    algorithm: A,
    parameters: &CryptographicParameters,
    given: Option<&[u8]>,
) -> Result<Vec<u8>> {
    let Some(lengths) = Lengths::of(kind, algorithm) else { return Ok(Vec::new()) };
    let given = given.ok_or(Error::MissingIv)?;
    lengths.check(given, parameters)?;
    Ok(given.to_vec())
}

/// The first block of CTR, and how many of its bytes count.
pub(crate) fn register(
    block: usize,
    vector: &[u8],
    parameters: &CryptographicParameters,
) -> Result<(Vec<u8>, usize)> {
    let start = parameters.initial_counter_value.map(i32::cast_unsigned);
    let named = bytes_of(parameters.counter_length, "Counter Length")?;
    let missing = block.saturating_sub(vector.len());
    let counter = match (missing, named) {
        (0, None) => block,
        (0, Some(named)) => named,
        (missing, None) => missing,
        (missing, Some(named)) if missing == named => missing,
        (missing, Some(named)) => {
            return Err(Error::parameters(format!(
                "the IV/Counter/Nonce leaves {missing} bytes for the counter, and Counter Length \
                 says {named}"
            )));
        }
    };
    if counter == 0 || counter > block {
        return Err(Error::parameters("a counter has one byte at least, and a block at most"));
    }
    let mut register = vector.to_vec();
    register.resize(block, 0);
    let Some(start) = start.filter(|start| *start != 0) else { return Ok((register, counter)) };
    let field = register.get_mut(block.saturating_sub(counter)..).unwrap_or_default();
    if field.iter().any(|byte| *byte != 0) {
        return Err(Error::parameters(
            "the IV/Counter/Nonce holds a counter, and Initial Counter Value another one",
        ));
    }
    for (byte, value) in field.iter_mut().rev().zip(start.to_le_bytes()) {
        *byte = value;
    }
    Ok((register, counter))
}

/// The lengths that a vector may have, in bytes, and the one that is made when none is named.
struct Lengths {
    all: fn(usize, usize) -> bool,
    block: usize,
    default: usize,
}

impl Lengths {
    /// None of a mode that has no vector.
    fn of(kind: Kind, algorithm: A) -> Option<Self> {
        let block = block::len(algorithm);
        let (all, default): (fn(usize, usize) -> bool, usize) = match kind {
            Kind::Chain(Link::None) | Kind::KeyWrap(_) | Kind::Rc4 => return None,
            Kind::Chain(Link::Cipher | Link::Both) | Kind::Fed(_) | Kind::Xts => {
                (|len, block| len == block, block)
            }
            Kind::Counted => (|len, block| (1..=block).contains(&len), block),
            Kind::Gcm => (|len, _| len != 0, 12),
            Kind::Ccm => (|len, _| (7..=13).contains(&len), 12),
            Kind::ChaCha => (|len, _| matches!(len, 8 | 12 | 16), 12),
            Kind::ChaChaPoly => (|len, _| len == 12, 12),
        };
        Some(Self { all, block, default })
    }

    /// Is it a length that the mode takes, and the one that the parameters name?
    fn check(&self, vector: &[u8], parameters: &CryptographicParameters) -> Result<()> {
        if !(self.all)(vector.len(), self.block) {
            return Err(Error::parameters(format!(
                "{} bytes is no length of an IV/Counter/Nonce in this mode",
                vector.len()
            )));
        }
        let named = bytes_of(parameters.iv_length, "IV Length")?;
        if named.is_some_and(|named| named != vector.len()) {
            return Err(Error::parameters(format!(
                "the IV/Counter/Nonce has {} bytes, and IV Length names another length",
                vector.len()
            )));
        }
        Ok(())
    }

    /// The length of a vector that the server makes: what IV Length names, or the sum of its
    /// fields, or what the counter leaves of a block.
    fn to_make(&self, parameters: &CryptographicParameters) -> Result<usize> {
        let named = bytes_of(parameters.iv_length, "IV Length")?;
        let fixed = bytes_of(parameters.fixed_field_length, "Fixed Field Length")?;
        let invocation = bytes_of(parameters.invocation_field_length, "Invocation Field Length")?;
        let counter = bytes_of(parameters.counter_length, "Counter Length")?;
        let fields = match (fixed, invocation) {
            (None, None) => None,
            (fixed, invocation) => Some(fixed.unwrap_or(0).saturating_add(invocation.unwrap_or(0))),
        };
        let len = match (named, fields, counter) {
            (Some(named), Some(fields), _) if named != fields => {
                return Err(Error::parameters(
                    "IV Length is not the sum of Fixed Field Length and Invocation Field Length",
                ));
            }
            (Some(len), _, _) | (None, Some(len), _) => len,
            (None, None, Some(counter)) => self.block.saturating_sub(counter),
            (None, None, None) => self.default,
        };
        match len <= MADE_LEN_MAX {
            true => Ok(len),
            false => Err(Error::parameters(format!(
                "this server makes no IV/Counter/Nonce of more than {MADE_LEN_MAX} bytes"
            ))),
        }
    }
}

/// A length in bits as whole bytes.
fn bytes_of(bits: Option<i32>, name: &str) -> Result<Option<usize>> {
    let Some(bits) = bits else { return Ok(None) };
    match usize::try_from(bits) {
        Ok(bits) if bits.is_multiple_of(8) => Ok(bits.checked_div(8)),
        _ => Err(Error::parameters(format!("{name} must be whole bytes, told in bits"))),
    }
}

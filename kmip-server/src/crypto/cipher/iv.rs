//! The IV/Counter/Nonce of a message: how long it must be, and who makes it (1.4, 3.6 and 4.29;
//! 2.1, 4.16 and 6.1.17; SP 800-38A, appendix B; SP 800-38D, 8.2).
//!
//! ```text
//! CTR     | fixed field | invocation field | counter |    a block
//! GCM     | fixed field | invocation field |              the counter is the mode's own
//! ```
//!
//! **A vector that the server makes does not repeat under its key** (1.4, 3.6): it has as many
//! random bits as the mode takes, or 96 at least (SP 800-38D, 8.2.2 and 8.3). A request that asks
//! for fewer is refused, because the length it names is the length of what it is given.

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

/// The random bytes of a vector that the server makes, at least, where the mode takes them.
pub(crate) const RANDOM_LEN_MIN: usize = 12;

/// The bytes of a counter that Initial Counter Value alone names: its own (RFC 3686, 4).
const COUNTER_LEN: usize = 4;

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
    Ok(Vector { bytes: lengths.layout(kind, parameters)?.make()?, is_made: true })
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
    let named = counter_len(block, parameters)?;
    let missing = block.saturating_sub(vector.len());
    let counter = match (missing, named) {
        (0, None) if starts(parameters) => COUNTER_LEN.min(block),
        (0, None) => block,
        (0, Some(named)) => named,
        (missing, None) => missing,
        (missing, Some(named)) if missing == named => missing,
        (missing, Some(named)) => {
            return Err(Error::parameters(format!(
                "the IV/Counter/Nonce leaves {missing} bytes for the counter, and the parameters \
                 say {named}"
            )));
        }
    };
    if counter == 0 || counter > block {
        return Err(no_counter());
    }
    let mut register = vector.to_vec();
    register.resize(block, 0);
    if !starts(parameters) {
        return Ok((register, counter));
    }
    let start = first_count(counter, parameters)?;
    let field = register.get_mut(block.saturating_sub(counter)..).unwrap_or_default();
    if field.iter().any(|byte| *byte != 0) && field != start {
        return Err(Error::parameters(
            "the IV/Counter/Nonce holds a counter, and Initial Counter Value another one",
        ));
    }
    field.copy_from_slice(&start);
    Ok((register, counter))
}

/// Do the parameters say where the counter starts, other than at zero?
fn starts(parameters: &CryptographicParameters) -> bool {
    parameters.initial_counter_value.unwrap_or(0) != 0
}

/// The first value of a counter of so many bytes.
fn first_count(counter: usize, parameters: &CryptographicParameters) -> Result<Vec<u8>> {
    let start = parameters.initial_counter_value.unwrap_or(0).cast_unsigned();
    let mut field = vec![0; counter];
    let mut bytes = start.to_le_bytes().into_iter();
    field.iter_mut().rev().zip(bytes.by_ref()).for_each(|(byte, value)| *byte = value);
    match bytes.any(|left| left != 0) {
        false => Ok(field),
        true => Err(Error::parameters(format!(
            "Initial Counter Value {start} does not fit in a counter of {counter} bytes"
        ))),
    }
}

/// The bytes of the counter, as Counter Length says or as the other fields leave of a block.
fn counter_len(block: usize, parameters: &CryptographicParameters) -> Result<Option<usize>> {
    let named = bytes_of(parameters.counter_length, "Counter Length")?;
    let left = fields_len(parameters)?.map(|fields| block.saturating_sub(fields));
    let counter = match (named, left) {
        (Some(named), Some(left)) if named != left => {
            return Err(Error::parameters(format!(
                "Fixed Field Length, Invocation Field Length and Counter Length are not the {} \
                 bits of a block",
                block.saturating_mul(8)
            )));
        }
        (named, left) => named.or(left),
    };
    match counter {
        Some(counter) if counter == 0 || counter > block => Err(no_counter()),
        counter => Ok(counter),
    }
}

fn no_counter() -> Error {
    Error::parameters("a counter has one byte at least, and a block at most")
}

/// The bytes of both fields before the counter, if the parameters name one of them.
fn fields_len(parameters: &CryptographicParameters) -> Result<Option<usize>> {
    let fixed = bytes_of(parameters.fixed_field_length, "Fixed Field Length")?;
    let invocation = bytes_of(parameters.invocation_field_length, "Invocation Field Length")?;
    Ok(match (fixed, invocation) {
        (None, None) => None,
        (fixed, invocation) => Some(fixed.unwrap_or(0).saturating_add(invocation.unwrap_or(0))),
    })
}

/// The lengths that a vector may have, in bytes, and the one that is made when none is named.
struct Lengths {
    all: fn(usize, usize) -> bool,
    block: usize,
    default: usize,
}

/// A vector to be made: random bytes, with a counter before them or behind.
struct Layout {
    before: Vec<u8>,
    random: usize,
    after: Vec<u8>,
}

impl Layout {
    /// Random bytes alone.
    const fn random(random: usize) -> Self {
        Self { before: Vec::new(), random, after: Vec::new() }
    }

    fn make(self) -> Result<Vec<u8>> {
        let mut random = vec![0; self.random];
        rand::fill(&mut random).map_err(|_| Error::Internal("make a random vector"))?;
        Ok([self.before, random, self.after].concat())
    }
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
    ///
    //= KMIP 1.4, 3.6, exception: IV Length is in bits. One that is the number of bytes that came is
    // taken as bytes, since only that can be meant: OpenBao and the presets of kmip-go send so.
    fn check(&self, vector: &[u8], parameters: &CryptographicParameters) -> Result<()> {
        let len = vector.len();
        if !(self.all)(len, self.block) {
            return Err(Error::parameters(format!(
                "{len} bytes is no length of an IV/Counter/Nonce in this mode"
            )));
        }
        match parameters.iv_length {
            Some(named) if !is_length(named, len) => Err(Error::parameters(format!(
                "the IV/Counter/Nonce has {} bits, and IV Length says {named}",
                len.saturating_mul(8)
            ))),
            Some(_) | None => Ok(()),
        }
    }

    /// What the server makes of what the parameters say: the length that IV Length names, or the
    /// sum of its fields, or what the counter leaves of a block.
    fn layout(&self, kind: Kind, parameters: &CryptographicParameters) -> Result<Layout> {
        if kind == Kind::Counted {
            return self.counter_block(parameters);
        }
        // A mode whose vectors have one length: IV Length can say nothing else.
        let has_one_length =
            (1..=MADE_LEN_MAX).filter(|len| (self.all)(*len, self.block)).count() == 1;
        let only = parameters.iv_length.filter(|named| is_length(*named, self.default));
        let named = match only {
            Some(_) if has_one_length => Some(self.default),
            Some(_) | None => bytes_of(parameters.iv_length, "IV Length")?,
        };
        let fields = fields_len(parameters)?;
        let counter = bytes_of(parameters.counter_length, "Counter Length")?;
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
        if len > MADE_LEN_MAX {
            return Err(Error::parameters(format!(
                "this server makes no IV/Counter/Nonce of more than {MADE_LEN_MAX} bytes"
            )));
        }
        if len < self.default.min(RANDOM_LEN_MIN) {
            return Err(too_short(len, self.default));
        }
        if !(self.all)(len, self.block) {
            return Err(Error::parameters(format!(
                "{len} bytes is no length of an IV/Counter/Nonce in this mode"
            )));
        }
        if kind == Kind::ChaCha && len > RANDOM_LEN_MIN {
            let start = parameters.initial_counter_value.unwrap_or(0).to_le_bytes().to_vec();
            return Ok(Layout { before: start, random: RANDOM_LEN_MIN, after: Vec::new() });
        }
        Ok(Layout::random(len))
    }

    /// A whole block for CTR: the counter is a part of the vector (1.4, 3.6).
    ///
    /// If the parameters say nothing of the counter, all of the block is random, and the messages
    /// under one key overlap no more likely than blocks of CBC are equal. Else the nonce before the
    /// counter is random, and no two messages have the same one (SP 800-38A, B.2).
    fn counter_block(&self, parameters: &CryptographicParameters) -> Result<Layout> {
        let block = self.block;
        if parameters.iv_length.is_some_and(|named| !is_length(named, block)) {
            return Err(Error::parameters(format!(
                "a counter block that the server makes has {0} bits, the counter included: ask for \
                 IV Length {0}, and say in Counter Length how many of them count",
                block.saturating_mul(8)
            )));
        }
        let counter = match counter_len(block, parameters)? {
            None if starts(parameters) => COUNTER_LEN,
            None => return Ok(Layout::random(block)),
            Some(counter) => counter,
        };
        let random = block.saturating_sub(counter);
        match random < RANDOM_LEN_MIN {
            true => Err(too_short(random, block)),
            false => {
                let after = first_count(counter, parameters)?;
                Ok(Layout { before: Vec::new(), random, after })
            }
        }
    }
}

fn too_short(len: usize, enough: usize) -> Error {
    Error::parameters(format!(
        "the parameters leave {} random bits, with which an IV/Counter/Nonce that the server makes \
         would repeat under its key: ask for {}, or send one that is unique",
        len.saturating_mul(8),
        enough.saturating_mul(8)
    ))
}

/// Does the number name the length of so many bytes, in bits or in bytes?
fn is_length(named: i32, bytes: usize) -> bool {
    usize::try_from(named).is_ok_and(|named| named == bytes || named == bytes.saturating_mul(8))
}

/// A length in bits as whole bytes.
fn bytes_of(bits: Option<i32>, name: &str) -> Result<Option<usize>> {
    let Some(bits) = bits else { return Ok(None) };
    match usize::try_from(bits) {
        Ok(whole) if whole.is_multiple_of(8) => Ok(whole.checked_div(8)),
        _ => Err(Error::parameters(format!(
            "{name} is in bits and must be whole bytes, which {bits} is not"
        ))),
    }
}

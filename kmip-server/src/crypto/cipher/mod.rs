//! Encryption and decryption: which mode goes with which algorithm, and a message in one part or
//! in many (1.4, 4.29 and 4.30; 2.1, 6.1.17 and 6.1.12).
//!
//! ```text
//! ECB CBC PCBC          whole blocks, the last one filled    any block cipher
//! CFB OFB CTR           a stream                             any block cipher
//! GCM                   a stream and a tag                   blocks of 16 bytes
//! CCM XTS               in one piece                         blocks of 16 bytes
//! NISTKeyWrap, AESKeyWrapPadding   in one piece              AES
//! (none), AEAD          ChaCha20, ChaCha20-Poly1305, RC4
//! ```
//!
//! **What a tag vouches for is not given out before the tag was compared**: a message that is
//! decrypted in parts comes with its last part. What is done in one piece is gathered likewise.
//! Where a request has no field for a tag, the tag is the end of the encrypted data.

pub(crate) mod block;
pub(crate) mod block_chaining;
pub(crate) mod ccm;
pub(crate) mod chacha20;
pub(crate) mod gcm;
pub(crate) mod iv;
pub(crate) mod key_wrap;
pub(crate) mod kind;
pub(crate) mod padding;
pub(crate) mod stream_modes;
pub(crate) mod tag;
pub(crate) mod xts;

use std::sync::Arc;

use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{CryptographicAlgorithm as A, PaddingMethod};
use rc4::{KeyInit, Rc4, StreamCipher};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use block::block;

use super::error::{Error, Result};
use super::held::Held;
use block_chaining::Chain;
use chacha20::{ChaCha, ChaChaPoly};
use gcm::Gcm;
use key_wrap::Way;
use kind::Kind;
use stream_modes::{Feedback, KeyStream};
use tag::Tag;

use iv::Vector;
use xts::Xts;

/// A message under way.
#[derive(Clone)]
pub(crate) struct Cipher {
    state: State,
    encrypts: bool,
}

/// The last part of a message.
pub(crate) struct Finished {
    /// What came of the last part.
    pub data: Zeroizing<Vec<u8>>,
    /// The tag, of a message that was encrypted in a mode that has one.
    pub tag: Option<Vec<u8>>,
}

#[derive(Clone)]
enum State {
    Chain { chain: Chain, padding: PaddingMethod, held: Zeroizing<Vec<u8>> },
    Stream(KeyStream),
    ChaCha(ChaCha),
    Sealed { seal: Seal, tag: Tag, held: Held },
    Piece { piece: Piece, held: Held },
}

/// A mode that has a tag.
#[derive(Clone)]
enum Seal {
    Gcm(Box<Gcm>),
    ChaChaPoly(Box<ChaChaPoly>),
}

/// What is done in one piece.
#[derive(Clone)]
enum Piece {
    Ccm { cipher: block::SharedBlock, nonce: Vec<u8>, additional: Arc<[u8]>, tag: Tag },
    Xts { xts: Xts, number: Vec<u8> },
    KeyWrap { way: Way, key: Zeroizing<Vec<u8>> },
    Rc4 { key: Zeroizing<Vec<u8>> },
}

/// What a message begins with, beside its key.
#[derive(Clone, Copy, Default)]
pub(crate) struct Beginning<'a> {
    /// The IV/Counter/Nonce of the request.
    pub vector: Option<&'a [u8]>,
    /// The Authenticated Encryption Additional Data.
    pub additional: &'a [u8],
    /// The Authenticated Encryption Tag, when decrypting.
    pub tag: Option<&'a [u8]>,
    /// Is the end of the data the tag, when decrypting without such a field?
    pub ends_with_tag: bool,
}

impl Cipher {
    /// Returns whether the parameters name a mode with a tag.
    pub(crate) fn has_tag(algorithm: A, parameters: &CryptographicParameters) -> bool {
        Kind::of(algorithm, parameters.block_cipher_mode).is_ok_and(Kind::has_tag)
    }

    /// Begins a message to be encrypted. Gives the IV/Counter/Nonce too if the server made it.
    pub(crate) fn encryptor(
        algorithm: A,
        key: &[u8],
        parameters: &CryptographicParameters,
        beginning: Beginning<'_>,
    ) -> Result<(Self, Option<Vec<u8>>)> {
        let kind = Kind::of(algorithm, parameters.block_cipher_mode)?;
        let vector = iv::to_encrypt(kind, algorithm, parameters, beginning.vector)?;
        let cipher = Self::begin(kind, algorithm, key, parameters, &vector.bytes, beginning, true)?;
        let Vector { bytes, is_made } = vector;
        Ok((cipher, is_made.then_some(bytes)))
    }

    /// Begins a message to be decrypted.
    pub(crate) fn decryptor(
        algorithm: A,
        key: &[u8],
        parameters: &CryptographicParameters,
        beginning: Beginning<'_>,
    ) -> Result<Self> {
        let kind = Kind::of(algorithm, parameters.block_cipher_mode)?;
        let vector = iv::to_decrypt(kind, algorithm, parameters, beginning.vector)?;
        if kind.has_tag() && beginning.tag.is_none() && !beginning.ends_with_tag {
            return Err(Error::parameters(
                "the mode decrypts nothing without its Authenticated Encryption Tag",
            ));
        }
        Self::begin(kind, algorithm, key, parameters, &vector, beginning, false)
    }

    fn begin(
        kind: Kind,
        algorithm: A,
        key: &[u8],
        parameters: &CryptographicParameters,
        vector: &[u8],
        beginning: Beginning<'_>,
        encrypts: bool,
    ) -> Result<Self> {
        if !kind.has_tag() && (!beginning.additional.is_empty() || beginning.tag.is_some()) {
            return Err(Error::parameters(
                "the mode has no tag, and so nothing that vouches for additional data",
            ));
        }
        let padding = parameters.padding_method.unwrap_or(PaddingMethod::None);
        if !matches!(kind, Kind::Chain(_)) && padding != PaddingMethod::None {
            return Err(Error::parameters(format!(
                "the mode takes data of any length: there is no block for {padding:?} to fill"
            )));
        }
        let tag = || Tag::new(kind, parameters.tag_length, beginning.tag, encrypts);
        let seal =
            |seal: Seal| Ok::<_, Error>(State::Sealed { seal, tag: tag()?, held: Held::default() });
        let piece = |piece: Piece| State::Piece { piece, held: Held::default() };
        let owned = |bytes: &[u8]| Zeroizing::new(bytes.to_vec());
        let state = match kind {
            Kind::Chain(link) => {
                padding::is_for_blocks(padding)?;
                let chain = Chain::new(block(algorithm, key)?, link, vector);
                State::Chain { chain, padding, held: Zeroizing::default() }
            }
            Kind::Fed(feedback) => {
                State::Stream(KeyStream::new(block(algorithm, key)?, feedback, vector))
            }
            Kind::Counted => {
                let cipher = block(algorithm, key)?;
                let (register, counter) = iv::register(cipher.len(), vector, parameters)?;
                State::Stream(KeyStream::new(cipher, Feedback::Counter(counter), &register))
            }
            Kind::Gcm => seal(Seal::Gcm(Box::new(Gcm::new(
                block(algorithm, key)?,
                vector,
                beginning.additional,
            )?)))?,
            Kind::ChaChaPoly => seal(Seal::ChaChaPoly(Box::new(ChaChaPoly::new(
                key,
                vector,
                beginning.additional,
            )?)))?,
            Kind::Ccm => piece(Piece::Ccm {
                cipher: ccm::with(block(algorithm, key)?)?,
                nonce: vector.to_vec(),
                additional: beginning.additional.into(),
                tag: tag()?,
            }),
            Kind::Xts => piece(Piece::Xts { xts: xts(algorithm, key)?, number: vector.to_vec() }),
            Kind::KeyWrap(way) => piece(Piece::KeyWrap { way, key: owned(key) }),
            Kind::ChaCha => {
                let counter = parameters.initial_counter_value.unwrap_or(0).cast_unsigned();
                State::ChaCha(ChaCha::new(key, vector, counter)?)
            }
            Kind::Rc4 => piece(Piece::Rc4 { key: owned(key) }),
        };
        Ok(Self { state, encrypts })
    }

    /// Bytes that are held until the last part.
    pub(crate) fn held_len(&self) -> usize {
        match &self.state {
            State::Sealed { held, .. } | State::Piece { held, .. } => held.len(),
            // Less than a block.
            State::Chain { .. } | State::Stream(_) | State::ChaCha(_) => 0,
        }
    }

    /// Takes a part of the message that is not the last, and gives what can be given of it.
    pub(crate) fn update(&mut self, data: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let encrypts = self.encrypts;
        let mut out = Zeroizing::new(data.to_vec());
        match &mut self.state {
            State::Chain { chain, padding, held } => {
                let keeps_last = !encrypts && *padding != PaddingMethod::None;
                out = whole_blocks(held, data, chain.block_len(), keeps_last);
                if encrypts { chain.encrypt(&mut out) } else { chain.decrypt(&mut out) }
            }
            State::Stream(stream) if encrypts => stream.encrypt(&mut out)?,
            State::Stream(stream) => stream.decrypt(&mut out)?,
            State::ChaCha(stream) => stream.apply(&mut out)?,
            State::Sealed { seal, .. } if encrypts => seal.encrypt(&mut out)?,
            State::Sealed { seal, tag, held } => {
                tag.strip(&mut out);
                seal.decrypt(&mut out)?;
                held.push(&out)?;
                out = Zeroizing::default();
            }
            State::Piece { held, .. } => {
                held.push(data)?;
                out = Zeroizing::default();
            }
        }
        Ok(out)
    }

    /// Takes the last part of the message, or the only one.
    pub(crate) fn finish(mut self, data: &[u8]) -> Result<Finished> {
        let mut out = self.update(data)?;
        let encrypts = self.encrypts;
        match self.state {
            State::Stream(_) | State::ChaCha(_) => {}
            State::Chain { mut chain, padding, mut held } => {
                let block = chain.block_len();
                if encrypts {
                    padding::pad(padding, block, &mut held)?;
                    chain.encrypt(&mut held);
                } else if held.len().is_multiple_of(block) {
                    chain.decrypt(&mut held);
                    let len = padding::unpadded(padding, block, &held)?;
                    held.truncate(len);
                } else {
                    return Err(padding::not_whole(block));
                }
                out = Zeroizing::new([out.as_slice(), held.as_slice()].concat());
            }
            State::Sealed { seal, tag, held } => {
                let made = seal.finish()?;
                if encrypts {
                    return Ok(Finished { data: out, tag: Some(tag.cut(&made)) });
                }
                tag.compare(&made)?;
                out = held.finish(&[])?;
            }
            State::Piece { piece, held } => return piece.finish(held.finish(&[])?, encrypts),
        }
        Ok(Finished { data: out, tag: None })
    }
}

#[cfg(test)]
impl Cipher {
    /// Bytes of the message that a copy duplicates.
    pub(crate) fn copied_len(&self) -> usize {
        match &self.state {
            State::Chain { held, .. } => held.len(),
            State::Stream(_) | State::ChaCha(_) => 0,
            State::Sealed { held, .. } | State::Piece { held, .. } => held.copied_len(),
        }
    }
}

impl Seal {
    fn encrypt(&mut self, data: &mut [u8]) -> Result<()> {
        match self {
            Self::Gcm(gcm) => gcm.encrypt(data),
            Self::ChaChaPoly(poly) => poly.encrypt(data),
        }
    }

    fn decrypt(&mut self, data: &mut [u8]) -> Result<()> {
        match self {
            Self::Gcm(gcm) => gcm.decrypt(data),
            Self::ChaChaPoly(poly) => poly.decrypt(data),
        }
    }

    fn finish(self) -> Result<Zeroizing<Vec<u8>>> {
        match self {
            Self::Gcm(gcm) => gcm.finish(),
            Self::ChaChaPoly(poly) => Ok(poly.finish()),
        }
    }
}

impl Piece {
    fn finish(self, mut data: Zeroizing<Vec<u8>>, encrypts: bool) -> Result<Finished> {
        let mut tag = None;
        match self {
            Self::Ccm { cipher, nonce, additional, tag: mut expected } => {
                expected.strip(&mut data);
                let len = expected.len();
                let made = ccm::apply(&cipher, &nonce, &additional, &mut data, len, encrypts)?;
                if encrypts {
                    tag = Some(made.to_vec());
                } else {
                    expected.compare(&made)?;
                }
            }
            Self::Xts { xts, number } => xts.apply(&number, &mut data, encrypts)?,
            Self::KeyWrap { way, key } if encrypts => data = key_wrap::wrap(way, &key, &data)?,
            Self::KeyWrap { way, key } => data = key_wrap::unwrap(way, &key, &data)?,
            Self::Rc4 { key } => Rc4::new_from_slice(&key)
                .map_err(|_| Error::parameters("RC4 has keys of 1 to 256 bytes"))?
                .apply_keystream(&mut data),
        }
        Ok(Finished { data, tag })
    }
}

/// Both ciphers of XTS. A key whose halves are one makes a mode that hides little (SP 800-38E).
fn xts(algorithm: A, key: &[u8]) -> Result<Xts> {
    let (data, tweak) = key.split_at(key.len().checked_div(2).unwrap_or(0));
    if data.ct_eq(tweak).into() {
        return Err(Error::parameters("the two halves of a key for XTS must differ"));
    }
    let xts = Xts { data: block(algorithm, data)?, tweak: block(algorithm, tweak)? };
    match xts.data.len() {
        16 => Ok(xts),
        _ => Err(Error::unsupported("XTS needs a cipher with blocks of 16 bytes")),
    }
}

/// The whole blocks of what was held and what came; the rest is held, and with `keeps_last` the
/// last whole block too, because there may be padding in it.
fn whole_blocks(
    held: &mut Zeroizing<Vec<u8>>,
    data: &[u8],
    block: usize,
    keeps_last: bool,
) -> Zeroizing<Vec<u8>> {
    let mut joined = Zeroizing::new([held.as_slice(), data].concat());
    let over = joined.len().checked_rem(block).unwrap_or(0);
    let kept = if over == 0 && keeps_last { block.min(joined.len()) } else { over };
    let whole = joined.len().saturating_sub(kept);
    *held = Zeroizing::new(joined.get(whole..).unwrap_or_default().to_vec());
    joined.truncate(whole);
    joined
}

//! Kinds of cipher: how algorithm and mode decide what a message begins with.

use kmip::vocabulary::{BlockCipherMode as Mode, CryptographicAlgorithm as A};

use super::block::is_block_cipher;
use super::block_chaining::Link;
use super::key_wrap::{self, Way};
use super::stream_modes::Feedback;
use crate::crypto::error::{Error, Result};

/// A mode, as far as it decides what a message begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Chain(Link),
    Fed(Feedback),
    Counted,
    Gcm,
    Ccm,
    Xts,
    KeyWrap(Way),
    ChaCha,
    ChaChaPoly,
    Rc4,
}

impl Kind {
    /// The mode that the parameters name, for the algorithm.
    pub(crate) fn of(algorithm: A, mode: Option<Mode>) -> Result<Self> {
        match (algorithm, mode) {
            (A::ChaCha20, None) => Ok(Self::ChaCha),
            (A::ChaCha20Poly1305, None | Some(Mode::AEAD)) => Ok(Self::ChaChaPoly),
            (A::RC4, None) => Ok(Self::Rc4),
            (A::ChaCha20 | A::ChaCha20Poly1305 | A::RC4, Some(mode)) => {
                Err(Error::parameters(format!("{mode:?} is no mode of {algorithm:?}")))
            }
            _ if !is_block_cipher(algorithm) => Err(Error::unsupported(format!(
                "{algorithm:?} is no cipher that this server encrypts and decrypts with"
            ))),
            (_, None) => Err(Error::parameters(format!(
                "{algorithm:?} needs a BlockCipherMode: neither the request nor the key names one"
            ))),
            (_, Some(mode)) => Self::of_block_cipher(algorithm, mode),
        }
    }

    pub(crate) fn of_block_cipher(algorithm: A, mode: Mode) -> Result<Self> {
        match mode {
            Mode::ECB => Ok(Self::Chain(Link::None)),
            Mode::CBC => Ok(Self::Chain(Link::Cipher)),
            Mode::PCBC => Ok(Self::Chain(Link::Both)),
            Mode::CFB => Ok(Self::Fed(Feedback::Cipher)),
            Mode::OFB => Ok(Self::Fed(Feedback::Stream)),
            Mode::CTR => Ok(Self::Counted),
            Mode::GCM => Ok(Self::Gcm),
            Mode::CCM => Ok(Self::Ccm),
            Mode::XTS => Ok(Self::Xts),
            Mode::NISTKeyWrap | Mode::AESKeyWrapPadding => {
                key_wrap::is_for(algorithm)?;
                let is_plain = mode == Mode::NISTKeyWrap;
                Ok(Self::KeyWrap(if is_plain { Way::Plain } else { Way::Padded }))
            }
            Mode::CMAC | Mode::CBC_MAC => Err(Error::parameters(format!(
                "{mode:?} makes a code and no ciphertext: ask for it with MAC"
            ))),
            Mode::X9_102AESKW | Mode::X9_102TDKW | Mode::X9_102AKW1 | Mode::X9_102AKW2 => {
                Err(Error::unsupported(format!(
                    "{mode:?} is not a mode of this server: use NISTKeyWrap or AESKeyWrapPadding"
                )))
            }
            _ => Err(Error::parameters(format!("{mode:?} is no mode of {algorithm:?}"))),
        }
    }

    /// Has the mode a tag, and additional data that it vouches for?
    pub(crate) const fn has_tag(self) -> bool {
        matches!(self, Self::Gcm | Self::Ccm | Self::ChaChaPoly)
    }

    /// The lengths that a tag may have, in bytes (SP 800-38D, 5.2.1.2; SP 800-38C, A.1).
    pub(crate) const fn tag_lengths(self) -> &'static [usize] {
        match self {
            Self::Gcm => &[4, 8, 12, 13, 14, 15, 16],
            Self::Ccm => &[4, 6, 8, 10, 12, 14, 16],
            Self::ChaChaPoly => &[12, 13, 14, 15, 16],
            Self::Chain(_)
            | Self::Fed(_)
            | Self::Counted
            | Self::Xts
            | Self::KeyWrap(_)
            | Self::ChaCha
            | Self::Rc4 => &[],
        }
    }

    /// The length of the tag: what the parameters say, or else what came, or else the whole tag.
    pub(crate) fn tag_len(self, asked: Option<i32>, given: Option<&[u8]>) -> Result<usize> {
        let len = match (asked, given) {
            (Some(asked), _) => usize::try_from(asked).unwrap_or(0),
            (None, Some(given)) => given.len(),
            (None, None) => 16,
        };
        match self.tag_lengths().contains(&len) {
            true => Ok(len),
            false => Err(Error::TagLength(
                asked.map_or_else(|| i64::try_from(len).unwrap_or(i64::MAX), i64::from),
            )),
        }
    }
}

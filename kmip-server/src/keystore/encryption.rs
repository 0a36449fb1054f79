//! Data through a key that stays here, there or back, whole or in parts: what Encrypt and Decrypt
//! have in common (1.4, 4.29 and 4.30; 2.1, 6.1.11 and 6.1.17).
//!
//! ```text
//! key -> may it? -> first part: begin a cipher --+
//!                   later one:  take its stream -+-> the data -> last part: end, or go on
//! key of a pair                                      one message in one part
//! ```
//!
//! Which fields a request and its response have in which version is the business of the payloads.
//! Only the tag is needed in versions that have no field for it: KMIP 1.2 and 1.3 name the modes
//! that make one, and Tag Length. There it is the end of the encrypted data, where other servers of
//! these versions put it and their clients, such as OpenBao's, look for it.

use kmip::structures::CryptographicParameters;
use kmip::vocabulary::Operation;
use kmip::{Identifier, InputData, SecretBytes, Version};
use zeroize::Zeroizing;

use crate::crypto::asymmetric;
use crate::crypto::cipher::{Beginning, Cipher, Finished};
use crate::keystore::Context;
use crate::keystore::key_use::{self, KeyUse, UsableKey};
use crate::keystore::streaming::{Part, State, Stream, Terms};
use crate::keystore::usage_accounting;
use crate::objects::error::{OperationError, Result};

/// The version since which a request and a response have a field for the tag.
const TAG_SINCE: Version = Version::V1_4;

/// Which way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// To what nobody reads without the key.
    There,
    /// And back.
    Back,
}

impl Way {
    const fn of(self) -> (Operation, KeyUse) {
        match self {
            Self::There => (Operation::Encrypt, key_use::ENCRYPT),
            Self::Back => (Operation::Decrypt, key_use::DECRYPT),
        }
    }
}

/// What a request asks for.
pub(crate) struct CipherRequest {
    /// The key.
    pub unique_identifier: Option<Identifier>,
    /// How.
    pub parameters: Option<Box<CryptographicParameters>>,
    /// The data of this part.
    pub data: Option<InputData>,
    /// Which part.
    pub part: Part,
    /// The vector, counter or nonce.
    pub vector: Option<Vec<u8>>,
    /// What is vouched for and stays as it is.
    pub additional: Option<SecretBytes>,
    /// What vouches for it, on the way back.
    pub tag: Option<Vec<u8>>,
}

/// What came of it.
pub(crate) struct CipherResult {
    /// The key.
    pub unique_identifier: String,
    /// As much of the data as is ready.
    pub data: Option<SecretBytes>,
    /// The vector, if the server made it up.
    pub vector: Option<Vec<u8>>,
    /// What to send with the next part.
    pub correlation: Option<Vec<u8>>,
    /// What vouches for the data, on the way there.
    pub tag: Option<Vec<u8>>,
}

/// Does it.
pub(crate) async fn run(
    cx: &mut Context<'_>,
    way: Way,
    asked: CipherRequest,
) -> Result<CipherResult> {
    let CipherRequest { unique_identifier, parameters, data, part, vector, additional, tag } =
        asked;
    let (operation, to_use) = way.of();
    let unique_identifier = cx.identify_in(unique_identifier.as_ref(), &part)?;
    let data = cx.data(data)?;
    let subject = key_use::subject(cx, &unique_identifier, to_use).await?;
    if part == Part::Whole && data.is_none() {
        return Err(OperationError::missing("the request has no Data"));
    }
    if subject.is_of_a_pair() {
        return with_pair(cx, way, &subject, &part, parameters, data).await;
    }
    let mut made = None;
    let mut stream = if part.begins() {
        let parameters = subject.parameters(cx, parameters)?;
        let terms = Terms { vector, additional, tag, ..Terms::settled(parameters) };
        let (cipher, terms) = begin(cx, way, &subject, terms, &mut made)?;
        Stream::of(cx, operation, Some(&unique_identifier), terms, State::Cipher(cipher))
    } else {
        let said = Terms { vector, additional, tag, ..Terms::of(parameters) };
        cx.stream(&part, operation, Some(&unique_identifier), &said)?
    };
    let data = data.as_ref().map(SecretBytes::as_bytes).unwrap_or_default();
    count(cx, way, &subject, data.len()).await?;
    let State::Cipher(cipher) = &mut stream.state else {
        return Err(OperationError::internal("go on with the stream"));
    };
    cx.id_placeholder = Some(unique_identifier.clone());
    if part.ends() {
        let Finished { mut data, mut tag } = cipher.clone().finish(data)?;
        if cx.version < TAG_SINCE {
            data = Zeroizing::new([data.as_slice(), &tag.take().unwrap_or_default()].concat());
        }
        let is_given = part == Part::Whole || !data.is_empty();
        let data = is_given.then(|| SecretBytes::new(&data));
        cx.end(part);
        return Ok(CipherResult { unique_identifier, data, vector: made, correlation: None, tag });
    }
    let out = cipher.update(data)?;
    let data = (!out.is_empty()).then(|| SecretBytes::new(&out));
    let correlation = Some(cx.go_on(part, stream)?);
    Ok(CipherResult { unique_identifier, data, vector: made, correlation, tag: None })
}

/// Begins a cipher by the terms of its first part; `made` is the vector if the server makes it.
fn begin(
    cx: &Context<'_>,
    way: Way,
    subject: &UsableKey,
    mut terms: Terms,
    made: &mut Option<Vec<u8>>,
) -> Result<(Cipher, Terms)> {
    let parameters = terms.parameters.as_deref().cloned().unwrap_or_default();
    let algorithm = subject.cipher(&parameters)?;
    let beginning = Beginning {
        vector: terms.vector.as_deref(),
        additional: terms.additional.as_ref().map(SecretBytes::as_bytes).unwrap_or_default(),
        tag: terms.tag.as_deref(),
        ends_with_tag: cx.version < TAG_SINCE,
    };
    let key = subject.secret()?;
    let cipher = match way {
        Way::There => {
            let begun = Cipher::encryptor(algorithm, key.as_bytes(), &parameters, beginning)?;
            *made = begun.1;
            begun.0
        }
        Way::Back => Cipher::decryptor(algorithm, key.as_bytes(), &parameters, beginning)?,
    };
    terms.vector = terms.vector.or_else(|| made.clone());
    Ok((cipher, terms))
}

/// A key of a pair takes a message in one piece: it is no longer than the key.
async fn with_pair(
    cx: &mut Context<'_>,
    way: Way,
    subject: &UsableKey,
    part: &Part,
    parameters: Option<Box<CryptographicParameters>>,
    data: Option<SecretBytes>,
) -> Result<CipherResult> {
    let (Part::Whole, Some(data)) = (part, data) else {
        return Err(OperationError::invalid_field(
            "a key of a pair encrypts and decrypts a message in one part",
        ));
    };
    let parameters = subject.parameters(cx, parameters)?;
    let key = subject.key()?;
    let out = match way {
        Way::There => Zeroizing::new(asymmetric::encrypt(&key, &parameters, data.as_bytes())?),
        Way::Back => asymmetric::decrypt(&key, &parameters, data.as_bytes())?,
    };
    count(cx, way, subject, data.as_bytes().len()).await?;
    cx.id_placeholder = Some(subject.id.clone());
    Ok(CipherResult {
        unique_identifier: subject.id.clone(),
        data: Some(SecretBytes::new(&out)),
        vector: None,
        correlation: None,
        tag: None,
    })
}

/// Usage Limits count what is protected, and not what is read again (1.4, 3.21; 2.1, 4.59).
async fn count(cx: &mut Context<'_>, way: Way, subject: &UsableKey, bytes: usize) -> Result<()> {
    match way {
        Way::There => {
            usage_accounting::count_protected(cx, &subject.id, &subject.metadata, bytes).await
        }
        Way::Back => Ok(()),
    }
}

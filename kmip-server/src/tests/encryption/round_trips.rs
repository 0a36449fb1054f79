//! What is encrypted is decrypted again, in every mode, version and length of a tag, in one part
//! and in several; or it is refused.

use kmip::InputData;
use kmip::payload::{DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse};
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::PaddingMethod;

use crate::crypto::asymmetric::signature::Message;
use crate::crypto::cipher::kind::Kind;
use crate::crypto::cipher::{Beginning, Cipher, block};
use crate::crypto::held::CHUNK_LEN;
use crate::crypto::keys::{Edwards, Key as Neutral};
use crate::tests::encryption::modes::{Served, needs_long_blocks, served};
use crate::tests::harness::*;
use crate::tests::known_answers::served::register;

/// A message that every mode takes: key wrapping takes steps of 8 bytes.
const MESSAGE: &[u8] = b"forty bytes, which is five times eight..";

/// The version since which a request and a response have a field for the tag.
const TAG_FIELD: Version = Version::V1_4;

/// The lengths of parts: shorter than a tag, longer than one, and the whole message.
const PARTS: &[usize] = &[5, 17, usize::MAX];

/// A message under way at a server.
struct Exchange<'a> {
    harness: &'a Harness,
    version: Version,
    key: &'a str,
    parameters: CryptographicParameters,
    additional: Option<SecretBytes>,
}

fn bytes(data: Option<&SecretBytes>) -> Vec<u8> {
    data.map(|data| data.as_bytes().to_vec()).unwrap_or_default()
}

impl Exchange<'_> {
    fn first(&self) -> EncryptRequest {
        EncryptRequest {
            unique_identifier: id(self.key),
            cryptographic_parameters: Some(Box::new(self.parameters.clone())),
            authenticated_encryption_additional_data: self.additional.clone(),
            ..EncryptRequest::default()
        }
    }

    /// Encrypts in parts of so many bytes; the answers joined.
    async fn encrypt(&self, part: usize) -> Result<EncryptResponse, ResultReason> {
        if part >= MESSAGE.len() {
            let data = Some(InputData::from(MESSAGE));
            let request = EncryptRequest { data, ..self.first() };
            return self.harness.ask(self.version, request).await;
        }
        let first = EncryptRequest { init_indicator: Some(true), ..self.first() };
        let mut answer = self.harness.ask(self.version, first).await?;
        let (correlation_value, vector) = (answer.correlation_value, answer.iv_counter_nonce);
        assert!(correlation_value.is_some(), "how to go on");
        let mut out = bytes(answer.data.as_ref());
        let mut rest = MESSAGE;
        loop {
            let (data, later) = rest.split_at(part.min(rest.len()));
            rest = later;
            let request = EncryptRequest {
                unique_identifier: id(self.key),
                data: Some(InputData::from(data)),
                correlation_value: correlation_value.clone(),
                final_indicator: Some(rest.is_empty()),
                ..EncryptRequest::default()
            };
            answer = self.harness.ask(self.version, request).await?;
            out.extend(bytes(answer.data.as_ref()));
            if rest.is_empty() {
                let data = Some(SecretBytes::new(&out));
                return Ok(EncryptResponse { data, iv_counter_nonce: vector, ..answer });
            }
            assert_eq!(answer.authenticated_encryption_tag, None, "with the last part");
        }
    }

    /// Decrypts in parts of so many bytes; the data joined.
    async fn decrypt(
        &self,
        encrypted: &EncryptResponse,
        part: usize,
    ) -> Result<Vec<u8>, ResultReason> {
        let data = bytes(encrypted.data.as_ref());
        let whole = DecryptRequest {
            unique_identifier: id(self.key),
            cryptographic_parameters: Some(Box::new(self.parameters.clone())),
            iv_counter_nonce: encrypted.iv_counter_nonce.clone(),
            authenticated_encryption_additional_data: self.additional.clone(),
            authenticated_encryption_tag: encrypted.authenticated_encryption_tag.clone(),
            ..DecryptRequest::default()
        };
        if part >= data.len() {
            let request = DecryptRequest { data: Some(InputData::from(&data[..])), ..whole };
            let answer = self.harness.ask(self.version, request).await?;
            return Ok(bytes(answer.data.as_ref()));
        }
        let first = DecryptRequest { init_indicator: Some(true), ..whole };
        let begun = self.harness.ask(self.version, first).await?;
        let mut out = bytes(begun.data.as_ref());
        let mut parts = data.chunks(part).peekable();
        while let Some(part) = parts.next() {
            let request = DecryptRequest {
                unique_identifier: id(self.key),
                data: Some(InputData::from(part)),
                correlation_value: begun.correlation_value.clone(),
                final_indicator: Some(parts.peek().is_none()),
                ..DecryptRequest::default()
            };
            let answer: DecryptResponse = self.harness.ask(self.version, request).await?;
            out.extend(bytes(answer.data.as_ref()));
        }
        Ok(out)
    }
}

/// The parameters of a mode, with this length of a tag.
fn parameters(of: &Served, tag_length: Option<i32>) -> CryptographicParameters {
    CryptographicParameters {
        block_cipher_mode: of.mode,
        padding_method: matches!(of.kind, Kind::Chain(_)).then_some(PaddingMethod::PKCS5),
        tag_length,
        ..CryptographicParameters::default()
    }
}

/// The versions that have Encrypt.
fn versions() -> impl Iterator<Item = Version> {
    Version::SERVED.iter().copied().filter(|version| Operation::Encrypt.exists_in(*version))
}

#[tokio::test]
async fn what_is_encrypted_is_decrypted_or_refused_in_every_mode_version_and_length_of_tag() {
    for of in served() {
        let tags = of.kind.tag_lengths().iter().map(|len| Some(i32::try_from(*len).unwrap()));
        for tag in [None].into_iter().chain(tags) {
            // What does not decrypt leaves its stream open, of which a client has so many.
            let harness = Harness::new();
            let key = register(&harness, of.algorithm, &of.key, vec![]).await;
            for version in versions() {
                let exchange = Exchange {
                    harness: &harness,
                    version,
                    key: &key,
                    parameters: parameters(&of, tag),
                    additional: of.kind.has_tag().then(|| SecretBytes::new(b"vouched for")),
                };
                let what = format!("{}, tag {tag:?}, KMIP {version}", of.name());
                for part in PARTS {
                    round_trip(&exchange, &of, *part, &format!("{what}, by {part}")).await;
                }
            }
        }
    }
}

async fn round_trip(exchange: &Exchange<'_>, of: &Served, part: usize, what: &str) {
    let Ok(encrypted) = exchange.encrypt(part).await else {
        let in_parts = exchange.version < Version::V1_3 && part < MESSAGE.len();
        let is_short = block::len(of.algorithm) < 16 && needs_long_blocks(of.kind);
        assert!(in_parts || is_short, "{what}: refused");
        return;
    };
    let tag_len = match of.kind.has_tag() {
        true => usize::try_from(exchange.parameters.tag_length.unwrap_or(16)).unwrap(),
        false => 0,
    };
    let has_field = exchange.version >= TAG_FIELD && tag_len > 0;
    let tag = encrypted.authenticated_encryption_tag.as_ref().map(Vec::len);
    assert_eq!(tag, has_field.then_some(tag_len), "{what}");
    if of.kind.has_tag() {
        let len = MESSAGE.len() + if has_field { 0 } else { tag_len };
        assert_eq!(bytes(encrypted.data.as_ref()).len(), len, "{what}");
    }
    let plain = exchange.decrypt(&encrypted, part).await;
    assert_eq!(plain.as_deref(), Ok(MESSAGE), "{what}");
    if !has_field && tag_len > 0 {
        let refused = Err(ResultReason::CryptographicFailure);
        for at in [0, MESSAGE.len(), MESSAGE.len() + tag_len - 1] {
            let mut data = bytes(encrypted.data.as_ref());
            data[at] ^= 1;
            let data = Some(SecretBytes::new(&data));
            let forged = EncryptResponse { data, ..encrypted.clone() };
            assert_eq!(exchange.decrypt(&forged, part).await, refused, "{what}: byte {at}");
        }
        let cut = SecretBytes::new(&bytes(encrypted.data.as_ref())[..tag_len - 1]);
        let cut = EncryptResponse { data: Some(cut), ..encrypted };
        assert_eq!(exchange.decrypt(&cut, part).await, refused, "{what}: shorter than its tag");
    }
}

/// What one version has encrypted another decrypts: the tag is in one place or in the other.
#[tokio::test]
async fn versions_decrypt_what_others_have_encrypted() {
    let harness = Harness::new();
    for of in served().iter().filter(|of| of.kind.has_tag() && block::len(of.algorithm) != 8) {
        let key = register(&harness, of.algorithm, &of.key, vec![]).await;
        for (from, to) in versions().flat_map(|from| versions().map(move |to| (from, to))) {
            let exchange = |version| Exchange {
                harness: &harness,
                version,
                key: &key,
                parameters: parameters(of, None),
                additional: None,
            };
            let mut encrypted = exchange(from).encrypt(usize::MAX).await.unwrap();
            let mut data = bytes(encrypted.data.as_ref());
            if to < TAG_FIELD {
                data.extend(encrypted.authenticated_encryption_tag.take().unwrap_or_default());
            } else if from < TAG_FIELD {
                let tag = data.split_off(data.len() - 16);
                encrypted.authenticated_encryption_tag = Some(tag);
            }
            encrypted.data = Some(SecretBytes::new(&data));
            let plain = exchange(to).decrypt(&encrypted, usize::MAX).await;
            assert_eq!(plain.as_deref(), Ok(MESSAGE), "{}: {from} to {to}", of.name());
        }
    }
}

/// A stream may be begun in one version and ended in another: the answer of the last part says
/// where its tag is.
#[tokio::test]
async fn the_last_part_brings_the_tag_in_the_form_of_its_version() {
    let harness = Harness::new();
    let key = register(&harness, CryptographicAlgorithm::AES, &[1; 16], vec![]).await;
    let gcm = CryptographicParameters {
        block_cipher_mode: Some(kmip::vocabulary::BlockCipherMode::GCM),
        ..CryptographicParameters::default()
    };
    for (begin, end) in [(Version::V1_3, Version::V2_1), (Version::V2_1, Version::V1_3)] {
        let first = EncryptRequest {
            unique_identifier: id(&key),
            cryptographic_parameters: Some(Box::new(gcm.clone())),
            init_indicator: Some(true),
            ..EncryptRequest::default()
        };
        let begun = harness.ask(begin, first).await.unwrap();
        let last = EncryptRequest {
            unique_identifier: id(&key),
            data: Some(InputData::from(MESSAGE)),
            correlation_value: begun.correlation_value,
            final_indicator: Some(true),
            ..EncryptRequest::default()
        };
        let ended = harness.ask(end, last).await.unwrap();
        let exchange = Exchange {
            harness: &harness,
            version: end,
            key: &key,
            parameters: gcm.clone(),
            additional: None,
        };
        let ended = EncryptResponse { iv_counter_nonce: begun.iv_counter_nonce, ..ended };
        assert_eq!(exchange.decrypt(&ended, usize::MAX).await.as_deref(), Ok(MESSAGE));
    }
}

/// A part of one byte must not copy what the parts before it have brought.
#[test]
fn copies_of_a_message_under_way_share_what_is_held() {
    let part = vec![7; 10 * CHUNK_LEN];
    for of in served() {
        let is_short = block::len(of.algorithm) < 16 && needs_long_blocks(of.kind);
        let parameters = CryptographicParameters {
            block_cipher_mode: of.mode,
            ..CryptographicParameters::default()
        };
        let beginning = |vector| Beginning { vector, ends_with_tag: true, ..Beginning::default() };
        let begun = Cipher::encryptor(of.algorithm, &of.key, &parameters, beginning(None));
        assert_eq!(begun.is_err(), is_short, "{}", of.name());
        let Ok((encryptor, vector)) = begun else { continue };
        let vector = beginning(vector.as_deref());
        let decryptor = Cipher::decryptor(of.algorithm, &of.key, &parameters, vector).unwrap();
        for mut cipher in [encryptor, decryptor] {
            cipher.update(&part).unwrap();
            cipher.update(b"1").unwrap();
            assert!(cipher.copied_len() < CHUNK_LEN, "{}", of.name());
        }
    }
    let ed25519 = Neutral::EdwardsPrivate(Edwards::Ed25519, SecretBytes::new(&[1; 32]));
    let mut message = Message::begin(&ed25519, &CryptographicParameters::default()).unwrap();
    message.take(false, Some(&part), None).unwrap();
    assert!(message.copied_len() < CHUNK_LEN);
}

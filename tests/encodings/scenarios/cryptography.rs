//! Cryptographic operations: whole and in parts, with keys that are known and keys that are not.

use kmip::payload::*;
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::*;

use super::Objects;
use crate::requests::*;
use crate::script::Script;

const TEXT: &[u8] = b"a text of thirty-two bytes or so";

pub(super) fn run(script: &mut Script<'_>, objects: &Objects) {
    ciphers(script, objects);
    signatures(script, objects);
    codes(script, objects);
    in_parts(script, objects);
    random_bytes(script);
}

fn encrypt(key: &str, mode: BlockCipherMode, iv: Option<&[u8]>) -> EncryptRequest {
    EncryptRequest {
        unique_identifier: id(key),
        cryptographic_parameters: cipher(mode),
        data: data(TEXT),
        iv_counter_nonce: iv.map(<[u8]>::to_vec),
        ..EncryptRequest::default()
    }
}

fn ciphers(script: &mut Script<'_>, objects: &Objects) {
    let (iv, nonce) = (&[5; 16][..], &[5; 12][..]);
    let rows = [
        (&objects.key, BlockCipherMode::ECB, None),
        (&objects.key, BlockCipherMode::CBC, Some(iv)),
        (&objects.key, BlockCipherMode::CTR, Some(iv)),
        (&objects.key, BlockCipherMode::CBC, None),
        (&objects.made, BlockCipherMode::CBC, Some(iv)),
        (&objects.made, BlockCipherMode::GCM, Some(nonce)),
        (&objects.key, BlockCipherMode::CBC, Some(nonce)),
        (&objects.key, BlockCipherMode(77), Some(iv)),
        (&objects.opaque, BlockCipherMode::CBC, Some(iv)),
    ];
    for (key, mode, iv) in rows {
        let is_known = key == &objects.key && iv.is_some() || mode == BlockCipherMode::ECB;
        let drawn: &[_] = match is_known {
            true => &[],
            false => &["Data", "IVCounterNonce", "AuthenticatedEncryptionTag"],
        };
        let Ok(encrypted) = script.ask_drawn(encrypt(key, mode, iv), drawn) else { continue };
        let decrypt = DecryptRequest {
            unique_identifier: id(key),
            cryptographic_parameters: cipher(mode),
            data: data(encrypted.data.as_ref().unwrap().as_bytes()),
            iv_counter_nonce: encrypted.iv_counter_nonce.or(iv.map(<[u8]>::to_vec)),
            authenticated_encryption_tag: encrypted.authenticated_encryption_tag,
            ..DecryptRequest::default()
        };
        let decrypted = script.done(decrypt).data.unwrap();
        assert_eq!(decrypted.as_bytes(), TEXT);
    }
    let broken = DecryptRequest {
        unique_identifier: id(&objects.key),
        cryptographic_parameters: cipher(BlockCipherMode::CBC),
        data: data(&TEXT[1..]),
        iv_counter_nonce: Some(iv.to_vec()),
        ..DecryptRequest::default()
    };
    let _ = script.ask(broken);
}

fn signing() -> Option<Box<CryptographicParameters>> {
    Some(Box::new(CryptographicParameters {
        digital_signature_algorithm: Some(DigitalSignatureAlgorithm::ECDSAWithSHA256),
        ..CryptographicParameters::default()
    }))
}

fn signatures(script: &mut Script<'_>, objects: &Objects) {
    let sign = |key: &str| SignRequest {
        unique_identifier: id(key),
        cryptographic_parameters: signing(),
        data: data(TEXT),
        ..SignRequest::default()
    };
    let signed = script.ask_drawn(sign(&objects.private), &["SignatureData"]);
    let signature = signed.ok().and_then(|signed| signed.signature_data).unwrap_or(vec![1; 70]);
    for text in [TEXT, b"another text"] {
        let verify = SignatureVerifyRequest {
            unique_identifier: id(&objects.public),
            cryptographic_parameters: signing(),
            data: data(text),
            signature_data: Some(signature.clone()),
            ..SignatureVerifyRequest::default()
        };
        let _ = script.ask(verify);
    }
    script.refused(sign(&objects.opaque));
    script.refused(sign(&objects.public));
    let none = SignatureVerifyRequest {
        unique_identifier: id(&objects.public),
        ..SignatureVerifyRequest::default()
    };
    script.refused(none);
}

fn codes(script: &mut Script<'_>, objects: &Objects) {
    let mac = |key: &str, text| MACRequest {
        unique_identifier: id(key),
        data: data(text),
        ..MACRequest::default()
    };
    let code = script.ask(mac(&objects.code_key, TEXT)).ok().and_then(|answer| answer.mac_data);
    for text in [TEXT, b"another text"] {
        let verify = MACVerifyRequest {
            unique_identifier: id(&objects.code_key),
            data: data(text),
            mac_data: code.clone(),
            ..MACVerifyRequest::default()
        };
        let _ = script.ask(verify);
    }
    script.refused(mac(&objects.opaque, TEXT));
    let none = MACVerifyRequest {
        unique_identifier: id(&objects.code_key),
        data: data(TEXT),
        ..MACVerifyRequest::default()
    };
    script.refused(none);
    let _ = script.ask(hash(b"abc"));
    let _ = script.ask(hash(b""));
    let mut unknown = hash(b"abc");
    unknown.cryptographic_parameters.hashing_algorithm = Some(HashingAlgorithm(0x8000_0002));
    script.refused(unknown);
}

/// Streams, whose parts are told apart by a value that the server draws.
fn in_parts(script: &mut Script<'_>, objects: &Objects) {
    let first = HashRequest { init_indicator: Some(true), ..hash(&TEXT[..7]) };
    let begun = script.ask_drawn(first, &["CorrelationValue"]);
    // Before 1.3 there are no parts.
    let Some(value) = begun.ok().and_then(|begun| begun.correlation_value) else { return };
    let part = |bytes: &[u8], correlation_value: Option<Vec<u8>>, is_last| HashRequest {
        correlation_value,
        final_indicator: Some(is_last),
        ..hash(bytes)
    };
    let _ = script.ask(part(&TEXT[7..9], Some(value.clone()), false));
    let _ = script.ask(part(&TEXT[9..], Some(value.clone()), true));
    let _ = script.ask(part(TEXT, Some(value), true));
    let _ = script.ask(part(TEXT, Some(b"no correlation value".to_vec()), true));

    let mut first = encrypt(&objects.key, BlockCipherMode::CTR, Some(&[6; 16]));
    first.init_indicator = Some(true);
    let begun = script.ask_drawn(first, &["CorrelationValue"]);
    let value = begun.ok().and_then(|begun| begun.correlation_value);
    for is_last in [false, true, true] {
        let part = EncryptRequest {
            correlation_value: value.clone(),
            final_indicator: is_last.then_some(true),
            ..encrypt(&objects.key, BlockCipherMode::CTR, None)
        };
        let _ = script.ask(part);
    }
}

fn random_bytes(script: &mut Script<'_>) {
    for data_length in [32, 0, -5, 1 << 30] {
        let _ = script.ask_drawn(RNGRetrieveRequest { data_length }, &["Data"]);
    }
    for seed in [&b"seed"[..], b""] {
        let _ = script.ask(RNGSeedRequest { data: seed.into() });
    }
}

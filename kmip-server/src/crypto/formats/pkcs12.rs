//! PKCS#12 (RFC 7292): a private key with its chain of certificates, under a password
//! (1.4, 3.45 and 4.11; 2.1, 4.42 and 6.1.19).
//!
//! ```text
//! PFX: SafeContents encrypted (certificates) . SafeContents (the key, encrypted) . MAC
//! ```
//!
//! What is encrypted is so by PBES2 with PBKDF2, HMAC-SHA-256 and AES-256-CBC (RFC 8018), and
//! authenticated with HMAC-SHA-256: what programs of today write and read. **Written only**: a
//! container that a client registers is kept as it came, and of it only the names are read
//! ([`super::pkcs12_names`]).

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::{digest, hmac, pbkdf2, rand};
use zeroize::Zeroizing;

use crate::crypto::keys::der::{self, Der, tag};
use crate::crypto::keys::{Key, pkcs};
use crate::crypto::{Error, Result};

pub(super) mod oid {
    pub(crate) const DATA: &str = "1.2.840.113549.1.7.1";
    pub(crate) const ENCRYPTED_DATA: &str = "1.2.840.113549.1.7.6";
    pub(crate) const KEY_BAG: &str = "1.2.840.113549.1.12.10.1.1";
    pub(crate) const SHROUDED_KEY_BAG: &str = "1.2.840.113549.1.12.10.1.2";
    pub(crate) const CERTIFICATE_BAG: &str = "1.2.840.113549.1.12.10.1.3";
    pub(crate) const X509_CERTIFICATE: &str = "1.2.840.113549.1.9.22.1";
    pub(crate) const FRIENDLY_NAME: &str = "1.2.840.113549.1.9.20";
    pub(crate) const LOCAL_KEY_ID: &str = "1.2.840.113549.1.9.21";
    pub(crate) const PBES2: &str = "1.2.840.113549.1.5.13";
    pub(crate) const PBKDF2: &str = "1.2.840.113549.1.5.12";
    pub(crate) const HMAC_SHA256: &str = "1.2.840.113549.2.9";
    pub(crate) const AES_256_CBC: &str = "2.16.840.1.101.3.4.1.42";
    pub(crate) const SHA256: &str = "2.16.840.1.101.3.4.2.1";
}

/// How often the functions go round that make keys of the password: what OWASP asks of PBKDF2
/// with HMAC-SHA-256 is more, but each of three runs is the server's time and not the client's.
const ITERATIONS: u32 = 100_000;

/// The bytes of a salt (RFC 8018, 4.1, asks for eight at least).
const SALT_LEN: usize = 16;

/// What goes into a container.
pub(crate) struct Contents<'a> {
    /// The private key, where there is one.
    pub key: Option<&'a Key>,
    /// The certificates in DER, that of the key first.
    pub certificates: &'a [Vec<u8>],
    /// The name of the key and of its certificate.
    pub friendly_name: &'a str,
    /// The password.
    pub password: &'a str,
}

/// Writes a container.
pub(crate) fn write(contents: &Contents<'_>) -> Result<Der> {
    let failed = Error::Internal("write a PKCS#12 container");
    // The key and its certificate are known as a pair by the same bytes.
    let local_id = digest::digest(
        &digest::SHA1_FOR_LEGACY_USE_ONLY,
        contents.certificates.first().map(Vec::as_slice).unwrap_or_default(),
    );
    let own = attributes(contents.friendly_name, local_id.as_ref());
    let mut infos = Vec::new();
    if !contents.certificates.is_empty() {
        let mut bags = Vec::new();
        for (at, certificate) in contents.certificates.iter().enumerate() {
            let own: &[u8] = if at == 0 { &own } else { &[] };
            bags.push(certificate_bag(certificate, own));
        }
        infos.push(encrypted_data(&sequence_of(&bags), contents.password)?);
    }
    if let Some(key) = contents.key {
        let info = pkcs::write_pkcs8(key).ok_or(failed)?;
        let bag = key_bag(&info, &own, contents.password)?;
        infos.push(data(&sequence_of(&[bag])));
    }
    let safe = sequence_of(&infos);
    let mac = mac_data(&safe, contents.password)?;
    Ok(der::sequence(&[&der::small(3), &data(&safe), &mac]))
}

fn sequence_of(all: &[Der]) -> Der {
    let parts: Vec<&[u8]> = all.iter().map(|part| part.as_slice()).collect();
    der::sequence(&parts)
}

/// ContentInfo of data.
fn data(content: &[u8]) -> Der {
    let explicit = der::element(tag::CONSTRUCTED_0, &[&der::octets(content)]);
    der::sequence(&[&der::oid(oid::DATA), &explicit])
}

/// ContentInfo of encrypted data (RFC 5652, 8).
fn encrypted_data(content: &[u8], password: &str) -> Result<Der> {
    let (algorithm, encrypted) = encrypt(content, password)?;
    let inside = der::element(tag::PRIMITIVE_0, &[&encrypted]);
    let info = der::sequence(&[&der::oid(oid::DATA), &algorithm, &inside]);
    let data = der::sequence(&[&der::small(0), &info]);
    let explicit = der::element(tag::CONSTRUCTED_0, &[&data]);
    Ok(der::sequence(&[&der::oid(oid::ENCRYPTED_DATA), &explicit]))
}

fn bag(name: &str, value: &[u8], attributes: &[u8]) -> Der {
    let explicit = der::element(tag::CONSTRUCTED_0, &[value]);
    der::sequence(&[&der::oid(name), &explicit, attributes])
}

fn certificate_bag(certificate: &[u8], attributes: &[u8]) -> Der {
    let explicit = der::element(tag::CONSTRUCTED_0, &[&der::octets(certificate)]);
    let value = der::sequence(&[&der::oid(oid::X509_CERTIFICATE), &explicit]);
    bag(oid::CERTIFICATE_BAG, &value, attributes)
}

fn key_bag(info: &[u8], attributes: &[u8], password: &str) -> Result<Der> {
    let (algorithm, encrypted) = encrypt(info, password)?;
    let value = der::sequence(&[&algorithm, &der::octets(&encrypted)]);
    Ok(bag(oid::SHROUDED_KEY_BAG, &value, attributes))
}

/// The attributes of a bag: its name, and the bytes by which key and certificate are a pair. A SET
/// is sorted by its bytes (X.690, 11.6): the shorter first.
fn attributes(name: &str, local_id: &[u8]) -> Der {
    let name = der::element(tag::BMP_STRING, &[&bmp(name)]);
    let one = |key: &str, value: &[u8]| {
        der::sequence(&[&der::oid(key), &der::element(tag::SET, &[value])])
    };
    let mut all = [one(oid::FRIENDLY_NAME, &name), one(oid::LOCAL_KEY_ID, &der::octets(local_id))];
    all.sort_by(|a, b| a.as_slice().cmp(b.as_slice()));
    let [first, second] = &all;
    der::element(tag::SET, &[first, second])
}

/// Text as PKCS#12 has it: big-endian UTF-16.
fn bmp(text: &str) -> Der {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len().saturating_mul(2)));
    for unit in text.encode_utf16() {
        bytes.extend_from_slice(&unit.to_be_bytes());
    }
    bytes
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| Error::Internal("make a salt"))?;
    Ok(bytes)
}

/// Encrypts by PBES2: the AlgorithmIdentifier, and what came out.
fn encrypt(content: &[u8], password: &str) -> Result<(Der, Der)> {
    let failed = |_| Error::Internal("encrypt a PKCS#12 container");
    let salt: [u8; SALT_LEN] = random()?;
    let mut key = Zeroizing::new([0; 32]);
    let rounds = core::num::NonZeroU32::new(ITERATIONS).unwrap_or(core::num::NonZeroU32::MIN);
    let function = pbkdf2::PBKDF2_HMAC_SHA256;
    pbkdf2::derive(function, rounds, &salt, password.as_bytes(), key.as_mut());
    let cipher = UnboundCipherKey::new(&AES_256, key.as_ref()).map_err(failed)?;
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(cipher).map_err(failed)?;
    let mut encrypted = Zeroizing::new(content.to_vec());
    let context = cipher.encrypt(&mut *encrypted).map_err(failed)?;
    let DecryptionContext::Iv128(vector) = &context else {
        return Err(Error::Internal("encrypt a PKCS#12 container"));
    };
    let vector: &[u8; 16] = vector.as_ref();
    let iterations =
        der::integer(&crate::crypto::keys::Number::unsigned(&ITERATIONS.to_be_bytes()));
    let hash = der::sequence(&[&der::oid(oid::HMAC_SHA256), &der::null()]);
    let parameters = der::sequence(&[&der::octets(&salt), &iterations, &hash]);
    let derivation = der::sequence(&[&der::oid(oid::PBKDF2), &parameters]);
    let scheme = der::sequence(&[&der::oid(oid::AES_256_CBC), &der::octets(vector)]);
    let both = der::sequence(&[&derivation, &scheme]);
    Ok((der::sequence(&[&der::oid(oid::PBES2), &both]), encrypted))
}

/// MacData (RFC 7292, 4): the code over the whole, under a key of the password.
fn mac_data(safe: &[u8], password: &str) -> Result<Der> {
    let salt: [u8; SALT_LEN] = random()?;
    let key = mac_key(password, &salt, ITERATIONS);
    let code = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()), safe);
    let algorithm = der::sequence(&[&der::oid(oid::SHA256), &der::null()]);
    let info = der::sequence(&[&algorithm, &der::octets(code.as_ref())]);
    let iterations =
        der::integer(&crate::crypto::keys::Number::unsigned(&ITERATIONS.to_be_bytes()));
    Ok(der::sequence(&[&info, &der::octets(&salt), &iterations]))
}

/// The bytes of a block of SHA-256, the `v` of RFC 7292, B.2.
const BLOCK: usize = 64;

/// What the derived bytes are for (RFC 7292, B.3): integrity.
const FOR_MAC: u8 = 3;

/// The key of the code (RFC 7292, B.2): one hash long, so that its first round is all.
fn mac_key(password: &str, salt: &[u8], iterations: u32) -> Zeroizing<[u8; 32]> {
    let mut text = bmp(password);
    text.reserve_exact(2);
    text.extend_from_slice(&[0, 0]);
    let filled = |bytes: &[u8]| {
        let len = bytes.len().next_multiple_of(BLOCK);
        Zeroizing::new(bytes.iter().copied().cycle().take(len).collect::<Vec<u8>>())
    };
    let mut running = digest::Context::new(&digest::SHA256);
    running.update(&[FOR_MAC; BLOCK]);
    running.update(&filled(salt));
    running.update(&filled(&text));
    let mut hash = running.finish();
    for _ in 1..iterations {
        hash = digest::digest(&digest::SHA256, hash.as_ref());
    }
    let mut key = Zeroizing::new([0; 32]);
    key.iter_mut().zip(hash.as_ref()).for_each(|(key, byte)| *key = *byte);
    key
}

#[cfg(test)]
mod tests {
    use super::{Contents, der, mac_key, write};
    use crate::crypto::asymmetric::Kind;
    use kmip::vocabulary::RecommendedCurve;

    /// From OpenSSL 3.0: `openssl kdf -kdfopt digest:SHA256 -kdfopt id:3 ... PKCS12KDF`, with the
    /// password and the salt of its own tests.
    #[test]
    fn the_key_of_the_code() {
        let salt = [0x0A, 0x58, 0xCF, 0x64, 0x53, 0x0D, 0x82, 0x3F];
        let expected = "35ac16a454d608fb10c8d7c6338ca85818587aed0ff771fd265957e412c2c03c";
        let found: String =
            mac_key("smeg", &salt, 1000).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, expected);
    }

    /// The key stands nowhere in clear.
    #[test]
    fn the_key_is_encrypted() {
        let pair = Kind::Elliptic(RecommendedCurve::P_256).generate().unwrap();
        let certificates = [vec![7; 40], vec![8; 40]];
        let contents = Contents {
            key: Some(&pair.private),
            certificates: &certificates,
            friendly_name: "alias",
            password: "secret",
        };
        let container = write(&contents).unwrap();
        let crate::crypto::keys::Key::EcPrivate(key) = &pair.private else {
            panic!("a key on a curve")
        };
        let holds = |bytes: &[u8]| container.windows(bytes.len()).any(|window| window == bytes);
        assert!(!holds(key.d.as_bytes()) && !holds(&[7; 40]));
        assert!(holds(&der::oid(super::oid::SHROUDED_KEY_BAG)));
    }
}

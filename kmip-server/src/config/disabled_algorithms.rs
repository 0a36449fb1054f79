//! Algorithms that the settings turn off: the server makes none of their keys, keeps none, and uses
//! none.
//!
//! The names are those of the vocabulary: `DES3`, `MD5`, `ECB`, `PBKDF2`. A name turns off what has
//! it, in whichever list it stands: `SHA_1` the hash, `HMAC_SHA1` the algorithm of keys.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{
    BlockCipherMode, CryptographicAlgorithm, DerivationMethod, DigitalSignatureAlgorithm,
    HashingAlgorithm, PaddingMethod, Row,
};
use serde::Deserialize;

/// A name that the settings disable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the settings of this server turn {0} off")]
pub struct DisabledName(pub &'static str);

type Result<T> = core::result::Result<T, DisabledName>;

/// Names that are turned off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct DisabledAlgorithms(BTreeSet<&'static str>);

/// The lists whose names can be turned off.
const LISTS: &[&[Row]] = &[
    CryptographicAlgorithm::ROWS,
    BlockCipherMode::ROWS,
    PaddingMethod::ROWS,
    HashingAlgorithm::ROWS,
    DigitalSignatureAlgorithm::ROWS,
    DerivationMethod::ROWS,
];

impl TryFrom<Vec<String>> for DisabledAlgorithms {
    type Error = String;

    fn try_from(names: Vec<String>) -> core::result::Result<Self, String> {
        let known = |name: &String| {
            LISTS
                .iter()
                .flat_map(|list| list.iter())
                .map(|row| row.name)
                .find(|known| known.eq_ignore_ascii_case(name))
                .ok_or_else(|| format!("{name} is no algorithm, mode, padding or hash of KMIP"))
        };
        names.iter().map(known).collect::<core::result::Result<_, _>>().map(Self)
    }
}

/// Names apart by commas.
impl FromStr for DisabledAlgorithms {
    type Err = String;

    fn from_str(text: &str) -> core::result::Result<Self, String> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        Self::try_from(names.map(str::to_owned).collect::<Vec<String>>())
    }
}

impl fmt::Display for DisabledAlgorithms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().copied().collect();
        f.write_str(&names.join(","))
    }
}

impl DisabledAlgorithms {
    /// Is anything of this name turned off?
    fn check(&self, name: Option<&'static str>) -> Result<()> {
        match name.filter(|name| self.0.contains(name)) {
            None => Ok(()),
            Some(name) => Err(DisabledName(name)),
        }
    }

    /// Are keys of this algorithm allowed?
    pub fn check_algorithm(&self, algorithm: CryptographicAlgorithm) -> Result<()> {
        self.check(algorithm.name())
    }

    /// Is this hash allowed?
    pub fn check_hash(&self, algorithm: HashingAlgorithm) -> Result<()> {
        self.check(algorithm.name())
    }

    /// Is this derivation allowed?
    pub fn check_derivation(&self, method: DerivationMethod) -> Result<()> {
        self.check(method.name())
    }

    /// Is all that the parameters name allowed?
    pub fn check_parameters(&self, parameters: &CryptographicParameters) -> Result<()> {
        self.check(parameters.cryptographic_algorithm.and_then(CryptographicAlgorithm::name))?;
        self.check(parameters.block_cipher_mode.and_then(BlockCipherMode::name))?;
        self.check(parameters.padding_method.and_then(PaddingMethod::name))?;
        self.check(parameters.hashing_algorithm.and_then(HashingAlgorithm::name))?;
        self.check(parameters.mask_generator_hashing_algorithm.and_then(HashingAlgorithm::name))?;
        self.check(parameters.digital_signature_algorithm.and_then(DigitalSignatureAlgorithm::name))
    }
}

#[cfg(test)]
mod tests {
    use super::DisabledAlgorithms;
    use kmip::structures::CryptographicParameters;
    use kmip::vocabulary::{BlockCipherMode, CryptographicAlgorithm, HashingAlgorithm};

    #[test]
    fn a_name_turns_off_what_has_it() {
        let disabled: DisabledAlgorithms = "DES3, ecb,MD5".parse().unwrap();
        assert_eq!(disabled.to_string(), "DES3,ECB,MD5");
        assert!(disabled.check_algorithm(CryptographicAlgorithm::DES3).is_err());
        assert!(disabled.check_algorithm(CryptographicAlgorithm::AES).is_ok());
        assert!(disabled.check_hash(HashingAlgorithm::MD5).is_err());
        let ecb = CryptographicParameters {
            block_cipher_mode: Some(BlockCipherMode::ECB),
            ..CryptographicParameters::default()
        };
        assert!(disabled.check_parameters(&ecb).is_err());
        assert!(disabled.check_parameters(&CryptographicParameters::default()).is_ok());
        assert!("DES3,ROT13".parse::<DisabledAlgorithms>().unwrap_err().contains("ROT13"));
        assert_eq!("".parse(), Ok(DisabledAlgorithms::default()));
    }
}

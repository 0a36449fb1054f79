//! A secret in shares, of which any `threshold` make it whole and fewer tell nothing (Shamir 1979).
//!
//! Each byte of the secret is the value at 0 of a random polynomial of degree `threshold - 1` over
//! GF(2^8) (the field of AES, x^8 + x^4 + x^3 + x + 1); a share is its values at one holder's
//! point.
//! A lost share can be made again from `threshold` others, because it too is a value of the same
//! polynomials. No table is looked up by a secret byte. Nothing here reads or writes a file.

use crate::crypto::aead::{self, SealError};
use std::fmt;
use zeroize::Zeroizing;

/// Length of a secret, and of each share.
pub(crate) const SECRET_LEN: usize = 32;

/// A secret, or the values of one share.
pub(crate) type SecretBytes = Zeroizing<[u8; SECRET_LEN]>;

/// One share of a secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Share {
    /// The point at which the polynomials were taken; never 0, which is where the secret is.
    pub(crate) holder: u8,
    /// Their values there.
    pub(crate) values: SecretBytes,
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share(holder {}, {SECRET_LEN} bytes)", self.holder)
    }
}

/// Why a secret cannot be split or made whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ShareError {
    /// Holders must be distinct and not 0, and at least as many as the threshold, which is not 0.
    #[error("shares need distinct holders from 1 to 255, at least as many as the threshold")]
    Holders,
    /// Fewer shares than the threshold.
    #[error("{present} shares are there, {threshold} are needed")]
    TooFew {
        /// How many there are.
        present: usize,
        /// How many are needed.
        threshold: usize,
    },
    /// The system gave no random bytes.
    #[error(transparent)]
    Random(#[from] SealError),
}

/// Splits the secret so that any `threshold` of the holders can make it whole.
///
/// # Errors
/// The holders are not fit, or the system gives no random bytes.
pub(crate) fn split(
    secret: &SecretBytes,
    threshold: usize,
    holders: &[u8],
) -> Result<Vec<Share>, ShareError> {
    if threshold == 0 || holders.len() < threshold || !distinct(holders) {
        return Err(ShareError::Holders);
    }
    let mut coefficients = Vec::with_capacity(threshold);
    coefficients.push(secret.clone());
    for _ in 1..threshold {
        let mut random: SecretBytes = Zeroizing::new([0; SECRET_LEN]);
        aead::random(random.as_mut_slice())?;
        coefficients.push(random);
    }
    Ok(holders.iter().map(|holder| evaluate(&coefficients, *holder)).collect())
}

/// The secret, from the first `threshold` of these shares.
///
/// # Errors
/// There are too few, or two of the same holder.
pub(crate) fn combine(shares: &[Share], threshold: usize) -> Result<SecretBytes, ShareError> {
    value_at(shares, threshold, 0)
}

/// The share of a holder who lost it, from `threshold` others.
///
/// # Errors
/// There are too few, or two of the same holder.
pub(crate) fn share_of(
    shares: &[Share],
    threshold: usize,
    holder: u8,
) -> Result<Share, ShareError> {
    if holder == 0 {
        return Err(ShareError::Holders);
    }
    Ok(Share { holder, values: value_at(shares, threshold, holder)? })
}

/// The polynomials' values at `point`, by Lagrange.
fn value_at(shares: &[Share], threshold: usize, point: u8) -> Result<SecretBytes, ShareError> {
    let Some(shares) = shares.get(..threshold).filter(|_| threshold > 0) else {
        return Err(ShareError::TooFew { present: shares.len(), threshold });
    };
    let holders: Vec<u8> = shares.iter().map(|share| share.holder).collect();
    if !distinct(&holders) {
        return Err(ShareError::Holders);
    }
    let mut values: SecretBytes = Zeroizing::new([0; SECRET_LEN]);
    for share in shares {
        let weight = holders.iter().filter(|other| **other != share.holder).fold(1, |w, other| {
            let ratio = multiply(point ^ other, inverse(share.holder ^ other));
            multiply(w, ratio)
        });
        for (value, share_value) in values.iter_mut().zip(share.values.iter()) {
            *value ^= multiply(weight, *share_value);
        }
    }
    Ok(values)
}

fn distinct(holders: &[u8]) -> bool {
    let mut sorted = holders.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.len() == holders.len() && !sorted.contains(&0)
}

/// Horner's scheme, all bytes at once.
fn evaluate(coefficients: &[SecretBytes], point: u8) -> Share {
    let mut values: SecretBytes = Zeroizing::new([0; SECRET_LEN]);
    for coefficient in coefficients.iter().rev() {
        for (value, byte) in values.iter_mut().zip(coefficient.iter()) {
            *value = multiply(*value, point) ^ byte;
        }
    }
    Share { holder: point, values }
}

/// The product in GF(2^8), in time that does not depend on the factors.
fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    for _ in 0..8 {
        product ^= a & 0_u8.wrapping_sub(b & 1);
        let carry = 0_u8.wrapping_sub(a >> 7);
        a = (a << 1) ^ (0x1b & carry);
        b >>= 1;
    }
    product
}

/// The inverse in GF(2^8): the 254th power, because the 255th is 1.
fn inverse(a: u8) -> u8 {
    let mut power = 1;
    for bit in (0..8).rev() {
        power = multiply(power, power);
        if (254_u8 >> bit) & 1 == 1 {
            power = multiply(power, a);
        }
    }
    power
}

#[cfg(test)]
mod tests {
    use super::{
        SECRET_LEN, SecretBytes, Share, ShareError, combine, inverse, multiply, share_of, split,
    };
    use zeroize::Zeroizing;

    fn secret() -> SecretBytes {
        Zeroizing::new(*b"a secret of thirty-two bytes ...."[..32].first_chunk().unwrap())
    }

    /// All subsets of these shares, as bit masks choose them.
    fn subsets(shares: &[Share]) -> impl Iterator<Item = Vec<Share>> + '_ {
        (0_u32..1 << shares.len()).map(|mask| {
            let chosen = |(i, share): (usize, &Share)| (mask >> i & 1 == 1).then(|| share.clone());
            shares.iter().enumerate().filter_map(chosen).collect()
        })
    }

    #[test]
    fn the_field_is_that_of_aes() {
        // FIPS 197, 4.2: {57} * {83} = {c1}, {57} * {13} = {fe}.
        assert_eq!(multiply(0x57, 0x83), 0xc1);
        assert_eq!(multiply(0x57, 0x13), 0xfe);
        assert!((1..=255).all(|a| multiply(a, inverse(a)) == 1));
    }

    #[test]
    fn every_subset_of_the_threshold_makes_it_whole_and_no_smaller_one_does() {
        let holders = [1, 2, 3, 4, 200, 255];
        for count in 1..=holders.len() {
            for threshold in 1..=count {
                let shares = split(&secret(), threshold, &holders[..count]).unwrap();
                for subset in subsets(&shares) {
                    let whole = combine(&subset, threshold);
                    if subset.len() >= threshold {
                        assert_eq!(whole.unwrap(), secret(), "{threshold} of {count}");
                    } else {
                        let present = subset.len();
                        assert_eq!(whole, Err(ShareError::TooFew { present, threshold }));
                        // Taken for a lower threshold, they make something else whole.
                        let wrong = combine(&subset, present).ok();
                        assert_ne!(wrong, Some(secret()), "{threshold} of {count}");
                    }
                }
            }
        }
    }

    #[test]
    fn with_one_share_too_few_every_secret_is_as_likely() {
        // Two shares of three fix nothing: for each value of the secret's first byte there is
        // exactly one value of a third share that leads to it.
        let shares = split(&secret(), 3, &[1, 2, 3]).unwrap();
        let mut seen = [0; 256];
        for guess in 0..=255 {
            let mut third = shares[2].clone();
            third.values[0] = guess;
            let whole = combine(&[shares[0].clone(), shares[1].clone(), third], 3).unwrap();
            seen[usize::from(whole[0])] += 1;
        }
        assert_eq!(seen, [1; 256]);
    }

    #[test]
    fn a_lost_share_is_made_again_from_the_others() {
        let shares = split(&secret(), 3, &[1, 2, 3, 4, 5]).unwrap();
        for lost in &shares {
            let others: Vec<_> = shares.iter().filter(|s| *s != lost).cloned().collect();
            assert_eq!(share_of(&others, 3, lost.holder).unwrap(), *lost);
        }
    }

    #[test]
    fn unfit_holders_are_refused() {
        let cases: [(usize, &[u8]); 4] = [(0, &[1]), (3, &[1, 2]), (2, &[1, 1]), (1, &[0])];
        for (threshold, holders) in cases {
            assert_eq!(split(&secret(), threshold, holders), Err(ShareError::Holders));
        }
        let share = Share { holder: 1, values: Zeroizing::new([0; SECRET_LEN]) };
        assert_eq!(combine(&[share.clone(), share.clone()], 2), Err(ShareError::Holders));
        assert_eq!(share_of(&[share], 1, 0), Err(ShareError::Holders));
    }
}

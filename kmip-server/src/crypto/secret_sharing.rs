//! A secret in parts, of which so many make it again (1.4, 2.2.5; 2.1, 2.8; Shamir 1979).
//!
//! ```text
//! XOR                       all parts together; no fewer will do
//! Polynomial Sharing        piece by piece f(0) is the secret's, f(n) that of part n:
//!   GF(2^8), GF(2^16)         pieces of one and of two bytes
//!   Prime Field               the secret is one number, less than the prime
//! ```
//!
//! Pure: bytes in, bytes out. What a part is called and who may have it is not known here. Whoever
//! joins parts that are not of one secret gets bytes that mean nothing: nothing here can tell.

use aws_lc_rs::rand;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd, Resize};
use crypto_primes::{Flavor, is_prime};
use zeroize::Zeroizing;

/// The most parts. Each is an object of its own, made in one commit, whose size the store limits.
pub(crate) const PARTS_MAX: u16 = 100;

/// The longest prime, in bytes: the work of one part grows with its square.
pub(crate) const PRIME_LEN_MAX: usize = 1024;

/// How a secret is split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// By exclusive or.
    Xor,
    /// By polynomials over GF(2^8), which is that of FIPS 197.
    Gf8,
    /// By polynomials over GF(2^16), an extension of the former.
    Gf16,
    /// By a polynomial over the integers modulo this prime, in big-endian bytes.
    Prime(Vec<u8>),
}

/// A part: its number, which is not 0, and its bytes.
pub(crate) struct Part {
    /// The place where the polynomial was looked at.
    pub number: u16,
    /// What it was there.
    pub bytes: Zeroizing<Vec<u8>>,
}

/// Why a secret cannot be split so, or parts not be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SplitError {
    /// The counts make no sense.
    #[error(
        "a key is split into 2 to {PARTS_MAX} parts, of which 2 or more, and no more than there \
         are, make it again"
    )]
    Counts,
    /// By exclusive or each part is needed.
    #[error("by XOR all parts are needed: Split Key Threshold must be Split Key Parts")]
    XorThreshold,
    /// The field size is not a prime, or has no room for the secret.
    #[error(
        "Prime Field Size must be a prime that is greater than every value of the key, and of at \
         most {PRIME_LEN_MAX} bytes"
    )]
    Prime,
    /// There are too few.
    #[error("too few parts: as many as Split Key Threshold says are needed")]
    TooFew,
    /// Two have one number, a number is 0, or their lengths are not those of this method.
    #[error(
        "the parts do not make a key: they are of different splits, or their numbers or lengths \
         do not fit"
    )]
    Unfit,
    /// There were no random numbers.
    #[error("random numbers cannot be had")]
    Random,
}

/// Checks the field of parts that others have made (1.4, 2.2.5; 2.1, 13.1). A field that is too
/// large to be computed with here is not checked.
pub(crate) fn check_field(prime: &[u8]) -> Result<(), SplitError> {
    let zeros = prime.iter().take_while(|byte| **byte == 0).count();
    match prime.len().saturating_sub(zeros) > PRIME_LEN_MAX {
        true => Ok(()),
        false => PrimeField::new(prime).map(drop),
    }
}

/// Splits a secret into `parts`, of which `threshold` make it again. They are numbered from 1.
pub(crate) fn split(
    secret: &[u8],
    method: &Method,
    parts: u16,
    threshold: u16,
) -> Result<Vec<Part>, SplitError> {
    if !(2..=PARTS_MAX).contains(&parts) || !(2..=parts).contains(&threshold) {
        return Err(SplitError::Counts);
    }
    match method {
        Method::Xor if threshold != parts => Err(SplitError::XorThreshold),
        Method::Xor => split_by_xor(secret, parts),
        Method::Gf8 => split_by_pieces(secret, Pieces::OneByte, parts, threshold),
        Method::Gf16 => split_by_pieces(secret, Pieces::TwoBytes, parts, threshold),
        Method::Prime(prime) => PrimeField::new(prime)?.split(secret, parts, threshold),
    }
}

/// Joins parts to the secret of `len` bytes. All that are given are used, also beyond the
/// threshold: a wrong one then spoils the result.
pub(crate) fn join(
    parts: &[Part],
    method: &Method,
    threshold: u16,
    len: usize,
) -> Result<Zeroizing<Vec<u8>>, SplitError> {
    if parts.len() < usize::from(threshold).max(2) {
        return Err(SplitError::TooFew);
    }
    let is_twice =
        |(n, part): (usize, &Part)| parts.iter().skip(n).skip(1).any(|p| p.number == part.number);
    if parts.iter().any(|part| part.number == 0) || parts.iter().enumerate().any(is_twice) {
        return Err(SplitError::Unfit);
    }
    match method {
        Method::Xor => join_by_xor(parts, len),
        Method::Gf8 => join_by_pieces(parts, Pieces::OneByte, len),
        Method::Gf16 => join_by_pieces(parts, Pieces::TwoBytes, len),
        Method::Prime(prime) => PrimeField::new(prime)?.join(parts, len),
    }
}

fn random(len: usize) -> Result<Zeroizing<Vec<u8>>, SplitError> {
    let mut bytes = Zeroizing::new(vec![0; len]);
    rand::fill(&mut bytes).map_err(|_| SplitError::Random)?;
    Ok(bytes)
}

fn split_by_xor(secret: &[u8], parts: u16) -> Result<Vec<Part>, SplitError> {
    let mut last = Zeroizing::new(secret.to_vec());
    let mut all = Vec::with_capacity(usize::from(parts));
    for number in 1..parts {
        let bytes = random(secret.len())?;
        last.iter_mut().zip(bytes.iter()).for_each(|(sum, byte)| *sum ^= byte);
        all.push(Part { number, bytes });
    }
    all.push(Part { number: parts, bytes: last });
    Ok(all)
}

fn join_by_xor(parts: &[Part], len: usize) -> Result<Zeroizing<Vec<u8>>, SplitError> {
    let mut sum = Zeroizing::new(vec![0; len]);
    for part in parts {
        if part.bytes.len() != len {
            return Err(SplitError::Unfit);
        }
        sum.iter_mut().zip(part.bytes.iter()).for_each(|(sum, byte)| *sum ^= byte);
    }
    Ok(sum)
}

/// How large a piece of the secret is, which is an element of the field.
#[derive(Clone, Copy)]
enum Pieces {
    OneByte,
    TwoBytes,
}

impl Pieces {
    const fn len(self) -> usize {
        match self {
            Self::OneByte => 1,
            Self::TwoBytes => 2,
        }
    }

    /// The elements of a secret; the last one is filled up with zeros.
    fn read(self, bytes: &[u8]) -> Zeroizing<Vec<u16>> {
        let element = |piece: &[u8]| match (self, piece) {
            (Self::OneByte, [byte, ..]) => u16::from(*byte),
            (Self::TwoBytes, [u, v, ..]) => u16::from_be_bytes([*u, *v]),
            (Self::TwoBytes, [u]) => u16::from_be_bytes([*u, 0]),
            (_, []) => 0,
        };
        Zeroizing::new(bytes.chunks(self.len()).map(element).collect())
    }

    fn write(self, elements: &[u16]) -> Zeroizing<Vec<u8>> {
        let len = elements.len().saturating_mul(self.len());
        let mut bytes = Zeroizing::new(Vec::with_capacity(len));
        for element in elements {
            let [u, v] = element.to_be_bytes();
            match self {
                Self::OneByte => bytes.push(v),
                Self::TwoBytes => bytes.extend([u, v]),
            }
        }
        bytes
    }

    fn product(self, a: u16, b: u16) -> u16 {
        let ([r, s], [u, v]) = (a.to_be_bytes(), b.to_be_bytes());
        match self {
            Self::OneByte => u16::from(product(s, v)),
            // (ry + s)(uy + v) = ((r + s)(u + v) + sv)y + (rum + sv), with y^2 = y + m. The
            // standard prints "ru + svm" for the last, which is no field; this is (1.4, 2.2.5).
            Self::TwoBytes => {
                let low = product(s, v);
                let high = product(r ^ s, u ^ v) ^ low;
                u16::from_be_bytes([high, product(product(r, u), M) ^ low])
            }
        }
    }

    /// The inverse: the power by two less than the number of elements.
    fn inverse(self, element: u16) -> u16 {
        let squarings = match self {
            Self::OneByte => 7,
            Self::TwoBytes => 15,
        };
        let (mut square, mut result) = (element, 1);
        for _ in 0..squarings {
            square = self.product(square, square);
            result = self.product(result, square);
        }
        result
    }
}

/// The `m` by which GF(2^16) extends GF(2^8) (1.4, 2.2.5).
const M: u8 = 0x3A;

/// The product in GF(2^8) (FIPS 197, 4.2): each step is done whatever the bits are.
fn product(a: u8, b: u8) -> u8 {
    let (mut a, mut b, mut result) = (a, b, 0);
    for _ in 0..8 {
        result ^= a & (b & 1).wrapping_neg();
        let carry = (a >> 7).wrapping_neg();
        a = (a << 1) ^ (carry & 0x1B);
        b >>= 1;
    }
    result
}

fn split_by_pieces(
    secret: &[u8],
    pieces: Pieces,
    parts: u16,
    threshold: u16,
) -> Result<Vec<Part>, SplitError> {
    let secret = pieces.read(secret);
    let count = secret.len();
    let len = count.saturating_mul(pieces.len());
    // The coefficients of all polynomials, from that of the highest power on.
    let mut coefficients = Vec::with_capacity(usize::from(threshold));
    for _ in 1..threshold {
        coefficients.push(pieces.read(&random(len)?));
    }
    coefficients.push(secret);
    let part = |number: u16| {
        let mut sums = Zeroizing::new(vec![0_u16; count]);
        for coefficient in &coefficients {
            for (sum, c) in sums.iter_mut().zip(coefficient.iter()) {
                *sum = pieces.product(*sum, number) ^ c;
            }
        }
        Part { number, bytes: pieces.write(&sums) }
    };
    Ok((1..=parts).map(part).collect())
}

fn join_by_pieces(
    parts: &[Part],
    pieces: Pieces,
    len: usize,
) -> Result<Zeroizing<Vec<u8>>, SplitError> {
    let count = len.div_ceil(pieces.len());
    let mut sums = Zeroizing::new(vec![0_u16; count]);
    for part in parts {
        let is_too_great = matches!(pieces, Pieces::OneByte) && part.number > 0xFF;
        if is_too_great || part.bytes.len() != count.saturating_mul(pieces.len()) {
            return Err(SplitError::Unfit);
        }
        // Lagrange at 0: the product of x / (x - own) over the other parts.
        let others = parts.iter().map(|other| other.number).filter(|n| *n != part.number);
        let weight = others.fold(1, |weight, other| {
            let difference = pieces.inverse(other ^ part.number);
            pieces.product(weight, pieces.product(other, difference))
        });
        for (sum, y) in sums.iter_mut().zip(pieces.read(&part.bytes).iter()) {
            *sum ^= pieces.product(*y, weight);
        }
    }
    let mut secret = pieces.write(&sums);
    secret.truncate(len);
    Ok(secret)
}

/// The integers modulo a prime.
struct PrimeField {
    prime: Odd<BoxedUint>,
    params: BoxedMontyParams,
    /// Bytes of an element.
    len: usize,
}

impl PrimeField {
    fn new(prime: &[u8]) -> Result<Self, SplitError> {
        let start = prime.iter().position(|byte| *byte != 0).ok_or(SplitError::Prime)?;
        let bytes = prime.get(start..).unwrap_or_default();
        let len = bytes.len();
        if len > PRIME_LEN_MAX {
            return Err(SplitError::Prime);
        }
        let prime = number(bytes, bits(len))?;
        if !is_prime(Flavor::Any, &prime) {
            return Err(SplitError::Prime);
        }
        // 2 is even, and no field of it has room for two parts.
        let prime = Odd::new(prime).into_option().ok_or(SplitError::Prime)?;
        let params = BoxedMontyParams::new(prime.clone());
        Ok(Self { prime, params, len })
    }

    fn element(&self, value: &BoxedUint) -> BoxedMontyForm {
        BoxedMontyForm::new(value.clone(), &self.params)
    }

    /// A number that is less than the prime.
    fn read(&self, bytes: &[u8]) -> Result<Zeroizing<BoxedUint>, SplitError> {
        let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
        let bytes = bytes.get(start..).unwrap_or_default();
        if bytes.len() > self.len {
            return Err(SplitError::Unfit);
        }
        let value = Zeroizing::new(number(bytes, bits(self.len))?);
        match *value < *self.prime {
            true => Ok(value),
            false => Err(SplitError::Unfit),
        }
    }

    fn random(&self) -> Result<BoxedMontyForm, SplitError> {
        let unused = bits(self.len).saturating_sub(self.prime.bit_width());
        // A draw of as many bits as the prime has fails half of the time at most.
        for _ in 0..256 {
            let mut bytes = random(self.len)?;
            if let Some(first) = bytes.first_mut() {
                *first &= 0xFF_u8.checked_shr(unused).unwrap_or(0);
            }
            if let Ok(value) = self.read(&bytes) {
                return Ok(self.element(&value));
            }
        }
        Err(SplitError::Random)
    }

    fn write(&self, element: &BoxedMontyForm) -> Zeroizing<Vec<u8>> {
        let all = Zeroizing::new(element.retrieve().to_be_bytes());
        let start = all.len().saturating_sub(self.len);
        Zeroizing::new(all.get(start..).unwrap_or_default().to_vec())
    }

    fn split(&self, secret: &[u8], parts: u16, threshold: u16) -> Result<Vec<Part>, SplitError> {
        // The prime is beyond every value of as many bits, and not beyond this one alone.
        if secret.len() >= self.len && bits(secret.len()) >= self.prime.bit_width() {
            return Err(SplitError::Prime);
        }
        let secret = self.element(&*self.read(secret).map_err(|_| SplitError::Prime)?);
        let mut coefficients = Vec::with_capacity(usize::from(threshold));
        for _ in 1..threshold {
            coefficients.push(self.random()?);
        }
        coefficients.push(secret);
        let part = |number: u16| {
            let x = self.element(&self.small(number));
            let zero = BoxedMontyForm::zero(&self.params);
            let y = coefficients.iter().fold(zero, |sum, c| sum.mul(&x).add(c));
            Part { number, bytes: self.write(&y) }
        };
        Ok((1..=parts).map(part).collect())
    }

    fn join(&self, parts: &[Part], len: usize) -> Result<Zeroizing<Vec<u8>>, SplitError> {
        let mut sum = BoxedMontyForm::zero(&self.params);
        for part in parts {
            let own = self.element(&self.small(part.number));
            let mut weight = BoxedMontyForm::one(&self.params);
            for other in parts.iter().filter(|other| other.number != part.number) {
                let x = self.element(&self.small(other.number));
                // Without an inverse the number is no prime.
                let inverse = x.sub(&own).invert().into_option().ok_or(SplitError::Prime)?;
                weight = weight.mul(&x).mul(&inverse);
            }
            sum = sum.add(&self.element(&*self.read(&part.bytes)?).mul(&weight));
        }
        let value = self.write(&sum);
        let zeros = self.len.saturating_sub(len);
        if value.iter().take(zeros).any(|byte| *byte != 0) {
            return Err(SplitError::Unfit);
        }
        let mut secret = Zeroizing::new(vec![0; len.saturating_sub(self.len)]);
        secret.reserve_exact(len);
        secret.extend_from_slice(value.get(zeros..).unwrap_or_default());
        Ok(secret)
    }

    fn small(&self, number: u16) -> BoxedUint {
        BoxedUint::from(number).resize(bits(self.len))
    }
}

fn bits(bytes: usize) -> u32 {
    u32::try_from(bytes.saturating_mul(8)).unwrap_or(u32::MAX)
}

fn number(bytes: &[u8], bits: u32) -> Result<BoxedUint, SplitError> {
    BoxedUint::from_be_slice(bytes, bits).map_err(|_| SplitError::Unfit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2^521 - 1.
    fn mersenne() -> Vec<u8> {
        let mut prime = vec![0xFF; 66];
        prime[0] = 1;
        prime
    }

    fn some(parts: &[Part], which: &[usize]) -> Vec<Part> {
        let copy = |n: &usize| Part { number: parts[*n].number, bytes: parts[*n].bytes.clone() };
        which.iter().map(copy).collect()
    }

    #[test]
    fn enough_parts_make_the_secret_and_fewer_do_not() {
        for method in [Method::Gf8, Method::Gf16, Method::Prime(mersenne())] {
            for secret in [&b"a secret of many bytes, an odd number."[..], &[0, 0, 1], &[0; 16]] {
                let parts = split(secret, &method, 5, 3).unwrap();
                for which in [&[0, 1, 2][..], &[4, 2, 0], &[1, 3, 4], &[0, 1, 2, 3, 4]] {
                    let joined = join(&some(&parts, which), &method, 3, secret.len()).unwrap();
                    assert_eq!(*joined, secret, "{method:?} {which:?}");
                }
                let two = join(&some(&parts, &[0, 1]), &method, 2, secret.len());
                assert_ne!(two.ok().as_deref().map(Vec::as_slice), Some(secret), "{method:?}");
                let too_few = join(&some(&parts, &[0, 1]), &method, 3, secret.len());
                assert_eq!(too_few.err(), Some(SplitError::TooFew));
            }
        }
    }

    #[test]
    fn by_xor_all_parts_are_needed() {
        let parts = split(b"secret", &Method::Xor, 3, 3).unwrap();
        assert_eq!(*join(&parts, &Method::Xor, 3, 6).unwrap(), b"secret");
        assert_eq!(split(b"secret", &Method::Xor, 3, 2).err(), Some(SplitError::XorThreshold));
    }

    /// The fields are those that the standard names, so that parts can be joined elsewhere.
    #[test]
    fn products_and_inverses() {
        // FIPS 197, 4.2: {57} x {83} = {c1}.
        assert_eq!(product(0x57, 0x83), 0xC1);
        // y x y = y + m.
        assert_eq!(Pieces::TwoBytes.product(0x0100, 0x0100), 0x013A);
        for (pieces, step) in [(Pieces::OneByte, 1), (Pieces::TwoBytes, 251)] {
            let last = if matches!(pieces, Pieces::OneByte) { 0xFF } else { 0xFFFF };
            for element in (1..=last).step_by(step) {
                assert_eq!(pieces.product(element, pieces.inverse(element)), 1, "{element}");
            }
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let prime = Method::Prime(vec![0xFF, 0xF1]);
        let rows: &[(&[u8], Method, u16, u16, SplitError)] = &[
            (b"s", Method::Gf8, 1, 1, SplitError::Counts),
            (b"s", Method::Gf8, 2, 3, SplitError::Counts),
            (b"s", Method::Gf8, 300, 3, SplitError::Counts),
            (b"ss", prime.clone(), 3, 2, SplitError::Prime),
            (b"s", Method::Prime(vec![]), 3, 2, SplitError::Prime),
            (b"s", Method::Prime(vec![0x10, 0x00]), 3, 2, SplitError::Prime),
            // 3^12, which is odd; 561, a number of Carmichael; 2; 1.
            (b"s", Method::Prime(vec![0x08, 0x1B, 0xF1]), 3, 2, SplitError::Prime),
            (b"", Method::Prime(vec![0x02, 0x31]), 3, 2, SplitError::Prime),
            (b"", Method::Prime(vec![2]), 3, 2, SplitError::Prime),
            (b"", Method::Prime(vec![1]), 3, 2, SplitError::Prime),
        ];
        for (secret, method, parts, threshold, error) in rows {
            assert_eq!(split(secret, method, *parts, *threshold).err(), Some(*error), "{method:?}");
        }
        let parts = split(b"s", &prime, 3, 2).unwrap();
        let twice = join(&some(&parts, &[1, 1]), &prime, 2, 1);
        assert_eq!(twice.err(), Some(SplitError::Unfit));
        assert_eq!(*join(&some(&parts, &[2, 0]), &prime, 2, 1).unwrap(), b"s");
    }
}

//! Whether the numbers of an RSA key fit together (RFC 8017, 3.1 and 3.2), as far as they are
//! given. What is not given contradicts nothing.
//!
//! Exponents may be of any length here, and moduli too: a key that is only kept must be one all the
//! same. That a prime is prime is not checked.

use crypto_bigint::{BoxedUint, ConcatenatingMul as _, NonZero, Odd, Resize as _};

use super::{Given, LENGTH_MAX, number, uint};
use crate::crypto::keys::{Misfit, Number, RsaPrivate, RsaPublic};

impl Given {
    /// Numbers of a key that has them all.
    pub(crate) fn of_private(key: &RsaPrivate) -> Self {
        Self {
            n: key.public.n.clone(),
            e: Some(key.public.e.clone()),
            d: Some(key.d.clone()),
            p: Some(key.p.clone()),
            q: Some(key.q.clone()),
            dp: Some(key.dp.clone()),
            dq: Some(key.dq.clone()),
            qinv: Some(key.qinv.clone()),
        }
    }
}

/// Checks a public key.
pub(crate) fn check_public(key: &RsaPublic) -> Result<(), Misfit> {
    if !is_odd(&key.n) || key.n.bits() < 3 {
        return Err("the modulus of an RSA key must be odd");
    }
    if !is_odd(&key.e) || key.e.bits() < 2 || !is_less(&key.e, &key.n) {
        return Err("the public exponent of an RSA key must be odd, from 3 to below the modulus");
    }
    Ok(())
}

/// Checks the numbers of a private key that were given.
pub(crate) fn check_private(given: &Given) -> Result<(), Misfit> {
    let public = RsaPublic { n: given.n.clone(), e: given.e.clone().unwrap_or_else(three) };
    check_public(&public)?;
    let secrets = [&given.d, &given.p, &given.q, &given.dp, &given.dq, &given.qinv];
    let fits = |number: &Number| number.bits() > 0 && is_less(number, &given.n);
    if !secrets.into_iter().flatten().all(fits) {
        return Err("each secret number of an RSA key must be from 1 to below the modulus");
    }
    // Longer keys are kept and used for nothing; work with them grows with the cube.
    if given.n.bits() > LENGTH_MAX {
        return Ok(());
    }
    let n = uint(&given.n);
    let (p, q) = match (given.p.as_ref().map(uint), given.q.as_ref().map(uint)) {
        (None, None) => return without_primes(given, &n),
        (Some(p), Some(q)) => (p, q),
        (Some(p), None) => other_prime(&n, p)?,
        (None, Some(q)) => other_prime(&n, q).map(|(q, p)| (p, q))?,
    };
    if number(&p.concatenating_mul(&q)) != given.n {
        return Err("the primes of the RSA key do not make its modulus");
    }
    check_exponents(given, &p, given.dp.as_ref())?;
    check_exponents(given, &q, given.dq.as_ref())?;
    match &given.qinv {
        Some(inverse) if !is_one(rem(&uint(inverse).concatenating_mul(&q), &p).as_ref()) => {
            Err("the CRT coefficient does not fit the primes of the RSA key")
        }
        Some(_) | None => Ok(()),
    }
}

fn three() -> Number {
    Number::unsigned(&[3])
}

fn other_prime(n: &BoxedUint, one: BoxedUint) -> Result<(BoxedUint, BoxedUint), Misfit> {
    let divisor = Option::from(NonZero::new(one.clone())).ok_or("a prime cannot be zero")?;
    let (quotient, _) = n.div_rem::<BoxedUint>(&divisor);
    Ok((one, quotient))
}

/// What the exponents must be modulo a prime minus one.
fn check_exponents(
    given: &Given,
    prime: &BoxedUint,
    reduced: Option<&Number>,
) -> Result<(), Misfit> {
    let order = prime.wrapping_sub(BoxedUint::one());
    let undoes =
        |e: &Number, d: &Number| is_one(rem(&uint(e).concatenating_mul(uint(d)), &order).as_ref());
    if let (Some(e), Some(d)) = (&given.e, &given.d)
        && !undoes(e, d)
    {
        return Err("the private exponent does not fit the public one of the RSA key");
    }
    let fits = match (reduced, &given.d, &given.e) {
        (Some(reduced), Some(d), _) => rem(&uint(d), &order).as_ref() == Some(reduced),
        (Some(reduced), None, Some(e)) => undoes(e, reduced),
        (Some(_), None, None) | (None, ..) => true,
    };
    match fits {
        true => Ok(()),
        false => Err("a prime exponent does not fit the other numbers of the RSA key"),
    }
}

/// Without its primes, a key is tried: what one exponent does, the other undoes.
fn without_primes(given: &Given, n: &BoxedUint) -> Result<(), Misfit> {
    let (Some(e), Some(d)) = (&given.e, &given.d) else { return Ok(()) };
    let Some(modulus) = Option::<Odd<BoxedUint>>::from(Odd::new(n.clone())) else { return Ok(()) };
    let precision = n.bits_precision();
    let two = BoxedUint::from(2_u8).resize(precision);
    let tried = two.pow_mod(&uint(e), &modulus).pow_mod(&uint(d), &modulus);
    match number(&tried) == number(&two) {
        true => Ok(()),
        false => Err("the private exponent does not fit the public key of the RSA key"),
    }
}

fn rem(value: &BoxedUint, modulus: &BoxedUint) -> Option<Number> {
    let modulus: NonZero<BoxedUint> = Option::from(NonZero::new(modulus.clone()))?;
    Some(number(&value.rem::<BoxedUint>(&modulus)))
}

fn is_one(number: Option<&Number>) -> bool {
    number.is_some_and(|number| number.as_bytes() == [1])
}

fn is_odd(number: &Number) -> bool {
    number.as_bytes().last().is_some_and(|last| last & 1 == 1)
}

/// Neither has leading zeros.
fn is_less(one: &Number, other: &Number) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    (one.len(), one) < (other.len(), other)
}

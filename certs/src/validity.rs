//! Validity of certificates in days: the default and the limit.

/// Default validity of a certificate.
pub(crate) const DAYS_DEFAULT: u32 = 365;
/// Longest validity: a hundred years.
pub(crate) const DAYS_MAX: u32 = 36_500;

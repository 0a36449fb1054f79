//! The curves that the vocabulary names (2.1, 11.45): what DER calls them, and their sizes.
//!
//! Data: SEC 2, X9.62 and RFC 5639. CURVE25519 and CURVE448 are not here: DER knows each by the
//! identifiers of its algorithms (RFC 8410), and their keys are bytes and no points.

use kmip::vocabulary::RecommendedCurve as C;

/// One curve.
pub(crate) struct Row {
    /// Its name here.
    pub curve: C,
    /// Its name in DER.
    pub oid: &'static str,
    /// The bits of a coordinate, by which the curve is known.
    pub bits: i32,
}

const fn row(curve: C, oid: &'static str, bits: i32) -> Row {
    Row { curve, oid, bits }
}

/// One row a curve.
pub(crate) const CURVES: &[Row] = &[
    row(C::P_192, "1.2.840.10045.3.1.1", 192),
    row(C::K_163, "1.3.132.0.1", 163),
    row(C::B_163, "1.3.132.0.15", 163),
    row(C::P_224, "1.3.132.0.33", 224),
    row(C::K_233, "1.3.132.0.26", 233),
    row(C::B_233, "1.3.132.0.27", 233),
    row(C::P_256, "1.2.840.10045.3.1.7", 256),
    row(C::K_283, "1.3.132.0.16", 283),
    row(C::B_283, "1.3.132.0.17", 283),
    row(C::P_384, "1.3.132.0.34", 384),
    row(C::K_409, "1.3.132.0.36", 409),
    row(C::B_409, "1.3.132.0.37", 409),
    row(C::P_521, "1.3.132.0.35", 521),
    row(C::K_571, "1.3.132.0.38", 571),
    row(C::B_571, "1.3.132.0.39", 571),
    row(C::SECP112R1, "1.3.132.0.6", 112),
    row(C::SECP112R2, "1.3.132.0.7", 112),
    row(C::SECP128R1, "1.3.132.0.28", 128),
    row(C::SECP128R2, "1.3.132.0.29", 128),
    row(C::SECP160K1, "1.3.132.0.9", 160),
    row(C::SECP160R1, "1.3.132.0.8", 160),
    row(C::SECP160R2, "1.3.132.0.30", 160),
    row(C::SECP192K1, "1.3.132.0.31", 192),
    row(C::SECP224K1, "1.3.132.0.32", 224),
    row(C::SECP256K1, "1.3.132.0.10", 256),
    row(C::SECT113R1, "1.3.132.0.4", 113),
    row(C::SECT113R2, "1.3.132.0.5", 113),
    row(C::SECT131R1, "1.3.132.0.22", 131),
    row(C::SECT131R2, "1.3.132.0.23", 131),
    row(C::SECT163R1, "1.3.132.0.2", 163),
    row(C::SECT193R1, "1.3.132.0.24", 193),
    row(C::SECT193R2, "1.3.132.0.25", 193),
    row(C::SECT239K1, "1.3.132.0.3", 239),
    row(C::ANSIX9P192V2, "1.2.840.10045.3.1.2", 192),
    row(C::ANSIX9P192V3, "1.2.840.10045.3.1.3", 192),
    row(C::ANSIX9P239V1, "1.2.840.10045.3.1.4", 239),
    row(C::ANSIX9P239V2, "1.2.840.10045.3.1.5", 239),
    row(C::ANSIX9P239V3, "1.2.840.10045.3.1.6", 239),
    row(C::ANSIX9C2PNB163V1, "1.2.840.10045.3.0.1", 163),
    row(C::ANSIX9C2PNB163V2, "1.2.840.10045.3.0.2", 163),
    row(C::ANSIX9C2PNB163V3, "1.2.840.10045.3.0.3", 163),
    row(C::ANSIX9C2PNB176V1, "1.2.840.10045.3.0.4", 176),
    row(C::ANSIX9C2TNB191V1, "1.2.840.10045.3.0.5", 191),
    row(C::ANSIX9C2TNB191V2, "1.2.840.10045.3.0.6", 191),
    row(C::ANSIX9C2TNB191V3, "1.2.840.10045.3.0.7", 191),
    row(C::ANSIX9C2PNB208W1, "1.2.840.10045.3.0.10", 208),
    row(C::ANSIX9C2TNB239V1, "1.2.840.10045.3.0.11", 239),
    row(C::ANSIX9C2TNB239V2, "1.2.840.10045.3.0.12", 239),
    row(C::ANSIX9C2TNB239V3, "1.2.840.10045.3.0.13", 239),
    row(C::ANSIX9C2PNB272W1, "1.2.840.10045.3.0.16", 272),
    row(C::ANSIX9C2PNB304W1, "1.2.840.10045.3.0.17", 304),
    row(C::ANSIX9C2TNB359V1, "1.2.840.10045.3.0.18", 359),
    row(C::ANSIX9C2PNB368W1, "1.2.840.10045.3.0.19", 368),
    row(C::ANSIX9C2TNB431R1, "1.2.840.10045.3.0.20", 431),
    row(C::BRAINPOOLP160R1, "1.3.36.3.3.2.8.1.1.1", 160),
    row(C::BRAINPOOLP160T1, "1.3.36.3.3.2.8.1.1.2", 160),
    row(C::BRAINPOOLP192R1, "1.3.36.3.3.2.8.1.1.3", 192),
    row(C::BRAINPOOLP192T1, "1.3.36.3.3.2.8.1.1.4", 192),
    row(C::BRAINPOOLP224R1, "1.3.36.3.3.2.8.1.1.5", 224),
    row(C::BRAINPOOLP224T1, "1.3.36.3.3.2.8.1.1.6", 224),
    row(C::BRAINPOOLP256R1, "1.3.36.3.3.2.8.1.1.7", 256),
    row(C::BRAINPOOLP256T1, "1.3.36.3.3.2.8.1.1.8", 256),
    row(C::BRAINPOOLP320R1, "1.3.36.3.3.2.8.1.1.9", 320),
    row(C::BRAINPOOLP320T1, "1.3.36.3.3.2.8.1.1.10", 320),
    row(C::BRAINPOOLP384R1, "1.3.36.3.3.2.8.1.1.11", 384),
    row(C::BRAINPOOLP384T1, "1.3.36.3.3.2.8.1.1.12", 384),
    row(C::BRAINPOOLP512R1, "1.3.36.3.3.2.8.1.1.13", 512),
    row(C::BRAINPOOLP512T1, "1.3.36.3.3.2.8.1.1.14", 512),
];

/// The row of a curve.
pub(crate) fn of(curve: C) -> Option<&'static Row> {
    CURVES.iter().find(|row| row.curve == curve)
}

/// The row of the curve that DER knows by `oid`.
pub(crate) fn of_oid(oid: &str) -> Option<&'static Row> {
    CURVES.iter().find(|row| row.oid == oid)
}

/// The bits of a curve's keys; nothing for one that is in no row.
pub(crate) fn bits(curve: C) -> i32 {
    match (of(curve), curve) {
        (Some(row), _) => row.bits,
        (None, C::CURVE25519) => 256,
        (None, C::CURVE448) => 448,
        (None, _) => 0,
    }
}

/// The bytes of a coordinate on a curve of so many bits.
pub(crate) fn coordinate_len(bits: i32) -> usize {
    usize::try_from(bits).unwrap_or(0).div_ceil(8)
}

#[cfg(test)]
mod tests {
    use super::{C, CURVES, of};

    #[test]
    fn every_curve_of_the_vocabulary_has_one_row() {
        for known in C::ROWS {
            let rows = CURVES.iter().filter(|row| row.curve.0 == known.value).count();
            let is_point = !known.name.starts_with("CURVE");
            assert_eq!(rows, usize::from(is_point), "{}", known.name);
        }
        for row in CURVES {
            let same = CURVES.iter().filter(|other| other.oid == row.oid).count();
            assert_eq!(same, 1, "{}", row.oid);
        }
        assert_eq!(of(C::P_521).map(|row| row.bits), Some(521));
    }
}

//! The arithmetic of Adjust Attribute (2.1, 11.1), on values of any type of item.
//!
//! ```text
//! Increment, Decrement   Integer, Long Integer, Big Integer, Interval, Date Time (in seconds),
//!                        Date Time Extended (in microseconds)
//! Negate                 Integer, Long Integer, Big Integer, Boolean
//! ```

use kmip::payload::AdjustmentValue;
use kmip::vocabulary::{AdjustmentType, ResultReason};
use ttlv::{Raw, Tag, Type};

use crate::objects::error::{OperationError, Result};

/// What is done to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adjustment {
    /// It goes up, or with a negative number down.
    By(i128),
    /// It turns over.
    Negate,
}

impl Adjustment {
    /// What a request asks for: by one, where it does not say by how much.
    pub(crate) fn new(adjustment: AdjustmentType, value: Option<&AdjustmentValue>) -> Result<Self> {
        let by = match value {
            None => 1,
            Some(AdjustmentValue::Integer(value)) => i128::from(*value),
            Some(AdjustmentValue::LongInteger(value)) => i128::from(*value),
            Some(AdjustmentValue::BigInteger(value)) => big(&value.0)?,
            Some(AdjustmentValue::Interval(value)) => i128::from(value.0),
        };
        match (adjustment, value) {
            (AdjustmentType::Increment, _) => Ok(Self::By(by)),
            (AdjustmentType::Decrement, _) => by.checked_neg().map(Self::By).ok_or_else(range),
            (AdjustmentType::Negate, None) => Ok(Self::Negate),
            (AdjustmentType::Negate, Some(_)) => {
                Err(OperationError::invalid_field("Negate takes no Adjustment Value"))
            }
            (other, _) => Err(OperationError::invalid_field(format!(
                "{other:?} is no Adjustment Type of this server"
            ))),
        }
    }

    /// The value of an item, adjusted, under the same tag and of the same type.
    pub(crate) fn of(self, item: &Raw) -> Result<Raw> {
        let mut r = item.reader();
        let item = r.item().map_err(|_| wrong_type("what cannot be read"))?;
        let (tag, ty) = (item.tag, item.ty);
        let value = match (ty, item.value) {
            (Type::Integer, &[a, b, c, d]) => i128::from(i32::from_be_bytes([a, b, c, d])),
            (Type::Interval, &[a, b, c, d]) => i128::from(u32::from_be_bytes([a, b, c, d])),
            (
                Type::LongInteger | Type::DateTime | Type::DateTimeExtended | Type::Boolean,
                &[a, b, c, d, e, f, g, h],
            ) => i128::from(i64::from_be_bytes([a, b, c, d, e, f, g, h])),
            (Type::BigInteger, bytes) => big(bytes)?,
            (ty, _) => return Err(wrong_type(ty.name())),
        };
        let adjusted = match (self, ty) {
            (Self::By(_), Type::Boolean) => return Err(wrong_type("up or down a Boolean")),
            (Self::By(by), _) => value.checked_add(by),
            (Self::Negate, Type::Boolean) => Some(i128::from(value == 0)),
            (Self::Negate, Type::Integer | Type::LongInteger | Type::BigInteger) => {
                value.checked_neg()
            }
            (Self::Negate, ty) => return Err(wrong_type(ty.name())),
        };
        write(tag, ty, adjusted.ok_or_else(range)?)
    }
}

/// No value of this type can be adjusted so.
pub(crate) fn wrong_type(what: &str) -> OperationError {
    OperationError::new(
        ResultReason::InvalidDataType,
        format!("Adjust Attribute cannot adjust {what} so"),
    )
}

fn range() -> OperationError {
    OperationError::new(
        ResultReason::NumericRange,
        "the adjusted value is too great or too small for its type",
    )
}

/// A Big Integer as a number. Those beyond 128 bits are keys' and no counters.
fn big(bytes: &[u8]) -> Result<i128> {
    let sign = match bytes.first().is_some_and(|first| *first >= 0x80) {
        true => -1_i128,
        false => 0,
    };
    let extra = bytes.len().saturating_sub(size_of::<i128>());
    let (high, low) = bytes.split_at_checked(extra).unwrap_or((&[], bytes));
    let value = low.iter().fold(sign, |all, byte| (all << 8) | i128::from(*byte));
    let is_sign = |byte: &u8| i128::from(*byte) == sign & 0xFF;
    match high.iter().all(is_sign) && (high.is_empty() || (value < 0) == (sign < 0)) {
        true => Ok(value),
        false => Err(range()),
    }
}

/// The number as an item.
fn write(tag: Tag, ty: Type, value: i128) -> Result<Raw> {
    let long = i64::try_from(value);
    let bytes = match ty {
        Type::Integer => i32::try_from(value).map_err(|_| range())?.to_be_bytes().to_vec(),
        Type::Interval => u32::try_from(value).map_err(|_| range())?.to_be_bytes().to_vec(),
        Type::LongInteger | Type::DateTime | Type::DateTimeExtended | Type::Boolean => {
            long.map_err(|_| range())?.to_be_bytes().to_vec()
        }
        Type::BigInteger => {
            long.map_or_else(|_| value.to_be_bytes().to_vec(), |value| value.to_be_bytes().to_vec())
        }
        Type::Structure | Type::Enumeration | Type::TextString | Type::ByteString => {
            return Err(wrong_type(ty.name()));
        }
    };
    Ok(Raw::build(|w| w.item(tag, ty, &bytes)))
}

#[cfg(test)]
mod tests {
    use super::Adjustment;
    use kmip::Interval;
    use kmip::payload::AdjustmentValue as V;
    use kmip::vocabulary::{AdjustmentType, ResultReason, tags};
    use ttlv::{Raw, Type};

    const WRONG: Result<&[u8], ResultReason> = Err(ResultReason::InvalidDataType);
    const RANGE: Result<&[u8], ResultReason> = Err(ResultReason::NumericRange);

    /// One row a case: type, value, by how much (none to negate), and the value after it.
    #[test]
    fn the_arithmetic_of_each_type() {
        use Adjustment::{By, Negate};

        let long: &[u8] = &[0, 0, 0, 0, 0, 0, 0, 5];
        let most = i64::MAX.to_be_bytes();
        let least = i64::MIN.to_be_bytes();
        let beyond: &[u8] = &[0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0];
        let wide = [[0xFF; 16], [0x80; 16]].concat();
        type Row<'a> = (Type, &'a [u8], Adjustment, Result<&'a [u8], ResultReason>);
        let rows: &[Row<'_>] = &[
            (Type::Integer, &[0, 0, 0, 5], By(1), Ok(&[0, 0, 0, 6])),
            (Type::Integer, &[0, 0, 0, 0], By(-1), Ok(&[0xFF; 4])),
            (Type::Integer, &[0x7F, 0xFF, 0xFF, 0xFF], By(1), RANGE),
            (Type::Integer, &[0, 0, 0, 5], Negate, Ok(&[0xFF, 0xFF, 0xFF, 0xFB])),
            (Type::Integer, &[0x80, 0, 0, 0], Negate, RANGE),
            (Type::LongInteger, long, By(-4), Ok(&[0, 0, 0, 0, 0, 0, 0, 1])),
            (Type::LongInteger, &most, By(1), RANGE),
            (Type::LongInteger, &least, Negate, RANGE),
            (Type::BigInteger, &most, By(1), Ok(beyond)),
            (Type::BigInteger, beyond, By(-1), Ok(&most)),
            (Type::BigInteger, beyond, Negate, Ok(&least)),
            (Type::BigInteger, &[0xFF; 24], By(1), Ok(&[0; 8])),
            (Type::BigInteger, &wide, By(1), Ok(&[[0x80; 15].as_slice(), &[0x81]].concat())),
            (Type::BigInteger, &[1; 24], By(1), RANGE),
            (Type::Interval, &[0, 0, 0, 0], By(60), Ok(&[0, 0, 0, 60])),
            (Type::Interval, &[0, 0, 0, 5], By(-6), RANGE),
            (Type::Interval, &[0xFF; 4], By(1), RANGE),
            (Type::Interval, &[0, 0, 0, 5], Negate, WRONG),
            (Type::DateTime, long, By(60), Ok(&[0, 0, 0, 0, 0, 0, 0, 65])),
            (Type::DateTime, long, Negate, WRONG),
            (Type::DateTimeExtended, long, By(1), Ok(&[0, 0, 0, 0, 0, 0, 0, 6])),
            (Type::Boolean, &[0; 8], Negate, Ok(&[0, 0, 0, 0, 0, 0, 0, 1])),
            (Type::Boolean, &[0, 0, 0, 0, 0, 0, 0, 1], Negate, Ok(&[0; 8])),
            (Type::Boolean, &[0; 8], By(1), WRONG),
            (Type::Enumeration, &[0, 0, 0, 1], By(1), WRONG),
            (Type::TextString, b"5", By(1), WRONG),
            (Type::ByteString, &[5], Negate, WRONG),
            (Type::Structure, &[], By(1), WRONG),
        ];
        for (ty, before, adjustment, after) in rows {
            let item = |value: &[u8]| Raw::build(|w| w.item(tags::AttributeValue, *ty, value));
            let found = adjustment.of(&item(before)).map_err(|error| error.reason);
            assert_eq!(found, after.map(item), "{ty:?} {before:?} {adjustment:?}");
        }
    }

    #[test]
    fn by_one_unless_the_request_says_by_how_much() {
        use AdjustmentType as T;

        let rows = [
            (T::Increment, None, Ok(Adjustment::By(1))),
            (T::Decrement, None, Ok(Adjustment::By(-1))),
            (T::Decrement, Some(V::Interval(Interval(60))), Ok(Adjustment::By(-60))),
            (T::Decrement, Some(V::LongInteger(i64::MIN)), Ok(Adjustment::By(1 << 63))),
            (T::Negate, None, Ok(Adjustment::Negate)),
            (T::Negate, Some(V::Integer(1)), Err(ResultReason::InvalidField)),
            (T(4), None, Err(ResultReason::InvalidField)),
        ];
        for (ty, value, expected) in rows {
            let found = Adjustment::new(ty, value.as_ref()).map_err(|error| error.reason);
            assert_eq!(found, expected, "{ty:?} {value:?}");
        }
    }
}

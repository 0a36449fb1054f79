//! 2.1, 6.1.3: a number goes up or down, a flag turns over. What the object does not have is taken
//! for zero or false, and is had from then on.

use kmip::attributes::{AttributeReference, AttributeValue, OtherAttribute, VendorAttribute};
use kmip::payload::{AdjustAttributeRequest, AdjustAttributeResponse, AdjustmentValue};
use kmip::vocabulary::{ResultReason, tags};
use ttlv::{Raw, Type};

use crate::keystore::Context;
use crate::objects::attribute_arithmetic::{Adjustment, wrong_type};
use crate::objects::attribute_consistency;
use crate::objects::attribute_rules;
use crate::objects::error::{OperationError, Result};
use crate::objects::index::value_bytes;
use crate::objects::record::KEPT_VERSION;

pub(super) async fn adjust_attribute(
    cx: &mut Context<'_>,
    request: AdjustAttributeRequest,
) -> Result<AdjustAttributeResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let old = cx.live_object(&unique_identifier).await?;
    let reference = request.attribute;
    attribute_rules::check_exists(&reference)?;
    let adjustment = Adjustment::new(request.adjustment_type, request.adjustment_value.as_ref())?;
    let mut instances = old.instances(&reference);
    let value = match (instances.next(), instances.next()) {
        (Some(_), Some(_)) => {
            return Err(OperationError::new(
                ResultReason::MultiValuedAttribute,
                format!("the object has several {}: modify one of them", reference.name()),
            ));
        }
        (Some(held), None) => {
            attribute_rules::may_modify(&old, &reference, cx.moment(&old))?;
            adjusted(&reference, &Raw::new(&value_bytes(&held.value)), adjustment)?
        }
        (None, _) => {
            let zero = zero(&reference, request.adjustment_value.as_ref())?;
            let value = adjusted(&reference, &zero, adjustment)?;
            attribute_rules::may_add(&old, &value, cx.moment(&old))?;
            value
        }
    };
    let mut new = old.clone();
    new.set(value);
    attribute_rules::check_dates(new.values())?;
    attribute_consistency::quantum_safe(new.values())?;
    cx.update(&unique_identifier, &old, new).await?;
    Ok(AdjustAttributeResponse { unique_identifier })
}

/// The attribute with its adjusted value.
fn adjusted(
    reference: &AttributeReference,
    item: &Raw,
    adjustment: Adjustment,
) -> Result<AttributeValue> {
    let item = adjustment.of(item)?;
    match reference {
        AttributeReference::Standard(tag) => {
            standard(*tag, &item).ok_or_else(|| wrong_type(&reference.name()))
        }
        AttributeReference::Vendor { vendor, name } => {
            let (vendor, name) = (vendor.clone(), name.clone());
            Ok(AttributeValue::Vendor(VendorAttribute { vendor, name, value: item }))
        }
        AttributeReference::Unknown(name) => {
            Ok(AttributeValue::Other(OtherAttribute::Named(name.clone(), item)))
        }
    }
}

/// An attribute of the standard with this value, if it can have it.
fn standard(tag: ttlv::Tag, item: &Raw) -> Option<AttributeValue> {
    let mut r = item.reader();
    AttributeValue::decode_value(tag, tags::AttributeValue, &mut r, KEPT_VERSION).ok().flatten()
}

/// What an attribute counts from that the object does not have: zero or false, of the type that
/// the attribute has. A vendor's attribute is given the type of the Adjustment Value.
fn zero(reference: &AttributeReference, value: Option<&AdjustmentValue>) -> Result<Raw> {
    let of_type = |ty: Type| {
        let bytes = vec![0; ty.fixed_len().unwrap_or(8)];
        Raw::build(|w| w.item(tags::AttributeValue, ty, &bytes))
    };
    let found = match reference {
        AttributeReference::Standard(tag) => {
            [Type::Integer, Type::LongInteger, Type::BigInteger, Type::Interval, Type::Boolean]
                .into_iter()
                .map(of_type)
                .find(|item| standard(*tag, item).is_some())
        }
        AttributeReference::Vendor { .. } | AttributeReference::Unknown(_) => value.map(|value| {
            of_type(match value {
                AdjustmentValue::Integer(_) => Type::Integer,
                AdjustmentValue::LongInteger(_) => Type::LongInteger,
                AdjustmentValue::BigInteger(_) => Type::BigInteger,
                AdjustmentValue::Interval(_) => Type::Interval,
            })
        }),
    };
    found.ok_or_else(|| {
        wrong_type(&format!("{}, which the object does not have,", reference.name()))
    })
}

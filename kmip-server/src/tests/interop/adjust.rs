//! Adjust Attribute (2.1, 6.1.3).

use kmip::Interval;
use kmip::payload::{AdjustAttributeRequest, AdjustmentValue};
use kmip::vocabulary::AdjustmentType;

use crate::tests::harness::*;

const INCREMENT: AdjustmentType = AdjustmentType::Increment;
const DECREMENT: AdjustmentType = AdjustmentType::Decrement;
const NEGATE: AdjustmentType = AdjustmentType::Negate;

fn adjust(
    object: &str,
    attribute: &AttributeReference,
    adjustment_type: AdjustmentType,
    adjustment_value: Option<AdjustmentValue>,
) -> AdjustAttributeRequest {
    AdjustAttributeRequest {
        unique_identifier: id(object),
        attribute: attribute.clone(),
        adjustment_type,
        adjustment_value,
    }
}

async fn shown(
    harness: &Harness,
    object: &str,
    reference: &AttributeReference,
) -> Option<AttributeValue> {
    let request =
        GetAttributesRequest { unique_identifier: id(object), attributes: vec![reference.clone()] };
    let found = harness.ask(NEWEST, request).await.unwrap().attributes.0;
    found.into_iter().next().map(|attribute| attribute.value)
}

fn counter(value: i32) -> AttributeValue {
    AttributeValue::Vendor(VendorAttribute {
        vendor: "x".to_owned(),
        name: "Count".to_owned(),
        value: Raw::build(|w| w.integer(tags::AttributeValue, value)),
    })
}

/// One row a step on the same object: the attribute, what is done, and what it is then.
#[tokio::test]
async fn numbers_go_up_and_down_and_flags_turn_over() {
    use AttributeValue as A;

    let harness = Harness::new();
    let key = harness.create(NEWEST, vec![]).await;
    let period = AttributeReference::Standard(tags::ProtectionPeriod);
    let safe = AttributeReference::Standard(tags::QuantumSafe);
    let count = counter(0).reference();
    let by = |units| Some(AdjustmentValue::Integer(units));
    let rows = [
        // What was not there counts from zero, or from false.
        (&period, INCREMENT, Some(AdjustmentValue::Interval(Interval(90))), {
            A::ProtectionPeriod(Interval(90))
        }),
        (&period, DECREMENT, None, A::ProtectionPeriod(Interval(89))),
        (&period, INCREMENT, by(-9), A::ProtectionPeriod(Interval(80))),
        (&safe, NEGATE, None, A::QuantumSafe(true)),
        (&safe, NEGATE, None, A::QuantumSafe(false)),
        (&count, DECREMENT, by(5), counter(-5)),
        (&count, NEGATE, None, counter(5)),
        (&count, INCREMENT, None, counter(6)),
    ];
    for (attribute, adjustment, value, expected) in rows {
        harness.ask(NEWEST, adjust(&key, attribute, adjustment, value)).await.unwrap();
        assert_eq!(shown(&harness, &key, attribute).await, Some(expected));
    }
}

#[tokio::test]
async fn a_date_moves_and_keeps_its_order() {
    let harness = Harness::new();
    let dates = vec![
        AttributeValue::ActivationDate(DateTime(i64::from(u32::MAX))),
        AttributeValue::DeactivationDate(DateTime(i64::from(u32::MAX) + 10)),
    ];
    let key = harness.create(NEWEST, dates).await;
    let end = AttributeReference::Standard(tags::DeactivationDate);
    let by = |units| Some(AdjustmentValue::LongInteger(units));
    let earlier = adjust(&key, &end, DECREMENT, by(4));
    harness.ask(NEWEST, earlier).await.unwrap();
    let expected = AttributeValue::DeactivationDate(DateTime(i64::from(u32::MAX) + 6));
    assert_eq!(shown(&harness, &key, &end).await, Some(expected.clone()));
    // Before the Activation Date it cannot lie.
    let before = adjust(&key, &end, DECREMENT, by(7));
    assert_eq!(harness.ask(NEWEST, before).await.map(drop), Err(ResultReason::InvalidField));
    assert_eq!(shown(&harness, &key, &end).await, Some(expected));
}

/// One row a case: the attribute, what is asked, and why not.
#[tokio::test]
async fn what_cannot_be_adjusted_is_refused() {
    use ResultReason as R;

    let harness = Harness::new();
    let more = vec![name("a"), name("b"), AttributeValue::ContactInformation("me".to_owned())];
    let key = harness.create(NEWEST, more).await;
    let standard = AttributeReference::Standard;
    let rows = [
        (standard(tags::Name), INCREMENT, R::MultiValuedAttribute),
        (standard(tags::ContactInformation), INCREMENT, R::InvalidDataType),
        (standard(tags::CryptographicLength), INCREMENT, R::AttributeReadOnly),
        (standard(tags::InitialDate), INCREMENT, R::AttributeReadOnly),
        (standard(tags::DeactivationDate), INCREMENT, R::InvalidDataType),
        (standard(tags::ProtectionPeriod), DECREMENT, R::NumericRange),
        (standard(tags::ProtectionPeriod), NEGATE, R::InvalidDataType),
        (standard(tags::QuantumSafe), INCREMENT, R::InvalidDataType),
        (counter(0).reference(), NEGATE, R::InvalidDataType),
        (standard(tags::KeyMaterial), INCREMENT, R::InvalidField),
    ];
    for (attribute, adjustment, reason) in rows {
        let found = harness.ask(NEWEST, adjust(&key, &attribute, adjustment, None)).await.map(drop);
        assert_eq!(found, Err(reason), "{attribute:?} {adjustment:?}");
    }
}

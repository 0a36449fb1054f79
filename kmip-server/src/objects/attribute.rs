//! Picks one attribute out of many.

/// The value of the first attribute of this name, if there is one.
macro_rules! attribute {
    ($values:expr, $name:ident) => {
        $values.into_iter().find_map(|value| {
            if let kmip::attributes::AttributeValue::$name(value) = value {
                Some(value.clone())
            } else {
                None
            }
        })
    };
}

pub(crate) use attribute;

//! Names of the standard in rules: `Get Attributes`, `get-attributes` and `GetAttributes` are one.

use kmip::vocabulary::Row;
use serde::de::Error;

/// Returns the number of a name; the error lists the names that are allowed.
pub(super) fn number<E: Error>(what: &str, rows: &'static [Row], text: &str) -> Result<u32, E> {
    let row = rows
        .iter()
        .find(|row| same(row.name, text) || row.aliases.iter().any(|alias| same(alias.name, text)));
    row.map(|row| row.value).ok_or_else(|| {
        let names: Vec<&str> = rows.iter().map(|row| row.name).collect();
        E::custom(format!("unknown {what} {text:?}, expected one of {}", names.join(", ")))
    })
}

/// Compares letters and digits only, without case.
fn same(left: &str, right: &str) -> bool {
    let letters = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    letters(left) == letters(right)
}

/// Defines a name in a rule, which is read and written as text.
macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $vocabulary:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $type(pub(crate) $vocabulary);

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                let number = $crate::rules::names::number($what, $vocabulary::ROWS, &text)?;
                Ok(Self($vocabulary(number)))
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.0.name().unwrap_or_default())
            }
        }
    };
}

pub(super) use name;

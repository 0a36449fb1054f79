//! Symbols of a case and their values (2.1 profiles, 4): `$UNIQUE_IDENTIFIER_0`, `$NOW-3600`,
//! `$MAC_DATA`.
//!
//! A symbol is bound by the first answer that has it, and means the same from then on. Some cases
//! print in a request what their own server had answered; where that answer may vary, what our
//! server answered is sent in its place (CS-BC-M-3; 3.0 prints a symbol there).

use std::collections::BTreeMap;

use kmip::encoding::{Element, Value};
use ttlv::Type;
use zeroize::Zeroizing;

/// Printed values that are shorter mean nothing in particular and are sent as they are.
const LITERAL_LEN_MIN: usize = 16;

/// Values of the symbols of a case.
#[derive(Clone, Default)]
pub(crate) struct Bindings {
    symbols: BTreeMap<String, Zeroizing<String>>,
    literals: BTreeMap<String, Zeroizing<String>>,
    /// The last value that was answered under a name, in the spelling of a symbol: MACDATA.
    answers: BTreeMap<String, Zeroizing<String>>,
    /// Seconds since 1970, now.
    now: i64,
}

impl core::fmt::Debug for Bindings {
    /// What is bound may be a key.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.symbols.keys()).finish()
    }
}

/// A symbol in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Symbol<'a> {
    /// A time, so many seconds from now.
    Now(i64),
    /// Anything else, by its name.
    Name(&'a str),
}

impl<'a> Symbol<'a> {
    /// The symbol that a text is, if it is one.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let name = text.strip_prefix('$')?;
        if let Some(offset) = name.strip_prefix("NOW")
            && let Ok(seconds) = if offset.is_empty() { Ok(0) } else { offset.parse() }
        {
            return Some(Self::Now(seconds));
        }
        let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        (!name.is_empty() && name.chars().all(is_name)).then_some(Self::Name(name))
    }
}

impl Bindings {
    /// Sets the time of `$NOW`.
    pub(crate) fn set_now(&mut self, seconds: i64) {
        self.now = seconds;
    }

    /// Value of a symbol, if it is bound.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.symbols.get(name).map(|value| value.as_str())
    }

    /// Binds a symbol.
    pub(crate) fn bind(&mut self, name: &str, value: &str) {
        self.symbols.insert(name.to_owned(), Zeroizing::new(value.to_owned()));
    }

    /// Binds a printed value that may vary to the value that was answered.
    pub(crate) fn bind_literal(&mut self, name: &str, printed: &str, actual: &str) {
        if printed.len() >= LITERAL_LEN_MIN && !printed.starts_with('$') {
            self.literals.insert(printed.to_owned(), Zeroizing::new(actual.to_owned()));
        }
        self.record_answer(name, actual);
    }

    /// Records the value that was answered under a name.
    pub(crate) fn record_answer(&mut self, name: &str, actual: &str) {
        self.answers.insert(name.to_ascii_uppercase(), Zeroizing::new(actual.to_owned()));
    }

    /// Returns the request to be sent, or the symbol that is not bound.
    pub(crate) fn resolve(&self, printed: &Element) -> Result<Element, String> {
        let value = match &printed.value {
            Value::Structure(children) => {
                let children = children.iter().map(|child| self.resolve(child));
                Value::Structure(children.collect::<Result<_, _>>()?)
            }
            Value::Text(ty, text) => Value::Text(*ty, self.text(*ty, text)?),
        };
        Ok(Element { name: printed.name.clone(), value })
    }

    fn text(&self, ty: Type, printed: &str) -> Result<Zeroizing<String>, String> {
        let text = match Symbol::parse(printed) {
            // The hex form of a date spares a calendar.
            Some(Symbol::Now(offset)) => format!("0x{:016x}", self.now.saturating_add(offset)),
            Some(Symbol::Name(name)) => {
                // What no answer has a symbol for means the last that was answered under its name.
                let base = name.trim_end_matches(|c: char| c.is_ascii_digit());
                let spelt = base.replace('_', "");
                let bound = self.symbols.get(name).or_else(|| self.answers.get(&spelt));
                return bound.cloned().ok_or_else(|| printed.to_owned());
            }
            None if ty == Type::ByteString => {
                let answered = self.literals.get(printed).cloned();
                return Ok(answered.unwrap_or_else(|| Zeroizing::new(printed.to_owned())));
            }
            None => printed.to_owned(),
        };
        Ok(Zeroizing::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::{Bindings, Symbol};
    use kmip::encoding::Element;
    use ttlv::Type;

    #[test]
    fn symbols_are_told_from_texts() {
        for (text, symbol) in [
            ("$NOW", Some(Symbol::Now(0))),
            ("$NOW-3600", Some(Symbol::Now(-3600))),
            ("$NOW+60", Some(Symbol::Now(60))),
            ("$UNIQUE_IDENTIFIER_0", Some(Symbol::Name("UNIQUE_IDENTIFIER_0"))),
            ("$", None),
            ("$5 and more", None),
            ("NOW", None),
        ] {
            assert_eq!(Symbol::parse(text), symbol, "{text}");
        }
    }

    #[test]
    fn what_was_answered_is_sent_back() {
        let mut bindings = Bindings::default();
        bindings.set_now(0x1000);
        bindings.bind("UNIQUE_IDENTIFIER_0", "an id");
        bindings.bind_literal("Data", "00112233445566778899", "ffee");
        bindings.record_answer("MACData", "aa");
        let rows = [
            (Type::TextString, "$UNIQUE_IDENTIFIER_0", Ok("an id")),
            (Type::DateTime, "$NOW-1", Ok("0x0000000000000fff")),
            (Type::ByteString, "00112233445566778899", Ok("ffee")),
            (Type::ByteString, "0011", Ok("0011")),
            (Type::TextString, "00112233445566778899", Ok("00112233445566778899")),
            (Type::ByteString, "$MAC_DATA", Ok("aa")),
            (Type::ByteString, "$SIGNATURE_DATA", Err("$SIGNATURE_DATA")),
        ];
        for (ty, printed, sent) in rows {
            let filled = bindings.resolve(&Element::leaf("Data", ty, printed));
            let filled = filled.as_ref().map(|element| element.text().unwrap_or_default());
            assert_eq!(filled.map_err(String::as_str), sent, "{printed}");
        }
    }
}

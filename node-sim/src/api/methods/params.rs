//! What a method takes, as data, and what a call gave, checked against it.
//!
//! The GET form carries texts only and many a sample quotes its numbers, so a text is taken where
//! it spells a number or a truth. What a method does not know is answered as unused.

use crate::state::error::{ElementError, ErrorName};
use serde_json::{Map, Value};

/// What kind of value a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A number of something: whole and not negative.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A text.
    Text,
    /// A list of texts; one text is a list of one.
    Texts,
    /// A list of numbers; one number is a list of one.
    Integers,
    /// An object whose members are the client's own.
    Object,
    /// One of these texts, in upper or lower case.
    Choice(&'static [&'static str]),
}

/// A parameter that a method knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// As the API spells it.
    pub(crate) name: &'static str,
    /// What it may be.
    pub(crate) kind: Kind,
    /// Whether the call is refused without it.
    pub(crate) required: bool,
}

/// A parameter that must be there.
#[must_use]
pub(crate) const fn required(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, required: true }
}

/// A parameter that may be absent.
#[must_use]
pub(crate) const fn optional(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, required: false }
}

/// The parameters of one call, each of the kind that the method's table says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Params(Map<String, Value>);

impl Params {
    /// Checks what was given. Answers the parameters, and those that the method does not know.
    pub(crate) fn check(
        known: &[Parameter],
        mut given: Map<String, Value>,
    ) -> Result<(Self, Map<String, Value>), ElementError> {
        let mut checked = Map::new();
        for parameter in known {
            // The SDKs of .NET and Go send null for what they leave out.
            match given.remove(parameter.name).filter(|value| !value.is_null()) {
                Some(value) => {
                    let value = parameter.kind.take(parameter.name, value)?;
                    checked.insert(parameter.name.to_owned(), value);
                }
                None if parameter.required => return Err(ElementError::missing(parameter.name)),
                None => {}
            }
        }
        Ok((Self(checked), given))
    }

    /// The number of this name.
    #[must_use]
    pub(crate) fn integer(&self, name: &str) -> Option<u64> {
        self.0.get(name).and_then(Value::as_u64)
    }

    /// The truth of this name.
    #[must_use]
    pub(crate) fn boolean(&self, name: &str) -> Option<bool> {
        self.0.get(name).and_then(Value::as_bool)
    }

    /// The text, or the choice, of this name.
    #[must_use]
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// The list of texts of this name.
    #[must_use]
    pub(crate) fn texts(&self, name: &str) -> Option<Vec<String>> {
        let texts = self.0.get(name)?.as_array()?;
        Some(texts.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect())
    }

    /// The object of this name.
    #[must_use]
    pub(crate) fn object(&self, name: &str) -> Option<&Map<String, Value>> {
        self.0.get(name).and_then(Value::as_object)
    }

    /// The number of this name, which the method requires.
    pub(crate) fn required_integer(&self, name: &str) -> Result<u64, ElementError> {
        self.integer(name).ok_or_else(|| ElementError::missing(name))
    }

    /// The text of this name, which the method requires.
    pub(crate) fn required_text(&self, name: &str) -> Result<&str, ElementError> {
        self.text(name).ok_or_else(|| ElementError::missing(name))
    }
}

impl Kind {
    /// The value as this kind, or why it is not of it.
    fn take(self, name: &str, value: Value) -> Result<Value, ElementError> {
        match self {
            Self::Integer => integer(&value),
            Self::Boolean => boolean(&value),
            Self::Text => value.is_string().then_some(value),
            Self::Texts => list(value, |item| item.is_string().then(|| item.clone())),
            Self::Integers => list(value, integer),
            Self::Object => object(value),
            Self::Choice(choices) => return choice(name, choices, &value),
        }
        .ok_or_else(|| self.wrong_type(name))
    }

    fn wrong_type(self, name: &str) -> ElementError {
        let expected = match self {
            Self::Integer => "a whole number, not negative",
            Self::Boolean => "true or false",
            Self::Text | Self::Choice(_) => "a string",
            Self::Texts => "an array of strings",
            Self::Integers => "an array of whole numbers",
            Self::Object => "an object",
        };
        let message = format!("Parameter {name} must be {expected}.");
        ElementError::new(ErrorName::InvalidParameterType, message)
    }
}

fn integer(value: &Value) -> Option<Value> {
    match value {
        Value::Number(number) => number.as_u64().map(Value::from),
        Value::String(text) => text.trim().parse::<u64>().ok().map(Value::from),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn boolean(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(_) => Some(value.clone()),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
        Value::Null | Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

/// A list as such, as JSON in a text, or as the one item that it would have.
fn list(value: Value, item: impl Fn(&Value) -> Option<Value>) -> Option<Value> {
    let items = match value {
        Value::Array(items) => items,
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(Value::Array(items)) => items,
            Ok(_) | Err(_) => vec![Value::String(text)],
        },
        Value::Number(_) => vec![value],
        Value::Null | Value::Bool(_) | Value::Object(_) => return None,
    };
    items.iter().map(item).collect::<Option<Vec<_>>>().map(Value::Array)
}

/// An object as such, or as JSON in a text.
fn object(value: Value) -> Option<Value> {
    match value {
        Value::Object(_) => Some(value),
        Value::String(text) => serde_json::from_str::<Value>(&text).ok().filter(Value::is_object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

/// Element answers the text itself as the message.
fn choice(name: &str, choices: &[&str], value: &Value) -> Result<Value, ElementError> {
    let text = value.as_str().ok_or_else(|| Kind::Text.wrong_type(name))?;
    let known = choices.iter().find(|choice| choice.eq_ignore_ascii_case(text));
    known.map(|choice| Value::from(*choice)).ok_or_else(|| {
        let shown: String = text.chars().take(64).collect();
        ElementError::new(ErrorName::UnrecognizedEnumString, shown)
    })
}

#[cfg(test)]
mod tests {
    use super::{Kind, Params, optional, required};
    use serde_json::{Map, Value, json};

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn each_kind_takes_what_spells_it_and_nothing_else() {
        const CHOICE: Kind = Kind::Choice(&["internal", "external"]);
        let table = [
            (Kind::Integer, json!(5), Some(json!(5))),
            (Kind::Integer, json!("5"), Some(json!(5))),
            (Kind::Integer, json!(5.5), None),
            (Kind::Integer, json!(-5), None),
            (Kind::Integer, json!("<ID number>"), None),
            (Kind::Integer, json!("99999999999999999999"), None),
            (Kind::Integer, json!(true), None),
            (Kind::Boolean, json!(true), Some(json!(true))),
            (Kind::Boolean, json!("False"), Some(json!(false))),
            (Kind::Boolean, json!(1), None),
            (Kind::Text, json!("x"), Some(json!("x"))),
            (Kind::Text, json!(5), None),
            (Kind::Texts, json!(["a", "b"]), Some(json!(["a", "b"]))),
            (Kind::Texts, json!("a"), Some(json!(["a"]))),
            (Kind::Texts, json!("[\"a\",\"b\"]"), Some(json!(["a", "b"]))),
            (Kind::Texts, json!(["a", 1]), None),
            (Kind::Integers, json!([1, "2"]), Some(json!([1, 2]))),
            (Kind::Integers, json!("[1,2]"), Some(json!([1, 2]))),
            (Kind::Integers, json!(3), Some(json!([3]))),
            (Kind::Integers, json!({}), None),
            (Kind::Object, json!({"a": 1}), Some(json!({"a": 1}))),
            (Kind::Object, json!("{\"a\":1}"), Some(json!({"a": 1}))),
            (Kind::Object, json!([]), None),
            (CHOICE, json!("External"), Some(json!("external"))),
            (CHOICE, json!("else"), None),
            (CHOICE, json!(1), None),
        ];
        for (kind, given, expected) in table {
            let known = [required("p", kind)];
            let found = Params::check(&known, object(json!({ "p": given })));
            let found = found.ok().map(|(params, _)| params.0["p"].clone());
            assert_eq!(found, expected, "{kind:?} {given}");
        }
    }

    #[test]
    fn absent_null_and_unknown_parameters() {
        let known = [required("must", Kind::Integer), optional("may", Kind::Integer)];
        let check = |given| Params::check(&known, object(given)).map_err(|e| e.to_string());
        let (params, unused) = check(json!({"must": 1, "may": null, "other": [2]})).unwrap();
        assert_eq!((params.integer("must"), params.integer("may")), (Some(1), None));
        assert_eq!(Value::from(unused), json!({"other": [2]}));
        let missing = Err("xMissingParameter: Missing member=[must]".to_owned());
        assert_eq!(check(json!({"may": 1})), missing);
        assert_eq!(check(json!({"must": null})), missing);
    }
}

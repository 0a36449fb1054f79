//! Parameters of a fault: their types, limits and defaults, and their values in a template.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Longest text of a parameter, in characters.
const TEXT_MAX: usize = 256;

/// A parameter of a fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// Type of a parameter, with its default.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A whole number within limits.
    Integer { default: i64, min: i64, max: i64 },
    /// A text.
    Text { default: &'static str },
    /// One of these texts; the first is the default.
    Choice { of: &'static [&'static str] },
}

/// Values of all parameters of a fault.
pub(super) type Values = BTreeMap<&'static str, Value>;

impl Parameter {
    pub(super) const fn integer(name: &'static str, default: i64, (min, max): (i64, i64)) -> Self {
        Self { name, kind: Kind::Integer { default, min, max } }
    }

    pub(super) const fn text(name: &'static str, default: &'static str) -> Self {
        Self { name, kind: Kind::Text { default } }
    }

    pub(super) const fn choice(name: &'static str, of: &'static [&'static str]) -> Self {
        Self { name, kind: Kind::Choice { of } }
    }

    fn default(&self) -> Value {
        match self.kind {
            Kind::Integer { default, .. } => default.into(),
            Kind::Text { default } => default.into(),
            Kind::Choice { of } => of.first().copied().into(),
        }
    }

    /// The value, if it is allowed; otherwise what is.
    fn check(&self, value: &Value) -> Result<Value, String> {
        let name = self.name;
        match self.kind {
            Kind::Integer { min, max, .. } => {
                let number = value.as_i64().filter(|number| (min..=max).contains(number));
                let wrong = || format!("{name} must be a whole number from {min} to {max}");
                number.map(Value::from).ok_or_else(wrong)
            }
            Kind::Text { .. } => {
                let text = value.as_str().filter(|text| text.chars().count() <= TEXT_MAX);
                let wrong = || format!("{name} must be a text of at most {TEXT_MAX} characters");
                text.map(Value::from).ok_or_else(wrong)
            }
            Kind::Choice { of } => {
                let text = value.as_str().filter(|text| of.contains(text));
                let wrong = || format!("{name} must be one of {}", of.join(", "));
                text.map(Value::from).ok_or_else(wrong)
            }
        }
    }

    /// Its description, with the value that is set.
    pub(super) fn json(&self, values: &Values) -> Value {
        let value = values.get(self.name).cloned().unwrap_or_else(|| self.default());
        match self.kind {
            Kind::Integer { min, max, .. } => {
                json!({ "max": max, "min": min, "type": "integer", "value": value })
            }
            Kind::Text { .. } => json!({ "max": TEXT_MAX, "type": "text", "value": value }),
            Kind::Choice { of } => json!({ "of": of, "type": "choice", "value": value }),
        }
    }
}

/// Values of all parameters: those that are given, and defaults for the rest.
pub(super) fn values(
    parameters: &[Parameter],
    given: &Map<String, Value>,
) -> Result<Values, String> {
    if let Some(unknown) = given.keys().find(|name| parameters.iter().all(|p| p.name != **name)) {
        let known: Vec<_> = parameters.iter().map(|parameter| parameter.name).collect();
        return Err(format!("parameter {unknown:?} is not known; known are: {}", known.join(", ")));
    }
    let value = |parameter: &Parameter| {
        let value = given.get(parameter.name);
        let value =
            value.map_or_else(|| Ok(parameter.default()), |value| parameter.check(value))?;
        Ok((parameter.name, value))
    };
    parameters.iter().map(value).collect()
}

/// A template in JSON, with the value of each parameter in the place of the text `$name`.
pub(super) fn filled(template: &str, values: &Values) -> Result<Value, String> {
    let template = serde_json::from_str(template).map_err(|why| why.to_string())?;
    Ok(fill(template, values))
}

fn fill(template: Value, values: &Values) -> Value {
    match template {
        Value::String(text) => {
            let named = text.strip_prefix('$').and_then(|name| values.get(name));
            named.cloned().unwrap_or(Value::String(text))
        }
        Value::Array(items) => items.into_iter().map(|item| fill(item, values)).collect(),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, v)| (name, fill(v, values))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => template,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{Parameter, filled, values};

    const PARAMETERS: [Parameter; 3] = [
        Parameter::integer("ms", 3000, (0, 600_000)),
        Parameter::text("operation", "Get"),
        Parameter::choice("at", &["response", "request"]),
    ];

    fn given(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn template_is_filled_with_what_is_given_and_defaults() {
        let values = values(&PARAMETERS, &given(json!({ "ms": 5 }))).unwrap();
        let template = r#"{"operation":"$operation","action":{"delay":{"ms":"$ms","at":"$at"}}}"#;
        let expected =
            json!({ "operation": "Get", "action": { "delay": { "ms": 5, "at": "response" } } });
        assert_eq!(filled(template, &values).unwrap(), expected);
        assert_eq!(PARAMETERS[0].json(&values)["value"], 5);
    }

    #[test]
    fn what_is_not_allowed_is_refused_with_what_is() {
        for (wrong, why) in [
            (json!({ "ms": -1 }), "ms must be a whole number from 0 to 600000"),
            (json!({ "ms": "1" }), "ms must be a whole number"),
            (json!({ "at": "never" }), "at must be one of response, request"),
            (json!({ "operation": 1 }), "operation must be a text"),
            (
                json!({ "speed": 1 }),
                "parameter \"speed\" is not known; known are: ms, operation, at",
            ),
        ] {
            let found = values(&PARAMETERS, &given(wrong)).unwrap_err();
            assert!(found.starts_with(why), "{found}");
        }
    }
}

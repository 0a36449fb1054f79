//! `docs/simulator-api.openapi.json`: its operations, and a validator for the keywords of JSON
//! Schema that it uses.

use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Keywords that say something about a value, and those that do not.
const CHECKED: [&str; 11] = [
    "$ref",
    "additionalProperties",
    "const",
    "enum",
    "items",
    "maximum",
    "minimum",
    "oneOf",
    "properties",
    "required",
    "type",
];
const ANNOTATIONS: [&str; 3] = ["default", "description", "format"];

/// The description, and which of its parts were used.
pub(super) struct Description {
    document: Value,
    used: RefCell<BTreeSet<String>>,
}

/// Method and path, as the description and the router write them.
pub(super) type Operation = (String, String);

impl Description {
    pub(super) fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/simulator-api.openapi.json");
        let text = std::fs::read_to_string(path).unwrap();
        Self { document: serde_json::from_str(&text).unwrap(), used: RefCell::default() }
    }

    /// The operations, with what is said of each.
    pub(super) fn operations(&self) -> BTreeMap<Operation, &Value> {
        let paths = self.document["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(move |(method, said)| ((method.to_uppercase(), path.clone()), said))
        });
        operations.collect()
    }

    /// Every status that is described, with its operation.
    pub(super) fn statuses(&self) -> BTreeSet<(Operation, u16)> {
        let statuses = self.operations().into_iter().flat_map(|(operation, said)| {
            let responses = said["responses"].as_object().unwrap().keys();
            let statuses = responses.map(|status| status.parse().unwrap());
            statuses.map(move |status| (operation.clone(), status)).collect::<Vec<_>>()
        });
        statuses.collect()
    }

    /// Whether the operation needs credentials.
    pub(super) fn needs_credentials(&self, operation: &Value) -> bool {
        let security = operation.get("security").unwrap_or(&self.document["security"]);
        !security.as_array().unwrap().is_empty()
    }

    /// Follows a reference, if it is one, and notes that it was used.
    pub(super) fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return value };
        self.used.borrow_mut().insert(reference.to_owned());
        let found = self.document.pointer(reference.strip_prefix('#').unwrap());
        found.unwrap_or_else(|| panic!("{reference} is not there"))
    }

    /// The shared parts that nothing used so far.
    pub(super) fn unused(&self) -> Vec<String> {
        let kinds = ["parameters", "responses", "schemas"].into_iter();
        let parts = kinds.flat_map(|kind| {
            let parts = self.document["components"][kind].as_object().unwrap().keys();
            parts.map(move |part| format!("#/components/{kind}/{part}"))
        });
        parts.filter(|part| !self.used.borrow().contains(part)).collect()
    }

    /// Says where a value differs from a schema.
    pub(super) fn validate(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let keywords = schema.as_object().ok_or(format!("{at}: the schema is not an object"))?;
        for keyword in keywords.keys().map(String::as_str) {
            let known = CHECKED.contains(&keyword) || ANNOTATIONS.contains(&keyword);
            assert!(known, "{at}: the validator does not know {keyword}");
        }
        if keywords.contains_key("$ref") {
            return self.validate(self.resolve(schema), value, at);
        }
        let wrong = |what: &str| Err(format!("{at}: {value} {what}"));
        if let Some(types) = keywords.get("type") {
            let one = std::slice::from_ref(types);
            let types = types.as_array().map_or(one, Vec::as_slice);
            if !types.iter().any(|name| is_of_type(value, name.as_str().unwrap())) {
                return wrong(&format!("is not of the type {types:?}"));
            }
        }
        if keywords.get("const").is_some_and(|only| only != value) {
            return wrong("is not the constant");
        }
        if keywords.get("enum").is_some_and(|all| !all.as_array().unwrap().contains(value)) {
            return wrong("is not one of the enumeration");
        }
        let number = |value: &Value| {
            value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))
        };
        let bound = |keyword| keywords.get(keyword).map(|bound| number(bound).unwrap());
        if let Some(number) = number(value)
            && (bound("minimum").is_some_and(|min| number < min)
                || bound("maximum").is_some_and(|max| number > max))
        {
            return wrong("is out of bounds");
        }
        if let Some(choices) = keywords.get("oneOf") {
            let choices = choices.as_array().unwrap().iter();
            if choices.filter(|one| self.validate(one, value, at).is_ok()).count() != 1 {
                return wrong("is not exactly one of the choices");
            }
            return Ok(());
        }
        if let (Some(schema), Some(items)) = (keywords.get("items"), value.as_array()) {
            for (index, item) in items.iter().enumerate() {
                self.validate(schema, item, &format!("{at}[{index}]"))?;
            }
        }
        value.as_object().map_or(Ok(()), |members| self.validate_members(keywords, members, at))
    }

    fn validate_members(
        &self,
        keywords: &Map<String, Value>,
        members: &Map<String, Value>,
        at: &str,
    ) -> Result<(), String> {
        // Only where the description says so may an object have members that it does not name.
        if keywords.get("additionalProperties") == Some(&Value::Bool(true)) {
            assert!(!keywords.contains_key("properties"), "{at}");
            return Ok(());
        }
        assert_eq!(keywords.get("additionalProperties"), Some(&Value::Bool(false)), "{at}");
        let properties = keywords["properties"].as_object().unwrap();
        for required in keywords["required"].as_array().unwrap() {
            let required = required.as_str().unwrap();
            assert!(properties.contains_key(required), "{at}: {required} has no schema");
            if !members.contains_key(required) {
                return Err(format!("{at}: {required} is missing"));
            }
        }
        for (name, value) in members {
            let schema = properties.get(name).ok_or(format!("{at}: {name} is not described"))?;
            self.validate(schema, value, &format!("{at}.{name}"))?;
        }
        Ok(())
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        other => panic!("the validator does not know the type {other}"),
    }
}

#[test]
fn validator_finds_what_a_schema_does_not_allow() {
    let description = Description::read();
    let schema = serde_json::json!({
        "type": "object",
        "properties": {
            "state": { "oneOf": [{ "enum": ["a", "b"] }, { "type": "null" }] },
            "list": { "type": "array", "items": { "type": "integer", "minimum": 1, "maximum": 2 } },
            "error": { "$ref": "#/components/schemas/Error" },
        },
        "required": ["state"],
        "additionalProperties": false,
    });
    let table = [
        (r#"{"state":"a"}"#, ""),
        (r#"{"state":null,"list":[1,2],"error":{"error":"x"}}"#, ""),
        ("[]", r#"$: [] is not of the type [String("object")]"#),
        (r#"{"list":[]}"#, "$: state is missing"),
        (r#"{"state":"c"}"#, r#"$.state: "c" is not exactly one of the choices"#),
        (r#"{"state":"a","list":[1,3]}"#, "$.list[1]: 3 is out of bounds"),
        (r#"{"state":"a","list":[-1]}"#, "$.list[0]: -1 is out of bounds"),
        (r#"{"state":"a","list":[0]}"#, "$.list[0]: 0 is out of bounds"),
        (
            r#"{"state":"a","list":[1.5]}"#,
            r#"$.list[0]: 1.5 is not of the type [String("integer")]"#,
        ),
        (r#"{"state":"a","more":1}"#, "$: more is not described"),
        (r#"{"state":"a","error":{}}"#, "$.error: error is missing"),
    ];
    for (value, expected) in table {
        let found = description.validate(&schema, &serde_json::from_str(value).unwrap(), "$");
        assert_eq!(found.err().unwrap_or_default(), expected, "{value}");
    }
}

//! A request and its answer as JSON, without knowing any method.
//!
//! ```text
//! {"method":"Name","params":{...},"id":1}  ->  {"id":1,"result":{...}}
//!                                        or    {"error":{"code":500,...},"id":1}
//! ```
//!
//! Answers are compact, their members in alphabetical order: scripts look for `"code":500`.

use crate::state::error::{ElementError, ErrorName};
use serde_json::{Map, Value, json};

/// A request, however it came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    /// What is answered as `id`: a number, a text or null.
    pub(crate) id: Value,
    /// The method, in the client's own spelling.
    pub(crate) method: String,
    /// Its parameters, by name.
    pub(crate) params: Map<String, Value>,
}

/// Error of a request that is not a call, and the `id` to answer it with.
pub(crate) type InvalidCall = (Value, ElementError);

/// Reads the body of a POST. What it was declared as does not matter: clients declare anything.
pub(crate) fn read_body(body: &[u8]) -> Result<Call, InvalidCall> {
    let value = parse(body).map_err(|reason| {
        let message = format!("The body is not JSON: {reason}.");
        (Value::Null, ElementError::new(ErrorName::InvalidRequest, message))
    })?;
    let Value::Object(mut members) = value else {
        let message = "The body is not one JSON object; several calls in one are not supported.";
        return Err((Value::Null, ElementError::new(ErrorName::InvalidRequest, message)));
    };
    let id = members.remove("id").filter(|id| id.is_number() || id.is_string());
    let id = id.unwrap_or(Value::Null);
    let method = match members.remove("method") {
        Some(Value::String(method)) => method,
        Some(_) => return Err((id, wrong_type("method", "a string"))),
        None => return Err((id, ElementError::missing("method"))),
    };
    let params = match members.remove("params") {
        Some(Value::Object(params)) => params,
        Some(Value::Null) | None => Map::new(),
        Some(_) => return Err((id, wrong_type("params", "an object of named parameters"))),
    };
    Ok(Call { id, method, params })
}

/// Reads the GET form, `?method=Name&parameter=value`: every value is a text.
pub(crate) fn read_query(pairs: Vec<(String, String)>) -> Result<Call, InvalidCall> {
    let mut params: Map<String, Value> =
        pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
    match params.remove("method") {
        Some(Value::String(method)) => Ok(Call { id: Value::Null, method, params }),
        Some(_) | None => Err((Value::Null, ElementError::missing("method"))),
    }
}

/// The answer to a call that was done.
#[must_use]
pub(crate) fn success(id: Value, result: Value, unused: Map<String, Value>) -> String {
    let mut answer = Map::new();
    answer.insert("id".into(), id);
    answer.insert("result".into(), result);
    if !unused.is_empty() {
        answer.insert("unusedParameters".into(), unused.into());
    }
    Value::Object(answer).to_string()
}

/// The answer to a call that was not done. The code is 500 for all that the system finds itself;
/// 400 would make the Python SDK raise another kind of error.
#[must_use]
pub(crate) fn failure(id: &Value, error: &ElementError) -> String {
    let ElementError { name, message } = error;
    failure_json(id, error_json(name.text(), message))
}

/// An error as an answer has it.
#[must_use]
pub(crate) fn error_json(name: &str, message: &str) -> Value {
    json!({ "code": 500, "message": message, "name": name })
}

/// The answer to a call that was not done, with this error.
#[must_use]
pub(crate) fn failure_json(id: &Value, error: Value) -> String {
    json!({ "error": error, "id": id }).to_string()
}

fn wrong_type(member: &str, expected: &str) -> ElementError {
    let message = format!("Member {member} must be {expected}.");
    ElementError::new(ErrorName::InvalidParameterType, message)
}

/// JSON, or JSON with line breaks inside its strings: people paste certificates as they are, and
/// Element is known to take them.
fn parse(body: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(body).or_else(|strict| {
        let lenient = escape_controls(body).ok_or(strict)?;
        serde_json::from_slice(&lenient)
    })
}

/// Escapes line breaks and tabs that stand inside strings; `None` when there are none.
fn escape_controls(body: &[u8]) -> Option<Vec<u8>> {
    let mut escaped = Vec::with_capacity(body.len());
    let (mut in_string, mut after_backslash, mut changed) = (false, false, false);
    for byte in body {
        let control = match byte {
            b'\n' => Some(b"\\n"),
            b'\r' => Some(b"\\r"),
            b'\t' => Some(b"\\t"),
            _ => None,
        };
        match control {
            Some(escape) if in_string && !after_backslash => {
                escaped.extend_from_slice(escape);
                changed = true;
            }
            Some(_) | None => escaped.push(*byte),
        }
        if *byte == b'"' && !after_backslash {
            in_string = !in_string;
        }
        after_backslash = in_string && *byte == b'\\' && !after_backslash;
    }
    changed.then_some(escaped)
}

#[cfg(test)]
mod tests {
    use super::{Call, failure, read_body, read_query, success};
    use crate::state::error::ElementError;
    use serde_json::{Map, Value, json};

    fn call(id: Value, method: &str, params: Value) -> Call {
        let Value::Object(params) = params else { panic!("params") };
        Call { id, method: method.into(), params }
    }

    #[test]
    fn every_client_s_way_to_call_is_understood() {
        let table = [
            // Python SDK, with the blanks of json.dumps.
            (r#"{"method": "GetAPI", "id": 0, "params": {}}"#, call(json!(0), "GetAPI", json!({}))),
            // Java SDK: no params, and a member that is not ours.
            (r#"{"id":7,"method":"GetAPI","json-rpc":"2.0"}"#, call(json!(7), "GetAPI", json!({}))),
            // Go SDK.
            (r#"{"method":"M","id":1,"params":null}"#, call(json!(1), "M", json!({}))),
            // Cinder and Terraform: no id. Puppet: a text.
            (r#"{"method":"M","params":{"a":1}}"#, call(Value::Null, "M", json!({"a": 1}))),
            (r#"{"method":"M","id":"puppet-123"}"#, call(json!("puppet-123"), "M", json!({}))),
            (r#"{"method":"M","id":null}"#, call(Value::Null, "M", json!({}))),
            (r#"{"method":"M","id":{}}"#, call(Value::Null, "M", json!({}))),
            // A certificate pasted as it is, and text around it that must stay as it is.
            (
                "{\"method\":\"M\",\n\t\"params\":{\"pem\":\"a\nb\r\n\",\"q\":\"\\\"\\\\\"}}",
                call(Value::Null, "M", json!({"pem": "a\nb\r\n", "q": "\"\\"})),
            ),
        ];
        for (body, expected) in table {
            assert_eq!(read_body(body.as_bytes()).unwrap(), expected, "{body}");
        }
        let pairs = vec![("method".into(), "M".into()), ("a".into(), "1".into())];
        assert_eq!(read_query(pairs).unwrap(), call(Value::Null, "M", json!({"a": "1"})));
    }

    #[test]
    fn what_is_not_a_call_is_named() {
        let deep = "[".repeat(1000);
        let table = [
            ("", "null", "xInvalidRequest: The body is not JSON: "),
            ("\u{0}\u{1}", "null", "xInvalidRequest: The body is not JSON: "),
            (deep.as_str(), "null", "xInvalidRequest: The body is not JSON: recursion limit"),
            ("[]", "null", "xInvalidRequest: The body is not one JSON object"),
            (r#"{"id":3}"#, "3", "xMissingParameter: Missing member=[method]"),
            (r#"{"id":3,"method":4}"#, "3", "xInvalidParameterType: Member method must be"),
            (r#"{"id":3,"method":"M","params":[1]}"#, "3", "xInvalidParameterType: Member params"),
        ];
        for (body, id, expected) in table {
            let (found, error) = read_body(body.as_bytes()).unwrap_err();
            assert_eq!(found.to_string(), id, "{body}");
            assert!(error.to_string().starts_with(expected), "{body}: {error}");
        }
    }

    #[test]
    fn answers_are_compact_and_sorted() {
        assert_eq!(success(json!(3), json!({}), Map::new()), r#"{"id":3,"result":{}}"#);
        let unused = Map::from_iter([("b".to_owned(), json!(1))]);
        assert_eq!(
            success(Value::Null, json!({"z": 1, "a": [2]}), unused),
            r#"{"id":null,"result":{"a":[2],"z":1},"unusedParameters":{"b":1}}"#
        );
        assert_eq!(
            failure(&json!("x"), &ElementError::missing("name")),
            concat!(
                r#"{"error":{"code":500,"message":"Missing member=[name]","#,
                r#""name":"xMissingParameter"},"id":"x"}"#
            )
        );
    }
}

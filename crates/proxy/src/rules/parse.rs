//! Rules from TOML and JSON: unknown fields are refused, with the line and what is allowed.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::rule::Rule;

/// Rules that cannot be used, with the reason.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct RuleError(pub(crate) String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    #[serde(default)]
    rule: Vec<toml::Spanned<Rule>>,
}

/// Reads a file of rules, `[[rule]]` each.
pub(crate) fn parse_file(path: &std::path::Path) -> Result<Vec<Rule>, RuleError> {
    let wrong = |why: String| RuleError(format!("rules {}: {why}", path.display()));
    let bytes = support::small_files::read(path).map_err(|why| wrong(why.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
    parse_toml(&text).map_err(|RuleError(why)| wrong(why))
}

/// Reads rules from TOML.
pub(crate) fn parse_toml(text: &str) -> Result<Vec<Rule>, RuleError> {
    let file: RulesFile = toml::from_str(text).map_err(|why| {
        let line = why.span().map(|span| line_of(text, span.start));
        match line {
            Some(line) => RuleError(format!("line {line}: {}", one_line(why.message()))),
            None => RuleError(one_line(why.message())),
        }
    })?;
    let mut names = BTreeSet::new();
    let mut rules = Vec::new();
    for spanned in file.rule {
        let line = line_of(text, spanned.span().start);
        let rule = spanned.into_inner();
        let at = |why| RuleError(format!("line {line}: rule {:?}: {why}", rule.name));
        rule.check().map_err(at)?;
        if !names.insert(rule.name.clone()) {
            return Err(at("another rule has this name".to_owned()));
        }
        rules.push(rule);
    }
    Ok(rules)
}

/// Reads one rule from JSON.
pub(crate) fn parse_json(text: &[u8]) -> Result<Rule, RuleError> {
    // serde_json names the line and the column in its text.
    let rule: Rule = serde_json::from_slice(text).map_err(|why| RuleError(why.to_string()))?;
    rule.check().map_err(|why| RuleError(format!("rule {:?}: {why}", rule.name)))?;
    Ok(rule)
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or(text);
    before.matches('\n').count().saturating_add(1)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{parse_json, parse_toml};

    const RULE: &str = "[[rule]]\nname = \"a\"\noperation = [\"Re-key\", \"create\"]\n";

    #[test]
    fn same_rule_is_read_from_toml_and_from_json() {
        let toml = format!("{RULE}from = 2\naction = {{ delay = {{ ms = 5 }} }}\n");
        let json = br#"{"name": "a", "operation": ["ReKey", "Create"], "from": 2,
            "action": {"delay": {"ms": 5, "at": "request"}}}"#;
        let rule = parse_json(json).unwrap();
        assert_eq!(parse_toml(&toml).unwrap(), std::slice::from_ref(&rule));
        let written = serde_json::to_vec(&rule).unwrap();
        assert_eq!(parse_json(&written).unwrap(), rule);
    }

    #[test]
    fn wrong_rule_is_refused_with_the_line_and_what_is_allowed() {
        let rows = [
            ("operatoin = \"Get\"\naction = \"forget\"", "line 4: unknown field `operatoin`, exp"),
            ("action = \"sleep\"", "line 4: unknown variant `sleep`, expected one of `delay`"),
            (
                "action = { delay = { ms = 5, up = 1 } }",
                "line 4: unexpected keys in table: up, available keys: ms, at",
            ),
            ("from = 0\naction = \"forget\"", "line 1: rule \"a\": from must be 1 or more"),
            ("times = 0\naction = \"forget\"", "times must be 1 or more"),
            ("probability = 0.5\naction = \"forget\"", "probability needs a seed"),
            ("seed = 1\nprobability = 1.5\naction = \"forget\"", "between 0 and 1"),
            ("action = { replica-lag = {} }", "either ms or messages"),
            ("action = { too-large = { bytes = 0 } }", "bytes must be between 1 and"),
            ("action = { fail = { reason = \"Tired\" } }", "unknown reason \"Tired\", expected on"),
            ("action = { personality = \"only-3.0\" }", "unknown variant `only-3.0`, expected"),
            ("action = { succeed = { payload = \"<Get/>\" } }", "payload cannot be read"),
            ("action = { version = { version = \"x\" } }", "is not a version"),
            ("action = { corrupt-length = { by = 0 } }", "by must not be 0"),
            ("action = \"forget\"\nobject = 1", "line 5: invalid type: integer"),
        ];
        for (lines, expected) in rows {
            let error = parse_toml(&format!("{RULE}{lines}\n")).unwrap_err().to_string();
            assert!(error.contains(expected), "{lines}: {error}");
        }
        let twice = format!("{RULE}action = \"forget\"\n").repeat(2);
        let error = parse_toml(&twice).unwrap_err().to_string();
        assert!(error.contains("another rule has this name"), "{error}");
        let error = parse_json(b"{\"name\": \"a\", \"acton\": 1}").unwrap_err().to_string();
        assert!(error.contains("unknown field `acton`, expected one of `name`"), "{error}");
    }

    #[test]
    fn action_that_changes_nothing_of_the_operation_is_refused() {
        let text = "[[rule]]\nname = \"a\"\noperation = \"Destroy\"\naction = { key-bytes = {} }";
        let error = parse_toml(text).unwrap_err().to_string();
        assert!(error.contains("the action has nothing to change in Destroy"), "{error}");
    }
}

//! A run as JSON, which `kmip-conformance docs` reads again.

use kmip::Version;
use serde_json::{Value, json};

use crate::run::{Failure, Outcome, Verdict};

/// The report.
pub fn report(server: &str, outcomes: &[Outcome]) -> String {
    let cases: Vec<Value> = outcomes.iter().map(case).collect();
    let whole = json!({ "server": server, "cases": cases });
    // A value of strings and numbers is always written.
    serde_json::to_string_pretty(&whole).unwrap_or_default()
}

fn case(outcome: &Outcome) -> Value {
    let (verdict, why) = match &outcome.verdict {
        Verdict::Held => ("held", Value::Null),
        Verdict::OtherPolicy(policy) => ("other policy", json!(policy.name())),
        Verdict::NotRun(why) => ("not run", json!(why)),
        Verdict::Failed(failures) => {
            ("failed", json!(failures.iter().map(failure).collect::<Vec<_>>()))
        }
    };
    json!({
        "name": outcome.name,
        "version": outcome.version.to_string(),
        "profile": outcome.profile,
        "mandatory": outcome.mandatory,
        "operations": outcome.operations,
        "steps": outcome.steps,
        "milliseconds": u64::try_from(outcome.duration.as_millis()).unwrap_or(u64::MAX),
        "verdict": verdict,
        "why": why,
    })
}

fn failure(failure: &Failure) -> Value {
    let findings = failure
        .findings
        .iter()
        .map(|finding| json!({ "path": finding.path, "what": finding.what, "rule": finding.rule }));
    json!({
        "step": failure.step,
        "operations": failure.operations,
        "findings": findings.collect::<Vec<_>>(),
        "request": failure.request,
        "expected": failure.expected,
        "actual": failure.actual,
    })
}

/// One case of a report, as it is read again.
#[derive(Clone, Debug)]
pub struct Row {
    /// The case.
    pub(crate) name: String,
    /// The version that it speaks.
    pub(crate) version: Version,
    /// The profile that it belongs to.
    pub(crate) profile: String,
    /// The operations that it asks for.
    pub(crate) operations: Vec<String>,
    /// What became of it: `held`, `failed`, `not run` or `other policy`.
    pub(crate) verdict: String,
    /// The first thing that was wrong.
    pub(crate) why: String,
}

/// Reads a report again.
pub fn read(text: &str) -> Result<Vec<Row>, String> {
    let whole: Value = serde_json::from_str(text).map_err(|why| why.to_string())?;
    let cases = whole.get("cases").and_then(Value::as_array).ok_or("it is no report of a run")?;
    cases
        .iter()
        .map(|case| row(case).ok_or_else(|| "a case of it is not whole".to_owned()))
        .collect()
}

fn row(case: &Value) -> Option<Row> {
    let text = |name: &str| case.get(name).and_then(Value::as_str);
    let (major, minor) = text("version")?.split_once('.')?;
    let version = Version { major: major.parse().ok()?, minor: minor.parse().ok()? };
    let operations = case.get("operations")?.as_array()?.iter();
    let why = match case.get("why") {
        Some(Value::String(why)) => why.clone(),
        Some(Value::Array(failures)) => first(failures).unwrap_or_default(),
        _ => String::new(),
    };
    Some(Row {
        name: text("name")?.to_owned(),
        version,
        profile: text("profile")?.to_owned(),
        operations: operations.filter_map(Value::as_str).map(str::to_owned).collect(),
        verdict: text("verdict")?.to_owned(),
        why,
    })
}

/// The first finding of the first failure.
fn first(failures: &[Value]) -> Option<String> {
    let failure = failures.first()?;
    let finding = failure.get("findings")?.as_array()?.first()?;
    let text = |name: &str| finding.get(name).and_then(Value::as_str);
    let (operations, step) = (failure.get("operations")?.as_str()?, failure.get("step")?);
    Some(format!("step {step} ({operations}), {}: {}", text("path")?, text("what")?))
}

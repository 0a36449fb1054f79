//! How a rekey ends, or that it waits.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::case::{Case, Frequency};
use crate::fixture::{Fixture, TIMEOUT};
use crate::lie::RULE;

/// Between two looks at a rekey.
const POLL: Duration = Duration::from_millis(10);

/// Changed answers after which a rekey that is past its last proof, or is not answered, waits.
const REPEATED: u64 = 4;

/// Changed answers after which any rekey waits: more than five attempts need, after which one that
/// is refused is given up.
const REPEATED_LONG: u64 = 30;

/// How a rekey ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Success: the old key is destroyed.
    Success,
    /// Success, with the warning that the destruction of the old key is not confirmed.
    NotConfirmed,
    /// The rekey was given up.
    Error,
    /// It waits, and says what for.
    Waits,
}

impl Outcome {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::NotConfirmed => "not confirmed",
            Self::Error => "error",
            Self::Waits => "waits",
        }
    }

    /// The outcome of a rekey that has ended, and the text that explains it.
    pub(crate) fn of(result: &Value) -> Option<(Self, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if result["status"] != json!("complete") {
            return None;
        }
        if result["error"] != Value::Null {
            return Some((Self::Error, text(&result["error"]["message"])));
        }
        let warning = &result["result"]["warning"];
        let outcome = if *warning == Value::Null { Self::Success } else { Self::NotConfirmed };
        Some((outcome, text(warning)))
    }
}

/// Waits until the rekey has ended or, if all its answers are changed, is seen to wait.
pub(crate) fn wait_for(
    fixture: &Fixture,
    case: &Case,
    handle: &Value,
) -> Result<(Outcome, String), String> {
    let (begun, mut fired_at_first) = (Instant::now(), None);
    loop {
        let result = fixture.async_result(handle);
        if let Some(ended) = Outcome::of(&result) {
            return Ok(ended);
        }
        let details = &result["details"];
        if case.frequency == Frequency::Always
            && let Some(reason) = details["waitingFor"].as_str()
        {
            let fired = fixture.proxy(case.server).fired(RULE);
            let first = *fired_at_first.get_or_insert(fired);
            let is_late = details["state"] == json!("DecommissionOldMasterKey");
            let needed = if is_late || case.lie.is_silence() { REPEATED } else { REPEATED_LONG };
            if fired >= first + needed {
                return Ok((Outcome::Waits, reason.to_owned()));
            }
        }
        if begun.elapsed() > TIMEOUT {
            return Err(format!("the rekey neither ends nor waits: {result}"));
        }
        std::thread::sleep(POLL);
    }
}

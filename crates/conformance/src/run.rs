//! Runs cases against a server, one after another, and cleans up after each.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kmip::Version;
use kmip::encoding::Element;

use crate::bindings::Bindings;
use crate::case::{Case, Step, items};
use crate::cleanup;
use crate::compare::{ExpectedResponse, Finding, SentRequest, compare_response};
use crate::prerequisites::{self, Prerequisite, SeedPolicy};
use crate::server_objects::ServerObjects;
use crate::transport::{Connection, Server};

/// How a run is to be done.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What the server does with a seed; when it is not said, the case that holds says it.
    pub seed: Option<SeedPolicy>,
    /// Put before every test identifier (V18), so that names of earlier runs are not met.
    pub prefix: Option<String>,
    /// Destroy what a case would meet that it has not made.
    pub destroy_leftovers: bool,
}

/// What became of a case.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The case.
    pub(crate) name: String,
    /// The version that it speaks.
    pub version: Version,
    /// The profile that it belongs to.
    pub profile: String,
    /// Is it one of those that a server must pass?
    pub(crate) mandatory: bool,
    /// The operations that it asks for.
    pub(crate) operations: Vec<String>,
    /// How many steps it has.
    pub(crate) steps: usize,
    /// How long it took.
    pub(crate) duration: Duration,
    /// What became of it.
    pub verdict: Verdict,
}

/// Whether a case holds.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Every answer is as it must be.
    Held,
    /// Some are not.
    Failed(Vec<Failure>),
    /// It could not be run, for this reason.
    NotRun(String),
    /// It is for servers of another policy, of which the one who runs it or another case said
    /// that this server has it not.
    OtherPolicy(SeedPolicy),
}

/// An answer that is not as it must be. The messages are text, with secrets hidden.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The step, from zero as OASIS counts them.
    pub(crate) step: usize,
    /// The operations of the step.
    pub(crate) operations: String,
    /// What is not the same.
    pub(crate) findings: Vec<Finding>,
    /// What was sent.
    pub(crate) request: String,
    /// What should have come.
    pub(crate) expected: String,
    /// What came; nothing when there was no answer.
    pub(crate) actual: String,
}

impl Verdict {
    /// Has the case failed, or not been run?
    pub(crate) const fn is_bad(&self) -> bool {
        match self {
            Self::Held | Self::OtherPolicy(_) => false,
            Self::Failed(_) | Self::NotRun(_) => true,
        }
    }
}

/// Runs the cases that `wanted` selects; `on_outcome` is called after each.
pub fn run(
    server: &Server,
    all: &[Case],
    wanted: &dyn Fn(&Case) -> bool,
    settings: &Settings,
    on_outcome: &mut dyn FnMut(&Outcome),
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut objects = ServerObjects::default();
    // The case whose objects are still there for the next.
    let mut kept: Option<&Case> = None;
    for (at, case) in all.iter().enumerate().filter(|(_, case)| wanted(case)) {
        let begun = Instant::now();
        let mut runner = Runner { server, settings, objects: &mut objects };
        let verdict = match runner.prepare(all, case, kept) {
            Ok(()) => runner.case(case),
            Err(verdict) => verdict,
        };
        let next = all.get(at.saturating_add(1)..).unwrap_or_default();
        let is_followed = next.iter().find(|next| wanted(next)).is_some_and(|next| {
            let after = prerequisites::find(next);
            matches!(after, Some(Prerequisite::After(first)) if first == case.base())
                && next.version == case.version
        });
        kept = is_followed.then_some(case);
        if !is_followed {
            cleanup::destroy_created(server, case.version, &mut objects);
        }
        let outcome = Outcome {
            name: case.name.clone(),
            version: case.version,
            profile: case.profile.clone(),
            mandatory: case.mandatory,
            operations: case.operations(),
            steps: case.steps.len(),
            duration: begun.elapsed(),
            verdict,
        };
        on_outcome(&outcome);
        outcomes.push(outcome);
    }
    if settings.seed.is_none() {
        resolve_exclusive_policies(all, &mut outcomes);
    }
    outcomes
}

/// Where one of several exclusive cases holds, the others are for servers of another policy.
fn resolve_exclusive_policies(all: &[Case], outcomes: &mut [Outcome]) {
    let policy = |name: &str| {
        let case = all.iter().find(|case| case.name == name)?;
        match prerequisites::find(case)? {
            Prerequisite::Seed(policy) => Some(policy),
            Prerequisite::After(_) | Prerequisite::Https(_) | Prerequisite::Tls13 => None,
        }
    };
    let held: Vec<(Version, bool)> = outcomes
        .iter()
        .filter(|outcome| matches!(outcome.verdict, Verdict::Held))
        .filter(|outcome| policy(&outcome.name).is_some())
        .map(|outcome| (outcome.version, outcome.mandatory))
        .collect();
    for outcome in outcomes.iter_mut().filter(|outcome| outcome.verdict.is_bad()) {
        if let Some(policy) = policy(&outcome.name)
            && held.contains(&(outcome.version, outcome.mandatory))
        {
            outcome.verdict = Verdict::OtherPolicy(policy);
        }
    }
}

struct Runner<'a> {
    server: &'a Server,
    settings: &'a Settings,
    objects: &'a mut ServerObjects,
}

impl Runner<'_> {
    /// Meets the prerequisites of a case, and checks that no leftovers disturb it.
    fn prepare(&mut self, all: &[Case], case: &Case, kept: Option<&Case>) -> Result<(), Verdict> {
        match prerequisites::find(case) {
            Some(Prerequisite::After(first)) => {
                if kept.is_some_and(|kept| kept.base() == first && kept.version == case.version) {
                    return Ok(());
                }
                let first =
                    all.iter().find(|other| other.base() == first && other.version == case.version);
                let first = first.ok_or_else(|| {
                    Verdict::NotRun("the case that must go before it is not here".to_owned())
                })?;
                self.check_leftovers(first)?;
                match self.case(first) {
                    Verdict::Held => Ok(()),
                    Verdict::Failed(_) | Verdict::NotRun(_) | Verdict::OtherPolicy(_) => {
                        let why = format!("{} must go before it, and failed", first.name);
                        Err(Verdict::NotRun(why))
                    }
                }
            }
            Some(Prerequisite::Seed(policy))
                if self.settings.seed.is_some_and(|on_outcome| on_outcome != policy) =>
            {
                Err(Verdict::OtherPolicy(policy))
            }
            Some(Prerequisite::Seed(_) | Prerequisite::Https(_) | Prerequisite::Tls13) | None => {
                self.check_leftovers(case)
            }
        }
    }

    /// Checks that no search of a case finds an object that the case has not created.
    fn check_leftovers(&mut self, case: &Case) -> Result<(), Verdict> {
        let case = self.prefix_identifiers(case);
        let found = cleanup::leftovers(self.server, &case);
        if found.is_empty() {
            return Ok(());
        }
        if self.settings.destroy_leftovers {
            cleanup::destroy(self.server, case.version, &found);
            if cleanup::leftovers(self.server, &case).is_empty() {
                return Ok(());
            }
        }
        Err(Verdict::NotRun(format!(
            "it would meet {} objects that it has not made: destroy them, give another client's \
             certificate, or say --prefix or --destroy-leftovers",
            found.len()
        )))
    }

    fn case(&mut self, case: &Case) -> Verdict {
        let case = self.prefix_identifiers(case);
        let encoding = match prerequisites::find(&case) {
            Some(Prerequisite::Https(encoding)) => Some(encoding),
            Some(Prerequisite::After(_) | Prerequisite::Seed(_) | Prerequisite::Tls13) | None => {
                None
            }
        };
        let mut connection = match self.server.open(encoding) {
            Ok(connection) => connection,
            Err(why) => return Verdict::NotRun(why.to_string()),
        };
        if prerequisites::find(&case) == Some(Prerequisite::Tls13) && !connection.is_tls13() {
            return Verdict::NotRun("the server does not speak TLS 1.3".to_owned());
        }
        let mut bindings = Bindings::default();
        let mut failures = Vec::new();
        for (number, step) in case.steps.iter().enumerate() {
            match self.step(&case, step, &mut connection, &mut bindings) {
                Ok(None) => {}
                Ok(Some(failure)) => failures.push(Failure { step: number, ..failure }),
                Err(failure) => {
                    failures.push(Failure { step: number, ..*failure });
                    break;
                }
            }
        }
        match failures.is_empty() {
            true => Verdict::Held,
            false => Verdict::Failed(failures),
        }
    }

    /// One request and its answer. The error is a step after which none can follow.
    fn step(
        &mut self,
        case: &Case,
        step: &Step,
        connection: &mut Connection,
        bindings: &mut Bindings,
    ) -> Result<Option<Failure>, Box<Failure>> {
        let operations: Vec<&str> =
            items(&step.request).filter_map(|item| item.child("Operation")?.text()).collect();
        let mut failure = Failure {
            step: 0,
            operations: operations.join(" "),
            findings: Vec::new(),
            request: String::new(),
            expected: String::new(),
            actual: String::new(),
        };
        let stop = |mut failure: Failure, path: &str, what: String| {
            let rule = "4: the messages of a case follow each other".to_owned();
            failure.findings.push(Finding { path: path.to_owned(), what, rule });
            Box::new(failure)
        };
        let expected = match ExpectedResponse::new(&step.response) {
            Ok(expected) => expected,
            Err(why) => return Err(stop(failure, "the case", why.to_string())),
        };
        failure.expected = text_of(expected.message());
        bindings.set_now(now());
        let filled = match bindings.resolve(&step.request) {
            Ok(filled) => filled,
            Err(symbol) => {
                let what = format!("{symbol} was not answered before, so it cannot be sent");
                return Err(stop(failure, "the request", what));
            }
        };
        let sent = filled.to_ttlv().and_then(|ttlv| Element::from_ttlv(&ttlv));
        let sent = match sent {
            Ok(sent) => sent,
            Err(why) => return Err(stop(failure, "the request", why.to_string())),
        };
        failure.request = text_of(&sent);
        let actual = match connection.exchange(&sent) {
            Ok(actual) => actual,
            Err(why) => return Err(stop(failure, "the answer", why.to_string())),
        };
        let asked = SentRequest { case, printed: &step.request, sent: &sent };
        failure.findings = compare_response(&asked, &expected, &actual, bindings, self.objects);
        failure.actual = text_of(&actual);
        Ok((!failure.findings.is_empty()).then_some(failure))
    }

    fn prefix_identifiers(&self, case: &Case) -> Case {
        match &self.settings.prefix {
            Some(prefix) => cleanup::prefix_identifiers(case, prefix),
            None => case.clone(),
        }
    }
}

/// A message as text, with secrets hidden.
fn text_of(message: &Element) -> String {
    match message.to_ttlv() {
        Ok(ttlv) => kmip::redacted_text(&ttlv).to_string(),
        Err(why) => why.to_string(),
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

//! Runs cases against a server, one after another, and tidies up behind each.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kmip::Version;
use kmip::encoding::Element;

use crate::bindings::Bindings;
use crate::case::{Case, Step, items};
use crate::cleanup;
use crate::compare::{Asked, Expected, Finding, message};
use crate::prerequisites::{self, Need, SeedPolicy};
use crate::server_objects::Objects;
use crate::transport::{Door, Server};

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
    pub name: String,
    /// The version that it speaks.
    pub version: Version,
    /// The profile that it belongs to.
    pub profile: String,
    /// Is it one of those that a server must pass?
    pub mandatory: bool,
    /// The operations that it asks for.
    pub operations: Vec<String>,
    /// How many steps it has.
    pub steps: usize,
    /// How long it took.
    pub took: Duration,
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
    pub step: usize,
    /// The operations of the step.
    pub operations: String,
    /// What is not the same.
    pub findings: Vec<Finding>,
    /// What was sent.
    pub request: String,
    /// What should have come.
    pub expected: String,
    /// What came; nothing when there was no answer.
    pub actual: String,
}

impl Verdict {
    /// Has the case failed, or not been run?
    pub const fn is_bad(&self) -> bool {
        match self {
            Self::Held | Self::OtherPolicy(_) => false,
            Self::Failed(_) | Self::NotRun(_) => true,
        }
    }
}

/// Runs those of `all` that `wanted` takes; `told` hears of each when it is done.
pub fn run(
    server: &Server,
    all: &[Case],
    wanted: &dyn Fn(&Case) -> bool,
    settings: &Settings,
    told: &mut dyn FnMut(&Outcome),
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut objects = Objects::default();
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
            let after = prerequisites::of(next);
            matches!(after, Some(Need::After(first)) if first == case.base())
                && next.version == case.version
        });
        kept = is_followed.then_some(case);
        if !is_followed {
            cleanup::tidy(server, case.version, &mut objects);
        }
        let outcome = Outcome {
            name: case.name.clone(),
            version: case.version,
            profile: case.profile.clone(),
            mandatory: case.mandatory,
            operations: case.operations(),
            steps: case.steps.len(),
            took: begun.elapsed(),
            verdict,
        };
        told(&outcome);
        outcomes.push(outcome);
    }
    if settings.seed.is_none() {
        settle_policies(all, &mut outcomes);
    }
    outcomes
}

/// Where one of several exclusive cases holds, the others are for servers of another policy.
fn settle_policies(all: &[Case], outcomes: &mut [Outcome]) {
    let policy = |name: &str| {
        let case = all.iter().find(|case| case.name == name)?;
        match prerequisites::of(case)? {
            Need::Seed(policy) => Some(policy),
            Need::After(_) | Need::Https(_) | Need::Tls13 => None,
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
    objects: &'a mut Objects,
}

impl Runner<'_> {
    /// Sees that a case finds what it needs, and nothing that it does not.
    fn prepare(&mut self, all: &[Case], case: &Case, kept: Option<&Case>) -> Result<(), Verdict> {
        match prerequisites::of(case) {
            Some(Need::After(first)) => {
                if kept.is_some_and(|kept| kept.base() == first && kept.version == case.version) {
                    return Ok(());
                }
                let first =
                    all.iter().find(|other| other.base() == first && other.version == case.version);
                let first = first.ok_or_else(|| {
                    Verdict::NotRun("the case that must go before it is not here".to_owned())
                })?;
                self.undisturbed(first)?;
                match self.case(first) {
                    Verdict::Held => Ok(()),
                    Verdict::Failed(_) | Verdict::NotRun(_) | Verdict::OtherPolicy(_) => {
                        let why = format!("{} must go before it, and failed", first.name);
                        Err(Verdict::NotRun(why))
                    }
                }
            }
            Some(Need::Seed(policy)) if self.settings.seed.is_some_and(|told| told != policy) => {
                Err(Verdict::OtherPolicy(policy))
            }
            Some(Need::Seed(_) | Need::Https(_) | Need::Tls13) | None => self.undisturbed(case),
        }
    }

    /// Sees that no search of a case finds what the case has not made.
    fn undisturbed(&mut self, case: &Case) -> Result<(), Verdict> {
        let case = self.prefixed(case);
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
        let case = self.prefixed(case);
        let encoding = match prerequisites::of(&case) {
            Some(Need::Https(encoding)) => Some(encoding),
            Some(Need::After(_) | Need::Seed(_) | Need::Tls13) | None => None,
        };
        let mut door = match self.server.open(encoding) {
            Ok(door) => door,
            Err(why) => return Verdict::NotRun(why.to_string()),
        };
        if prerequisites::of(&case) == Some(Need::Tls13) && !door.is_tls13() {
            return Verdict::NotRun("the server does not speak TLS 1.3".to_owned());
        }
        let mut bindings = Bindings::default();
        let mut failures = Vec::new();
        for (number, step) in case.steps.iter().enumerate() {
            match self.step(&case, step, &mut door, &mut bindings) {
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
        door: &mut Door,
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
        let expected = match Expected::new(&step.response) {
            Ok(expected) => expected,
            Err(why) => return Err(stop(failure, "the case", why.to_string())),
        };
        failure.expected = text_of(expected.message());
        bindings.set_now(now());
        let filled = match bindings.fill(&step.request) {
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
        let actual = match door.exchange(&sent) {
            Ok(actual) => actual,
            Err(why) => return Err(stop(failure, "the answer", why.to_string())),
        };
        let asked = Asked { case, printed: &step.request, sent: &sent };
        failure.findings = message(&asked, &expected, &actual, bindings, self.objects);
        failure.actual = text_of(&actual);
        Ok((!failure.findings.is_empty()).then_some(failure))
    }

    fn prefixed(&self, case: &Case) -> Case {
        match &self.settings.prefix {
            Some(prefix) => cleanup::prefixed(case, prefix),
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

//! One case: a file is damaged, the cluster is started, what it does is judged, and the file is put
//! back.

use std::path::{Path, PathBuf};

use crate::checks::{self, Quiet};
use crate::damage::{DamageKind, Plan};
use crate::file_kind::FileKind;
use crate::outcome::Outcome;
use crate::stages::{Route, Stage};
use crate::state::State;

/// What came of a case.
pub(crate) struct Round {
    pub(crate) number: usize,
    pub(crate) state: State,
    pub(crate) file: FileKind,
    pub(crate) damage: DamageKind,
    /// How it ended; none if it could not be brought to an end.
    pub(crate) outcome: Option<Outcome>,
    name: String,
    wrong: Vec<String>,
}

impl Round {
    /// A case that has not begun.
    pub(crate) fn new(number: usize, stage: &Stage, plan: &Plan) -> Self {
        Self {
            number,
            state: stage.state,
            file: plan.kind,
            damage: plan.damage.kind(),
            outcome: None,
            name: format!("case {number}, {}: {plan}", stage.state),
            wrong: Vec::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The test stopped with these words.
    pub(crate) fn stopped(&mut self, why: String) {
        self.wrong.push(why);
    }

    /// What was not as it must be, each with the name of the case.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.wrong.iter().map(|wrong| format!("{}: {wrong}", self.name)).collect()
    }

    /// Whether everything was as it must be.
    pub(crate) fn is_right(&self) -> bool {
        self.wrong.is_empty()
    }

    /// Runs the case, on a cluster that is stopped.
    pub(crate) fn run(&mut self, route: &mut Route, stage: &Stage, plan: &Plan) {
        route.restore(stage);
        plan.apply(&stage.copy);
        let damaged: Vec<_> = plan.files().into_iter().map(|file| bytes(stage, file)).collect();
        match route.fixture.cluster.try_restart() {
            Err(log) => {
                self.outcome = Some(Outcome::Refused);
                self.check_refusal(&log, stage, plan, &damaged);
            }
            Ok(()) => {
                match checks::until_quiet(&route.fixture) {
                    Ok(quiet) => self.judge(route, plan, &quiet),
                    Err(wrong) => self.wrong.push(wrong),
                }
                if self.outcome == Some(Outcome::Readable) {
                    self.check_settled(route);
                    return;
                }
                route.fixture.cluster.kill();
                plan.mend(&stage.copy);
            }
        }
        match route.fixture.cluster.try_restart() {
            Ok(()) => self.check_settled(route),
            Err(log) => self.wrong.push(format!("with the file put back: {}", last_line(&log))),
        }
    }

    /// The last line names the file, and nothing was changed but the lock file.
    fn check_refusal(
        &mut self,
        log: &str,
        stage: &Stage,
        plan: &Plan,
        damaged: &[Option<Vec<u8>>],
    ) {
        let message = last_line(log);
        if !checks::is_named(std::slice::from_ref(&message), plan) {
            self.wrong.push(format!("the refusal does not name the file: {message}"));
        }
        let now: Vec<_> = plan.files().into_iter().map(|file| bytes(stage, file)).collect();
        if now != damaged {
            self.wrong.push(format!("the start is refused, and has written the file: {message}"));
        }
        let is_other = |path: &&PathBuf| {
            let is_lock = path.ends_with("lock");
            !is_lock && !plan.files().contains(&path.as_path())
        };
        for path in stage.copy.restore().iter().filter(is_other) {
            self.wrong.push(format!("the start is refused, and has changed {}", path.display()));
        }
    }

    /// Judges a cluster that has started.
    fn judge(&mut self, route: &Route, plan: &Plan, quiet: &Quiet) {
        let fixture = &route.fixture;
        let (unreadable, wrong) = checks::read(fixture, plan, quiet);
        self.wrong.extend(wrong);
        self.wrong.extend(fixture.account_error());
        for (drive, why) in &quiet.locked {
            if !plan.may_lock(*drive) {
                self.wrong.push(format!("drive {drive} is locked: {why}"));
            }
        }
        let faults = fixture.faults();
        let is_lost = unreadable > 0 || !quiet.locked.is_empty();
        let is_open = quiet.waiting_for.is_some() || !faults.is_empty();
        let outcome = match (is_lost, is_open) {
            (true, _) => Outcome::Lost,
            (false, true) => Outcome::Fault,
            (false, false) => Outcome::Readable,
        };
        self.outcome = Some(outcome);
        if outcome != Outcome::Readable && !checks::is_named(&faults, plan) {
            let Quiet { locked, waiting_for } = quiet;
            self.wrong.push(format!(
                "no fault names the file: {faults:?}, {unreadable} blocks unreadable, locked \
                 {locked:?}, the rekey waits for {waiting_for:?}"
            ));
        }
        if outcome == Outcome::Readable && plan.kind == FileKind::KeyPair {
            self.check_key_pair(route);
        }
        let is_damaged = plan.kind == FileKind::Generation && self.damage != DamageKind::Older;
        if is_damaged && !checks::is_named(&fixture.faults_of("resolved"), plan) {
            self.wrong.push("no fault that is over names the file".to_owned());
        }
        self.wrong.extend(checks::until_none(|| checks::keys_in_use(fixture)));
        fixture.cluster.assert_agreement();
    }

    /// A damage of the private key without a fault must be one that changes nothing.
    fn check_key_pair(&mut self, route: &Route) {
        let params = serde_json::json!({ "keyServerID": 1 });
        if let Err(error) = route.fixture.cluster.try_call("TestKeyServerKmip", &params) {
            self.wrong.push(format!("silent, and the private key is of no use: {error:?}"));
        }
    }

    fn check_settled(&mut self, route: &Route) {
        self.wrong.extend(checks::settled(&route.fixture));
        self.wrong.extend(route.fixture.account_error());
        route.fixture.cluster.assert_agreement();
    }
}

fn bytes(stage: &Stage, file: &Path) -> Option<Vec<u8>> {
    std::fs::read(stage.copy.path.join(file)).ok()
}

fn last_line(log: &str) -> String {
    log.lines().last().unwrap_or_default().to_owned()
}

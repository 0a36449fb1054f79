//! Two clusters that take cases from one list.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use crate::case::Case;
use crate::fixture::Fixture;
use crate::quiet::{all_cases, count, current};
use crate::round::{self, Round};
use crate::selection::Selection;

/// Clusters at once.
const CLUSTERS: usize = 2;

/// Runs the selected cases.
pub(crate) fn run(selection: &Selection) -> Vec<Round> {
    let fixture = Fixture::new();
    let counts = count(&fixture);
    let cases = Mutex::new(selection.choose(all_cases(&counts)));
    let mut first = Some(fixture);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..CLUSTERS)
            .map(|_| {
                let (fixture, cases) = (first.take(), &cases);
                scope.spawn(move || work(fixture, cases))
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

fn work(mut fixture: Option<Fixture>, cases: &Mutex<Vec<Case>>) -> Vec<Round> {
    let mut rounds = Vec::new();
    while let Some(case) = next(fixture.as_ref(), cases) {
        let mut used = fixture.take().unwrap_or_else(Fixture::new);
        let begun = std::time::Instant::now();
        let ran = catch_unwind(AssertUnwindSafe(|| round::run(&mut used, case)));
        let round = ran.unwrap_or_else(|panic| Round::stopped(case, text(panic.as_ref())));
        let outcome = round.outcome.map_or("stopped", |outcome| outcome.name());
        let locked = round.locked;
        println!("{case}: {outcome}, {locked} locked, {} ms", begun.elapsed().as_millis());
        if round.is_right() {
            fixture = Some(used);
        } else {
            // What comes after must not suffer from it.
            println!("{}\n{}", round.violations().join("\n"), used.cluster.log());
        }
        rounds.push(round);
    }
    rounds
}

/// The next case, if there is one that begins where the cluster's key is.
fn next(fixture: Option<&Fixture>, cases: &Mutex<Vec<Case>>) -> Option<Case> {
    let location = fixture.map(|fixture| current(&fixture.state()).0);
    let mut cases = cases.lock().unwrap();
    let place = cases.iter().position(|case| Some(case.direction.start()) == location);
    match place {
        Some(place) => Some(cases.remove(place)),
        None if cases.is_empty() => None,
        None => Some(cases.remove(0)),
    }
}

fn text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic".to_owned())
}

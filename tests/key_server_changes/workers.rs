//! Two clusters that take cases from one list.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use crate::case::Case;
use crate::fixture::{Fixture, current};
use crate::round::{self, Round};

/// Clusters at once.
const CLUSTERS: usize = 2;

/// The waits between two attempts of a cluster, in milliseconds: a test waits for what happens, not
/// for the cluster's patience.
const RETRY_MS: [u64; 2] = [5, 50];

/// Runs the cases.
pub(crate) fn run(cases: Vec<Case>) -> Vec<Round> {
    let cases = Mutex::new(cases);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..CLUSTERS).map(|_| scope.spawn(|| work(&cases))).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

fn work(cases: &Mutex<Vec<Case>>) -> Vec<Round> {
    let (mut fixture, mut rounds) = (None, Vec::new());
    while let Some(case) = next(fixture.as_ref(), cases) {
        let mut used = fixture.take().unwrap_or_else(|| Fixture::new(RETRY_MS));
        let begun = std::time::Instant::now();
        let ran = catch_unwind(AssertUnwindSafe(|| round::run(&mut used, case)));
        let round = ran.unwrap_or_else(|panic| Round::stopped(case, text(panic.as_ref())));
        println!("{case}: {:?}, {} ms", round.seen, begun.elapsed().as_millis());
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
    let place = cases.iter().position(|case| Some(case.route.start) == location);
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

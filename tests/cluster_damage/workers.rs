//! Two clusters, each with its half of the states, at the same time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use harness::Random;

use crate::damage::Plan;
use crate::round::Round;
use crate::stages::{Route, Stage};
use crate::state::State;

/// Runs so many cases, or the one of this number.
pub(crate) fn run(seed: u64, count: usize, only: Option<usize>) -> Vec<Round> {
    let all = State::all();
    let cases_of = |state: State| -> Vec<usize> {
        let cases = (0..count.max(only.map_or(0, |number| number + 1))).filter(|number| {
            all[number % all.len()] == state && only.is_none_or(|only| only == *number)
        });
        cases.collect()
    };
    std::thread::scope(|scope| {
        let workers = State::routes().map(|route| {
            let route: Vec<_> = route.into_iter().map(|state| (state, cases_of(state))).collect();
            scope.spawn(move || work(seed, &route))
        });
        let mut rounds: Vec<_> =
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
        rounds.sort_by_key(|round| round.number);
        rounds
    })
}

/// Leads a cluster through its states, and runs the cases of each.
fn work(seed: u64, states: &[(State, Vec<usize>)]) -> Vec<Round> {
    let mut rounds = Vec::new();
    if states.iter().all(|(_, cases)| cases.is_empty()) {
        return rounds;
    }
    let mut route = Route::new(states[0].0);
    for (state, cases) in states {
        let begun = Instant::now();
        let stage = route.stage(*state);
        println!("{state}: reached in {} ms", begun.elapsed().as_millis());
        for number in cases {
            let mut random = Random::new(seed, *number);
            rounds.push(case(*number, &mut random, &mut route, &stage));
        }
        route.restore(&stage);
    }
    rounds
}

fn case(number: usize, random: &mut Random, route: &mut Route, stage: &Stage) -> Round {
    let plan = Plan::draw(random, stage);
    let mut round = Round::new(number, stage, &plan);
    let begun = Instant::now();
    let ran = catch_unwind(AssertUnwindSafe(|| round.run(route, stage, &plan)));
    if let Err(panic) = ran {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        round.stopped(text.unwrap_or_else(|| "a panic".to_owned()));
    }
    let outcome = round.outcome.map_or("stopped", |outcome| outcome.name());
    println!("{}: {outcome}, {} ms", round.name(), begun.elapsed().as_millis());
    if !round.is_right() {
        println!("{}\n{}", round.violations().join("\n"), route.fixture.cluster.log());
    }
    round
}

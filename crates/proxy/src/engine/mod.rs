//! Which rules act on a message, and what becomes of it. No socket and no clock: the time is
//! passed in, so that every decision can be repeated.

mod batch;
mod exchange;
mod object_log;
mod past_answers;
mod request;
mod response;
mod state;
mod whole_message;

#[cfg(test)]
mod tests;

pub(crate) use exchange::{Clock, Connection, End, Exchange, Outcome};
pub(crate) use state::{Engine, RuleCounts, Taken};

//! Rules: their form in TOML and JSON, and which messages they match.

mod action;
mod concern;
mod live_rule;
mod names;
mod parse;
mod random;
mod rule;

pub(crate) use action::{
    Action, Direction, KeyChange, LagScope, Personality, Reason, StateName, TagName, Template,
    VersionText,
};
pub(crate) use concern::creates;
pub(crate) use live_rule::{Asked, LiveRule};
#[cfg(test)]
pub(crate) use parse::parse_toml;
pub(crate) use parse::{parse_file, parse_json};
pub(crate) use random::Random;
pub(crate) use rule::Rule;

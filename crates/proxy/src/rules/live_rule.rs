//! A rule in use: how often it matched and how often it acted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kmip::Version;
use kmip::vocabulary::Operation;

use super::action::VersionText;
use super::concern::concerns;
use super::random::Random;
use super::rule::Rule;

/// What is asked in a batch item, or in a message that cannot be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// Subject of the client's certificate.
    pub(crate) client: &'a str,
    /// Version in the header of the request.
    pub(crate) version: Option<Version>,
    pub(crate) operation: Option<Operation>,
    /// Identifiers of objects, at any depth.
    pub(crate) objects: &'a [String],
}

/// A rule with its counts.
#[derive(Debug)]
pub(crate) struct LiveRule {
    pub(crate) rule: Rule,
    added: Duration,
    matched: AtomicU64,
    chosen: AtomicU64,
    fired: AtomicU64,
    random: Mutex<Random>,
}

impl LiveRule {
    /// Takes a rule into use at this time.
    pub(crate) fn new(rule: Rule, added: Duration) -> Self {
        let random = Mutex::new(Random::new(rule.seed.unwrap_or(0)));
        let (matched, chosen, fired) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Self { rule, added, matched, chosen, fired, random }
    }

    /// Returns whether the rule acts on what is asked; a match is counted. The caller serialises
    /// the calls, so that a number is given once.
    pub(crate) fn acts_on(&self, asked: &Asked<'_>, now: Duration) -> bool {
        if !self.is_within(now) || !self.matches(asked) {
            return false;
        }
        let number = self.matched.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        if number < self.rule.from {
            return false;
        }
        if self.rule.times.is_some_and(|times| self.chosen.load(Ordering::Acquire) >= times) {
            return false;
        }
        if let Some(millionths) = self.millionths()
            && !self.random(|random| random.one_of(millionths))
        {
            return false;
        }
        self.chosen.fetch_add(1, Ordering::AcqRel);
        true
    }

    fn millionths(&self) -> Option<u64> {
        let probability = self.rule.probability?;
        // Between 0 and 1, so that the text is a whole number of six digits, or seven.
        format!("{:.0}", probability * 1_000_000.0).parse().ok()
    }

    fn is_within(&self, now: Duration) -> bool {
        let begin = Duration::from_millis(self.rule.after_ms.unwrap_or(0));
        let since = now.saturating_sub(self.added);
        let end = self.rule.for_ms.map(|ms| begin.saturating_add(Duration::from_millis(ms)));
        since >= begin && end.is_none_or(|end| since < end)
    }

    fn matches(&self, asked: &Asked<'_>) -> bool {
        let rule = &self.rule;
        let named = rule.operations();
        let is_named =
            |all: &Vec<Operation>| asked.operation.is_some_and(|asked| all.contains(&asked));
        rule.is_for_client(asked.client)
            && rule.version.is_none_or(|VersionText(wanted)| asked.version == Some(wanted))
            && named.as_ref().is_none_or(is_named)
            && rule.object.as_ref().is_none_or(|object| asked.objects.contains(object))
            && concerns(&rule.action, asked.operation)
    }

    /// The objects that an item with these identifiers names for this rule: that of the rule, if
    /// it has one.
    pub(crate) fn named(&self, identifiers: &[String]) -> Vec<String> {
        self.rule.object.as_ref().map_or_else(|| identifiers.to_vec(), |one| vec![one.clone()])
    }

    /// Counts that the rule changed something.
    pub(crate) fn count(&self) {
        self.fired.fetch_add(1, Ordering::AcqRel);
    }

    /// Gives the random numbers of the rule.
    pub(crate) fn random<T>(&self, take: impl FnOnce(&mut Random) -> T) -> T {
        take(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn matched(&self) -> u64 {
        self.matched.load(Ordering::Acquire)
    }

    pub(crate) fn fired(&self) -> u64 {
        self.fired.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kmip::Version;
    use kmip::vocabulary::Operation;

    use super::{Asked, LiveRule};
    use crate::rules::parse_toml;

    fn live(conditions: &str) -> LiveRule {
        let text = format!("[[rule]]\nname = \"a\"\naction = {{ drop = {{}} }}\n{conditions}");
        LiveRule::new(parse_toml(&text).unwrap().remove(0), Duration::from_secs(100))
    }

    fn get(client: &str, objects: &[String]) -> bool {
        let rule =
            live("client = \"alice\"\noperation = \"Get\"\nobject = \"7\"\nversion = \"1.4\"");
        let (version, operation) = (Some(Version::V1_4), Some(Operation::Get));
        let asked = Asked { client, version, operation, objects };
        rule.acts_on(&asked, Duration::from_secs(100))
            && !rule.acts_on(&Asked { version: None, ..asked }, Duration::from_secs(100))
            && !rule.acts_on(&Asked { operation: None, ..asked }, Duration::from_secs(100))
    }

    #[test]
    fn rule_matches_by_client_operation_object_and_version() {
        let seven = ["6".to_owned(), "7".to_owned()];
        assert!(get("O=Example, CN=alice", &seven));
        assert!(!get("O=Example, CN=bob", &seven));
        assert!(!get("O=Example, OU=CN=alice, CN=bob", &seven));
        assert!(!get("CN=alice", &["8".to_owned()]));
    }

    fn fires(conditions: &str, seconds: &[u64]) -> Vec<usize> {
        let rule = live(conditions);
        let asked = Asked { client: "", version: None, operation: None, objects: &[] };
        let acted = seconds.iter().map(|at| rule.acts_on(&asked, Duration::from_secs(*at)));
        acted.enumerate().filter(|(_, acted)| *acted).map(|(at, _)| at).collect()
    }

    #[test]
    fn rule_acts_once_from_a_match_on_or_always() {
        let at = [100; 6];
        assert_eq!(fires("", &at), [0, 1, 2, 3, 4, 5]);
        assert_eq!(fires("from = 3", &at), [2, 3, 4, 5]);
        assert_eq!(fires("from = 3\ntimes = 1", &at), [2]);
        assert_eq!(fires("times = 2", &at), [0, 1]);
    }

    #[test]
    fn rule_acts_within_its_time() {
        let at = [100, 101, 102, 103, 104];
        assert_eq!(fires("after-ms = 1000\nfor-ms = 2000", &at), [1, 2]);
        assert_eq!(fires("for-ms = 1000", &at), [0]);
    }

    #[test]
    fn probability_is_the_same_for_the_same_seed() {
        let at = [100; 64];
        let half = fires("probability = 0.5\nseed = 9", &at);
        assert_eq!(half, fires("probability = 0.5\nseed = 9", &at));
        assert_ne!(half, fires("probability = 0.5\nseed = 10", &at));
        assert!((16..48).contains(&half.len()), "{half:?}");
        assert_eq!(fires("probability = 0\nseed = 9", &at), [0; 0]);
        assert_eq!(fires("probability = 1\nseed = 9", &at).len(), 64);
    }
}

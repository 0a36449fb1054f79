//! Slows down a client that guesses passwords, and no other.
//!
//! Failures are counted for each address and account. The answer to a wrong password is held back
//! for longer with each further one; a right password is answered at once, and ends it. A client
//! that sends guesses in parallel gets few of them checked: while so many answers to it are held
//! back, or so many in all, its requests are refused without a look at their password. An address
//! without failures is never refused or held back.
//!
//! The table is bounded, and no lock is held while an answer is held back.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the answer to the second wrong password in a row is held back; to the first it is not.
const DELAY_MIN: Duration = Duration::from_millis(250);

/// The longest that an answer is held back; clients give up after 30 s.
const DELAY_MAX: Duration = Duration::from_secs(4);

/// Failures of an address with any accounts that count nothing: names may be mistyped, too.
const OTHER_ACCOUNTS_FREE: u32 = 4;

/// Failures are forgotten this long after the last one.
const MEMORY: Duration = Duration::from_secs(15 * 60);

/// Addresses that are remembered; the one whose last failure is the oldest is forgotten first.
const SOURCES_MAX: usize = 1024;

/// Accounts that are remembered for an address; the others count as failures of the address.
const ACCOUNTS_MAX: usize = 8;

/// Answers that are held back at once for one address.
const HELD_BACK_BY_SOURCE_MAX: usize = 4;

/// Answers that are held back at once: an eighth of the connections.
const HELD_BACK_MAX: usize = 64;

/// Longest name of an account that is told from others.
const ACCOUNT_LEN_MAX: usize = 64;

/// Failures, and the answers that are held back now.
#[derive(Default)]
pub(crate) struct LoginThrottle(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    sources: BTreeMap<IpAddr, SourceFailures>,
    held_back: usize,
}

struct SourceFailures {
    /// With all accounts.
    count: u32,
    accounts: BTreeMap<String, u32>,
    last: Instant,
    held_back: usize,
}

/// What to do with a request.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The password is right.
    Admit,
    /// The password is wrong: answer so after this time, and drop the guard then.
    RefuseAfter(Duration, HeldBack),
    /// Refuse at once; nothing was looked at.
    Busy,
}

/// Mark of an answer that is held back.
#[derive(Debug)]
pub(crate) struct HeldBack {
    table: Arc<Mutex<Table>>,
    source: IpAddr,
}

impl LoginThrottle {
    /// Judges a request from this address for this account at this time. `is_right` says whether
    /// its password is.
    pub(crate) fn judge(
        &self,
        source: IpAddr,
        account: &str,
        is_right: bool,
        now: Instant,
    ) -> Verdict {
        let source = network(source);
        let account: String = account.chars().take(ACCOUNT_LEN_MAX).collect();
        let mut table = lock(&self.0);
        table.sources.retain(|_, failures| {
            failures.held_back > 0 || now.saturating_duration_since(failures.last) < MEMORY
        });
        let all_held_back = table.held_back;
        if let Some(failures) = table.sources.get_mut(&source) {
            let is_busy = failures.held_back >= HELD_BACK_BY_SOURCE_MAX;
            if is_busy || all_held_back >= HELD_BACK_MAX {
                return Verdict::Busy;
            }
            if is_right {
                let own = failures.accounts.remove(&account).unwrap_or_default();
                failures.count = failures.count.saturating_sub(own);
            }
        }
        if is_right {
            return Verdict::Admit;
        }
        let delay = table.fail(source, account, now);
        let table = Arc::clone(&self.0);
        Verdict::RefuseAfter(delay, HeldBack { table, source })
    }
}

impl Table {
    /// Counts a failure whose answer is held back from now on. Returns for how long.
    fn fail(&mut self, source: IpAddr, account: String, now: Instant) -> Duration {
        if !self.sources.contains_key(&source) && self.sources.len() >= SOURCES_MAX {
            self.forget_oldest();
        }
        self.held_back = self.held_back.saturating_add(1);
        let failures = self.sources.entry(source).or_insert_with(|| SourceFailures {
            count: 0,
            accounts: BTreeMap::new(),
            last: now,
            held_back: 0,
        });
        failures.held_back = failures.held_back.saturating_add(1);
        failures.last = now;
        failures.count = failures.count.saturating_add(1);
        let mut with_account = 0;
        if failures.accounts.contains_key(&account) || failures.accounts.len() < ACCOUNTS_MAX {
            let count = failures.accounts.entry(account).or_default();
            *count = count.saturating_add(1);
            with_account = *count;
        }
        delay(with_account.max(failures.count.saturating_sub(OTHER_ACCOUNTS_FREE)))
    }

    /// Those whose answers are held back stay, so that their number is known; they are few.
    fn forget_oldest(&mut self) {
        let idle = self.sources.iter().filter(|(_, failures)| failures.held_back == 0);
        let oldest = idle.min_by_key(|(_, failures)| failures.last).map(|(source, _)| *source);
        if let Some(oldest) = oldest {
            self.sources.remove(&oldest);
        }
    }
}

impl Drop for HeldBack {
    fn drop(&mut self) {
        let mut table = lock(&self.table);
        table.held_back = table.held_back.saturating_sub(1);
        if let Some(failures) = table.sources.get_mut(&self.source) {
            failures.held_back = failures.held_back.saturating_sub(1);
        }
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("sources", &self.sources.len()).finish_non_exhaustive()
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Doubles with each failure in a row after the first.
fn delay(failures: u32) -> Duration {
    match failures.checked_sub(2) {
        None => Duration::ZERO,
        Some(doublings) => {
            let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
            DELAY_MIN.saturating_mul(factor).min(DELAY_MAX)
        }
    }
}

/// The address; of an IPv6 address its network of 64 bits, which one host has to itself.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        DELAY_MAX, HELD_BACK_BY_SOURCE_MAX, HELD_BACK_MAX, HeldBack, LoginThrottle, MEMORY,
        SOURCES_MAX, Verdict, delay, lock,
    };
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::{Duration, Instant};

    fn address(number: u32) -> IpAddr {
        Ipv4Addr::from(0x0a00_0000 | number).into()
    }

    fn refused(verdict: Verdict) -> (Duration, HeldBack) {
        match verdict {
            Verdict::RefuseAfter(delay, guard) => (delay, guard),
            other @ (Verdict::Admit | Verdict::Busy) => panic!("{other:?}"),
        }
    }

    /// The delays of so many wrong passwords, one after the other.
    fn delays(throttle: &LoginThrottle, from: IpAddr, account: &str, count: usize) -> Vec<u128> {
        let now = Instant::now();
        let one = |_| refused(throttle.judge(from, account, false, now)).0.as_millis();
        (0..count).map(one).collect()
    }

    #[test]
    fn each_wrong_password_in_a_row_is_answered_later_up_to_seconds() {
        let throttle = LoginThrottle::default();
        let expected = [0, 250, 500, 1000, 2000, 4000, 4000, 4000];
        assert_eq!(delays(&throttle, address(1), "admin", 8), expected);
        assert_eq!(delay(u32::MAX), DELAY_MAX);
        // Another address and, there, another account are not held back.
        assert_eq!(delays(&throttle, address(2), "admin", 1), [0]);
        assert_eq!(delays(&throttle, address(2), "other", 1), [0]);
    }

    #[test]
    fn a_right_password_is_admitted_at_once_and_ends_it() {
        let throttle = LoginThrottle::default();
        delays(&throttle, address(1), "admin", 6);
        let now = Instant::now();
        assert!(matches!(throttle.judge(address(1), "admin", true, now), Verdict::Admit));
        assert_eq!(delays(&throttle, address(1), "admin", 2), [0, 250]);
    }

    #[test]
    fn many_accounts_from_one_address_are_held_back_too() {
        let throttle = LoginThrottle::default();
        let each = (0..20).flat_map(|n| delays(&throttle, address(1), &format!("user-{n}"), 1));
        let each: Vec<_> = each.collect();
        assert_eq!(each[..6], [0, 0, 0, 0, 0, 250]);
        assert_eq!(each[19], DELAY_MAX.as_millis());
    }

    #[test]
    fn guesses_in_parallel_are_refused_without_a_look_and_others_are_not() {
        let throttle = LoginThrottle::default();
        let now = Instant::now();
        let wrong = |source| throttle.judge(address(source), "admin", false, now);
        let held: Vec<_> = (0..HELD_BACK_BY_SOURCE_MAX).map(|_| refused(wrong(1)).1).collect();
        assert!(matches!(wrong(1), Verdict::Busy));
        // Else parallel guesses would tell the right password by its answer.
        let right = |source| throttle.judge(address(source), "admin", true, now);
        assert!(matches!(right(1), Verdict::Busy));
        assert!(matches!(right(2), Verdict::Admit));
        drop(held);
        assert!(matches!(right(1), Verdict::Admit));
        let held: Vec<_> =
            (0..u32::try_from(HELD_BACK_MAX).unwrap()).map(|n| refused(wrong(100 + n)).1).collect();
        assert!(matches!(wrong(100), Verdict::Busy), "one of those that guess");
        assert!(matches!(right(3), Verdict::Admit), "an address without failures");
        drop(held);
        assert_eq!(lock(&throttle.0).held_back, 0);
    }

    #[test]
    fn failures_are_forgotten_after_a_while_and_their_number_is_bounded() {
        let throttle = LoginThrottle::default();
        let now = Instant::now();
        delays(&throttle, address(1), "admin", 5);
        let later = now + MEMORY + Duration::from_secs(1);
        assert_eq!(refused(throttle.judge(address(1), "admin", false, later)).0, Duration::ZERO);
        for source in 0..u32::try_from(SOURCES_MAX).unwrap() + 10 {
            drop(throttle.judge(address(source), "admin", false, later));
        }
        assert_eq!(lock(&throttle.0).sources.len(), SOURCES_MAX);
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one() {
        let throttle = LoginThrottle::default();
        let [a, b, c] =
            ["2001:db8::1", "2001:db8::2:3", "2001:db8:0:1::1"].map(|text| text.parse());
        assert_eq!(delays(&throttle, a.unwrap(), "admin", 1), [0]);
        assert_eq!(delays(&throttle, b.unwrap(), "admin", 1), [250]);
        assert_eq!(delays(&throttle, c.unwrap(), "admin", 1), [0]);
        assert_eq!(delays(&throttle, "::ffff:10.0.0.9".parse().unwrap(), "admin", 1), [0]);
        assert_eq!(delays(&throttle, address(9), "admin", 1), [250]);
    }
}

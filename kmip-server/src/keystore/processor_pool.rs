//! Processor time for slow work: so many permits, given to clients in fair turns.
//!
//! ```text
//! slow work -> waits -> a permit: the client that has had least -> done -> what it took is charged
//! ```
//!
//! Start-time fair queueing: work starts in the order of its start tags, and the start tag of a
//! client's work is the time that the client has been charged before, or the tag of what was
//! started last if that is more. An estimate is charged when work arrives, and replaced by the time
//! that it took. Who has waited longest cannot be overtaken for ever, and who asks for a thousand
//! things at once waits for those alone who ask for one.
//!
//! Whether something is slow, and for how long, is in `operations::cost`.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::oneshot;
use tokio::task::block_in_place;

/// Permits for slow work, shared fairly between clients.
pub(crate) struct ProcessorPool {
    permits: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    in_use: usize,
    long_in_use: usize,
    /// Start tag of the work that was started last, in nanoseconds.
    now: u64,
    clients: HashMap<String, Charge>,
    waiting: BTreeMap<Turn, oneshot::Sender<()>>,
    next_number: u64,
}

/// Time that a client has been charged, and how many permits it holds.
#[derive(Default)]
struct Charge {
    until: u64,
    in_use: usize,
    waiting: usize,
}

/// Place in the order: start tag, then arrival; and whose it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    start: u64,
    number: u64,
    owner: String,
    /// Is it long work?
    is_long: bool,
}

/// From how many nanoseconds on work is long: Sign and Decrypt do not wait for so long.
const LONG: u64 = 50_000_000;

impl Default for ProcessorPool {
    /// One permit fewer than there are processors, so that one is left for everything else; but
    /// two, so that short work need not wait for long work.
    fn default() -> Self {
        let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self::new(processors.saturating_sub(1).max(2))
    }
}

impl ProcessorPool {
    /// A pool of so many permits; with 0, of one fewer than there are processors.
    pub(crate) fn sized(permits: usize) -> Self {
        if permits == 0 { Self::default() } else { Self::new(permits) }
    }

    /// A pool of so many permits, but at least one.
    pub(crate) fn new(permits: usize) -> Self {
        Self { permits: permits.max(1), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every statement leaves the counts right, so a panic elsewhere spoils nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The most permits of one client, and of long work: one is left for others, and for short
    /// work, where there are several.
    fn share_max(&self) -> usize {
        self.permits.saturating_sub(1).max(1)
    }

    /// Waits for a permit for work of about `estimate`. Who stops waiting has not asked.
    pub(crate) async fn acquire(self: &Arc<Self>, owner: &str, estimate: Duration) -> Permit {
        let estimate = nanoseconds(estimate);
        let (start, started) = oneshot::channel();
        let turn = {
            let mut state = self.state();
            let number = state.next_number;
            state.next_number = number.wrapping_add(1);
            let now = state.now;
            let charge = state.clients.entry(owner.to_owned()).or_default();
            let is_long = estimate > LONG;
            let tag = charge.until.max(now);
            let turn = Turn { start: tag, number, owner: owner.to_owned(), is_long };
            charge.until = turn.start.saturating_add(estimate);
            charge.waiting = charge.waiting.saturating_add(1);
            state.waiting.insert(turn.clone(), start);
            turn
        };
        let mut waiting = Waiting { pool: Arc::clone(self), turn, estimate, is_over: false };
        self.start_next();
        // The sender is dropped with its turn alone, which is this function's to drop.
        let _ = started.await;
        waiting.is_over = true;
        Permit {
            pool: Arc::clone(self),
            turn: waiting.turn.clone(),
            estimate,
            begun: Instant::now(),
        }
    }

    /// Completes when somebody waits.
    #[cfg(test)]
    pub(crate) async fn until_one_waits(&self) {
        while self.state().waiting.is_empty() {
            tokio::task::yield_now().await;
        }
    }

    /// Starts what may start.
    fn start_next(&self) {
        let mut state = self.state();
        let most = self.share_max();
        while state.in_use < self.permits {
            let State { waiting, clients, long_in_use, .. } = &*state;
            let may = |turn: &&Turn| {
                let has_share = clients.get(&turn.owner).is_none_or(|c| c.in_use < most);
                has_share && (!turn.is_long || *long_in_use < most)
            };
            let Some(turn) = waiting.keys().find(may).cloned() else { return };
            let Some(start) = state.waiting.remove(&turn) else { return };
            state.in_use = state.in_use.saturating_add(1);
            state.long_in_use = state.long_in_use.saturating_add(turn.is_long.into());
            state.now = state.now.max(turn.start);
            if let Some(charge) = state.clients.get_mut(&turn.owner) {
                charge.in_use = charge.in_use.saturating_add(1);
                charge.waiting = charge.waiting.saturating_sub(1);
            }
            // One that has stopped waiting gives the permit back.
            let _ = start.send(());
        }
    }

    /// Work of a client is over: it has taken so long instead of the estimate.
    fn end(&self, turn: &Turn, estimate: u64, taken: u64) {
        let mut state = self.state();
        state.in_use = state.in_use.saturating_sub(1);
        state.long_in_use = state.long_in_use.saturating_sub(turn.is_long.into());
        let (owner, now) = (turn.owner.as_str(), state.now);
        if let Some(charge) = state.clients.get_mut(owner) {
            charge.in_use = charge.in_use.saturating_sub(1);
            charge.until = charge.until.saturating_sub(estimate).saturating_add(taken);
            if charge.in_use == 0 && charge.waiting == 0 && charge.until <= now {
                state.clients.remove(owner);
            }
        }
        if state.in_use == 0 && state.waiting.is_empty() {
            // Nobody waits for anybody: the next one starts at once, whoever it is.
            state.clients.clear();
            state.now = 0;
        }
        drop(state);
        self.start_next();
    }

    /// A client has stopped waiting.
    fn forget(&self, turn: &Turn, estimate: u64) {
        let mut state = self.state();
        if state.waiting.remove(turn).is_none() {
            // It was its turn meanwhile.
            drop(state);
            return self.end(turn, estimate, 0);
        }
        if let Some(charge) = state.clients.get_mut(&turn.owner) {
            charge.waiting = charge.waiting.saturating_sub(1);
            charge.until = charge.until.saturating_sub(estimate);
        }
    }
}

/// A place in the order, left when it is dropped before its turn has come.
struct Waiting {
    pool: Arc<ProcessorPool>,
    turn: Turn,
    estimate: u64,
    is_over: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.is_over {
            self.pool.forget(&self.turn, self.estimate);
        }
    }
}

/// Permission to do slow work; given back when dropped.
pub(crate) struct Permit {
    pool: Arc<ProcessorPool>,
    turn: Turn,
    estimate: u64,
    begun: Instant,
}

impl Permit {
    /// Does the work away from the threads that serve all clients; where the runtime has one thread
    /// alone, as in tests, on that.
    pub(crate) async fn run<F: Future>(&self, work: F) -> F::Output {
        let handle = Handle::current();
        match handle.runtime_flavor() {
            RuntimeFlavor::MultiThread => block_in_place(|| handle.block_on(work)),
            RuntimeFlavor::CurrentThread | _ => work.await,
        }
    }

    /// How long the permit has been held.
    pub(crate) fn held(&self) -> Duration {
        self.begun.elapsed()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.pool.end(&self.turn, self.estimate, nanoseconds(self.begun.elapsed()));
    }
}

pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use super::{Permit, ProcessorPool};

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// Clients that wait, in the order in which they began to.
    struct Queue<'a>(Vec<(&'a str, Waiting<'a>)>);

    type Waiting<'a> = Pin<Box<dyn Future<Output = Permit> + 'a>>;

    impl<'a> Queue<'a> {
        fn of(pool: &'a Arc<ProcessorPool>, clients: &[(&'a str, Duration)]) -> Self {
            let waiting = clients.iter().map(|(client, estimate)| {
                let estimate = *estimate;
                let mut permit: Waiting<'_> = Box::pin(pool.acquire(client, estimate));
                assert!(poll(permit.as_mut()).is_pending());
                (*client, permit)
            });
            Self(waiting.collect())
        }

        /// Clients that ask, and may be served at once.
        fn waiting(pool: &'a Arc<ProcessorPool>, clients: &[(&'a str, Duration)]) -> Self {
            let waiting = clients.iter().map(|(client, estimate)| {
                let permit: Waiting<'_> = Box::pin(pool.acquire(client, *estimate));
                (*client, permit)
            });
            Self(waiting.collect())
        }

        /// Who is served now, and the permit.
        fn served(&mut self) -> Vec<(&'a str, Permit)> {
            let mut served = Vec::new();
            self.0.retain_mut(|(client, waiting)| match poll(waiting.as_mut()) {
                Poll::Ready(permit) => {
                    served.push((*client, permit));
                    false
                }
                Poll::Pending => true,
            });
            served
        }
    }

    fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn at_once(pool: &Arc<ProcessorPool>, client: &str) -> Permit {
        match poll(pin!(pool.acquire(client, MILLISECOND))) {
            Poll::Ready(permit) => permit,
            Poll::Pending => panic!("there is a permit"),
        }
    }

    /// Serves all that wait, one after another, and says in which order.
    fn order<'a>(pool: &Arc<ProcessorPool>, mut queue: Queue<'a>, first: Permit) -> Vec<&'a str> {
        drop(first);
        let mut order = Vec::new();
        while let Some((client, permit)) = queue.served().pop() {
            order.push(client);
            drop(permit);
        }
        let state = pool.state();
        assert!(state.clients.is_empty() && state.waiting.is_empty() && state.in_use == 0);
        order
    }

    #[test]
    fn who_asks_for_one_thing_does_not_wait_for_a_hundred_of_another() {
        let pool = Arc::new(ProcessorPool::new(1));
        let first = at_once(&pool, "alice");
        let mut clients = vec![("alice", 10 * MILLISECOND); 100];
        clients.push(("bob", 10 * MILLISECOND));
        let order = order(&pool, Queue::of(&pool, &clients), first);
        assert!(order.iter().position(|client| *client == "bob") < Some(2), "{order:?}");
    }

    #[test]
    fn long_work_counts_for_more() {
        let pool = Arc::new(ProcessorPool::new(1));
        let first = at_once(&pool, "carol");
        let second = Duration::from_secs(1);
        let clients =
            [("alice", second), ("alice", second), ("bob", MILLISECOND), ("bob", MILLISECOND)];
        let order = order(&pool, Queue::of(&pool, &clients), first);
        assert_eq!(order, ["alice", "bob", "bob", "alice"]);
    }

    #[test]
    fn one_client_never_has_every_permit() {
        let pool = Arc::new(ProcessorPool::new(3));
        let first = at_once(&pool, "alice");
        let second = at_once(&pool, "alice");
        let mut queue = Queue::of(&pool, &[("alice", MILLISECOND)]);
        let other = at_once(&pool, "bob");
        drop(first);
        let served = queue.served();
        assert_eq!(served.len(), 1);
        drop((served, other, second));
    }

    #[test]
    fn short_work_does_not_wait_for_long_work() {
        let pool = Arc::new(ProcessorPool::new(2));
        let minute = Duration::from_secs(60);
        let mut long = Queue::waiting(&pool, &[("alice", minute), ("bob", minute)]);
        let first = long.served();
        assert_eq!(first.iter().map(|(client, _)| *client).collect::<Vec<_>>(), ["alice"]);
        drop(at_once(&pool, "carol"));
        assert!(long.served().is_empty(), "long work has one permit of two");
        drop(first);
        assert_eq!(long.served().len(), 1);
    }

    #[test]
    fn who_stops_waiting_leaves_nothing() {
        let pool = Arc::new(ProcessorPool::new(1));
        let first = at_once(&pool, "alice");
        let queue = Queue::of(&pool, &[("bob", MILLISECOND), ("carol", MILLISECOND)]);
        drop(queue);
        let given_up = Queue::of(&pool, &[("dave", MILLISECOND)]);
        drop(first);
        // It is dave's turn, and he is not there to hear of it.
        drop(given_up);
        drop(at_once(&pool, "erin"));
        let state = pool.state();
        assert!(state.clients.is_empty() && state.waiting.is_empty() && state.in_use == 0);
    }
}

//! How many connections there are at once, and who has to go when one more comes.
//!
//! Connections that do nothing must not keep others out: when all seats are taken, the one that
//! came first among the idle leaves. One that is being answered is never sent away.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The seats of a door.
pub struct Seats {
    free: Arc<Semaphore>,
    count: u32,
    numbers: AtomicU64,
    idle: Mutex<BTreeMap<u64, Arc<Notify>>>,
}

/// One connection's seat, given back when it is dropped.
pub struct Seat {
    number: u64,
    seats: Arc<Seats>,
    leave: Arc<Notify>,
    _permit: OwnedSemaphorePermit,
}

/// While it is there, the connection is being answered.
pub struct Busy(Arc<Seat>);

impl Seats {
    /// So many seats.
    #[must_use]
    pub fn new(count: u32) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(usize::try_from(count).unwrap_or(usize::MAX))),
            count,
            numbers: AtomicU64::new(0),
            idle: Mutex::default(),
        })
    }

    /// A seat, as soon as there is one.
    pub async fn take(self: &Arc<Self>) -> Arc<Seat> {
        if self.free.available_permits() == 0 {
            self.send_one_away();
        }
        // The semaphore is never closed; if it were, a connection without a seat would be right.
        let permit = loop {
            if let Ok(permit) = Arc::clone(&self.free).acquire_owned().await {
                break permit;
            }
        };
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let leave = Arc::new(Notify::new());
        self.idle().insert(number, Arc::clone(&leave));
        Arc::new(Seat { number, seats: Arc::clone(self), leave, _permit: permit })
    }

    /// Waits until every seat was given back, but not longer than this.
    pub async fn all_free(&self, deadline: Duration) -> bool {
        tokio::time::timeout(deadline, self.free.acquire_many(self.count)).await.is_ok()
    }

    fn send_one_away(&self) {
        if let Some((_, leave)) = self.idle().pop_first() {
            leave.notify_one();
        }
    }

    fn idle(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Notify>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// The connection is being answered until the guard is dropped.
    #[must_use]
    pub fn busy(self: &Arc<Self>) -> Busy {
        self.seats.idle().remove(&self.number);
        Busy(Arc::clone(self))
    }

    /// Waits until the seat is wanted by somebody else.
    pub async fn wanted(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.seats.idle().insert(self.0.number, Arc::clone(&self.0.leave));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.idle().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::Seats;
    use std::sync::Arc;
    use std::time::Duration;

    #[tokio::test]
    async fn the_oldest_idle_connection_leaves_and_a_busy_one_stays() {
        let seats = Seats::new(2);
        let first = seats.take().await;
        let second = seats.take().await;
        let busy = first.busy();
        let third = tokio::spawn({
            let seats = Arc::clone(&seats);
            async move { seats.take().await }
        });
        second.wanted().await;
        drop(second);
        let third = third.await.unwrap();
        drop(busy);
        let fourth = tokio::spawn({
            let seats = Arc::clone(&seats);
            async move { seats.take().await }
        });
        first.wanted().await;
        drop((first, third));
        drop(fourth.await.unwrap());
        assert!(seats.all_free(Duration::from_secs(5)).await);
    }
}

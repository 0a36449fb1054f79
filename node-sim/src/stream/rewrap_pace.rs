//! Pace of a rekey, and the estimate of how long it takes.

use crate::state::async_results::AsyncHandle;
use std::time::Instant;

/// Pace at which the drives of a rekey are done.
#[derive(Debug, Default)]
pub(crate) struct RewrapPace(Option<PaceOf>);

#[derive(Debug)]
struct PaceOf {
    async_handle: AsyncHandle,
    /// When the first count was seen, and that count.
    begun: (Instant, usize),
    /// When the last count was seen, and that count.
    last: (Instant, usize),
}

impl RewrapPace {
    /// Milliseconds until all drives are done at the pace so far; none before it is known.
    pub(super) fn left(
        &mut self,
        async_handle: AsyncHandle,
        (done, total): (usize, usize),
        now: Instant,
    ) -> Option<u64> {
        let known = self.0.take().filter(|pace| pace.async_handle == async_handle);
        let mut pace =
            known.unwrap_or(PaceOf { async_handle, begun: (now, done), last: (now, done) });
        if done != pace.last.1 {
            pace.last = (now, done);
        }
        let ((begun, first), (last, count)) = (pace.begun, pace.last);
        self.0 = Some(pace);
        let counted = u32::try_from(count.saturating_sub(first)).ok().filter(|count| *count > 0)?;
        let per_drive = last.duration_since(begun).checked_div(counted)?;
        let left = per_drive.checked_mul(u32::try_from(total.saturating_sub(done)).ok()?)?;
        u64::try_from(left.saturating_sub(now.duration_since(last)).as_millis()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::RewrapPace;
    use std::time::{Duration, Instant};

    #[test]
    fn estimate_follows_the_drives_that_were_done() {
        let (mut pace, begun) = (RewrapPace::default(), Instant::now());
        let at = |ms| begun + Duration::from_millis(ms);
        assert_eq!(pace.left(1, (0, 10), at(0)), None);
        assert_eq!(pace.left(1, (2, 10), at(200)), Some(800));
        assert_eq!(pace.left(1, (2, 10), at(250)), Some(750), "time passes");
        assert_eq!(pace.left(1, (10, 10), at(1000)), Some(0));
        assert_eq!(pace.left(2, (3, 10), at(1100)), None, "another rekey");
    }
}

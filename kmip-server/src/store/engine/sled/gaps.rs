//! Where the tree has nothing: gaps behind its rows that were looked into.
//!
//! ```text
//! keys of the engine    a               x
//! what stands there     | a b c |       | x y
//! a gap                         c ... x            a new f?    not there
//! written: d e                      e ... x        a new f?    not there
//! ```
//!
//! A new object has keys that nobody had before it, and each commit must see that this is so. Keys
//! of new objects follow those before them, so nearly all of them fall into a few gaps: behind the
//! last object, and behind the last row of each client. To look into the tree for each would cost
//! more than anything else that is done for a commit on its caller's thread.
//!
//! **A gap is made smaller before the tree is written to**, and what was looked at while a write
//! was under way is not remembered. A row that goes makes no gap smaller.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sled::IVec;

/// The most gaps that are remembered: each write looks at all of them. When there are more, all are
/// forgotten, and those that are looked into again and again are soon back.
const GAPS_MAX: usize = 64;

/// The gaps that are known.
#[derive(Default)]
pub(super) struct Gaps(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// From behind a key up to before another one; an empty one is no end.
    gaps: BTreeMap<IVec, IVec>,
    /// Is a write under way?
    writing: bool,
    /// How many have ended.
    written: u64,
}

/// When the tree was looked into.
#[derive(Clone, Copy)]
pub(super) struct Stamp(u64);

impl Gaps {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does a key lie in a gap? If that is not known, the tree must be looked into, from this
    /// moment on.
    pub(super) fn look(&self, key: &[u8]) -> Result<(), Stamp> {
        let known = self.known();
        let before = known.gaps.range::<[u8], _>((Unbounded, Excluded(key))).next_back();
        match before {
            Some((_, to)) if to.is_empty() || **to > *key => Ok(()),
            Some(_) | None => Err(Stamp(known.written)),
        }
    }

    /// There was nothing between these two at that moment.
    pub(super) fn remember(&self, stamp: Stamp, from: IVec, to: IVec) {
        let mut known = self.known();
        if known.writing || known.written != stamp.0 {
            return;
        }
        if known.gaps.len() >= GAPS_MAX {
            known.gaps.clear();
        }
        known.gaps.insert(from, to);
    }

    /// Rows from the first to the last of these keys, both with them, are about to be written.
    pub(super) fn begin(&self, written: &[(IVec, IVec)]) {
        let mut known = self.known();
        known.writing = true;
        for (first, last) in written {
            let mut cut = Vec::new();
            known.gaps.retain(|from, to| {
                let is_hit = *from < *last && (to.is_empty() || *to > *first);
                if is_hit && (to.is_empty() || *to > *last) {
                    cut.push((last.clone(), to.clone()));
                }
                !is_hit
            });
            known.gaps.extend(cut);
        }
    }

    /// They are written.
    pub(super) fn end(&self) {
        let mut known = self.known();
        known.writing = false;
        known.written = known.written.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> IVec {
        IVec::from(text.as_bytes())
    }

    fn remembered(gaps: &[(&str, &str)]) -> Gaps {
        let all = Gaps::default();
        for (from, to) in gaps {
            all.remember(Stamp(0), key(from), key(to));
        }
        all
    }

    fn has(gaps: &Gaps, keys: &str) -> String {
        keys.chars().filter(|key| gaps.look(key.to_string().as_bytes()).is_ok()).collect()
    }

    #[test]
    fn a_gap_has_what_lies_between_its_ends_and_a_write_takes_its_part() {
        let rows = [
            // Gaps, what is written, and which keys are known to be in no row.
            (vec![("c", "g"), ("p", "")], None, "defqz"),
            (vec![("c", "g"), ("p", "")], Some(("d", "d")), "efqz"),
            (vec![("c", "g"), ("p", "")], Some(("d", "e")), "fqz"),
            (vec![("c", "g"), ("p", "")], Some(("d", "f")), "qz"),
            (vec![("c", "g"), ("p", "")], Some(("q", "r")), "defz"),
            (vec![("c", "g"), ("p", "")], Some(("d", "r")), "z"),
            (vec![("c", "g"), ("p", "")], Some(("c", "c")), "defqz"),
            (vec![("c", "g"), ("p", "")], Some(("g", "h")), "defqz"),
            (vec![("", "b")], Some(("a", "c")), ""),
        ];
        for (gaps, write, known) in rows {
            let all = remembered(&gaps);
            if let Some((first, last)) = write {
                all.begin(&[(key(first), key(last))]);
                assert_eq!(has(&all, "abcdefghpqz"), known, "before it is done");
                all.end();
            }
            assert_eq!(has(&all, "abcdefghpqz"), known, "{gaps:?} {write:?}");
        }
    }

    #[test]
    fn what_was_looked_at_while_a_write_was_under_way_is_not_remembered() {
        let gaps = Gaps::default();
        let before = gaps.look(b"d").unwrap_err();
        gaps.begin(&[]);
        let during = gaps.look(b"d").unwrap_err();
        for stamp in [before, during] {
            gaps.remember(stamp, key("c"), key("g"));
            assert!(gaps.look(b"d").is_err(), "not while it goes on");
        }
        gaps.end();
        for stamp in [before, during] {
            gaps.remember(stamp, key("c"), key("g"));
            assert!(gaps.look(b"d").is_err(), "nor once it has ended");
        }
        gaps.remember(gaps.look(b"d").unwrap_err(), key("c"), key("g"));
        assert!(gaps.look(b"d").is_ok());
    }
}

//! Containment of panics: both engines may panic on damaged files, and that is damage.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Engine, EngineError, RowChange, Value};
use crate::store::{Key, Range};

/// Engine whose panics are errors.
pub(crate) struct Contained<E>(E);

impl<E> Contained<E> {
    /// Opens an engine.
    pub(crate) fn open(open: impl FnOnce() -> Result<E, EngineError>) -> Result<Self, EngineError> {
        contain(open).map(Self)
    }
}

fn contain<T>(step: impl FnOnce() -> Result<T, EngineError>) -> Result<T, EngineError> {
    // After a panic the engine is used no further but for reads: a failed write stops the store.
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|panic| {
        Err(EngineError::Corrupt(format!("the engine panicked: {}", text(panic.as_ref()))))
    })
}

/// First line of what a panic says: the rest shows what was compared.
fn text(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    let text = owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text");
    text.lines().next().unwrap_or_default()
}

impl<E: Engine> Engine for Contained<E> {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, EngineError> {
        contain(|| self.0.get(key))
    }

    fn scan(&self, range: &Range) -> Result<Vec<(Key, Value)>, EngineError> {
        contain(|| self.0.scan(range))
    }

    fn write(&self, changes: &[RowChange]) -> Result<(), EngineError> {
        contain(|| self.0.write(changes))
    }

    fn reopen(&self) -> Result<(), EngineError> {
        contain(|| self.0.reopen())
    }

    fn close(&self) -> Result<(), EngineError> {
        contain(|| self.0.close())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An engine that panics, each time in another form.
    struct Panicking;

    impl Engine for Panicking {
        fn get(&self, _: &[u8]) -> Result<Option<Value>, EngineError> {
            panic!("in get")
        }

        fn scan(&self, range: &Range) -> Result<Vec<(Key, Value)>, EngineError> {
            panic!("in scan of {}", range.limit)
        }

        fn write(&self, _: &[RowChange]) -> Result<(), EngineError> {
            std::panic::panic_any(7)
        }

        fn reopen(&self) -> Result<(), EngineError> {
            panic!("in reopen")
        }

        fn close(&self) -> Result<(), EngineError> {
            panic!("in close")
        }
    }

    #[test]
    fn panic_of_an_engine_is_damage() {
        let opened = Contained::<Panicking>::open(|| panic!("in open\n left: 1\nright: 2"));
        let damage =
            |text: &str| Some(EngineError::Corrupt(format!("the engine panicked: {text}")));
        assert_eq!(opened.map(drop).err(), damage("in open"));
        let engine = Contained::open(|| Ok(Panicking)).unwrap();
        let range = Range::prefix(b"k", 3);
        assert_eq!(engine.get(b"k").err(), damage("in get"));
        assert_eq!(engine.scan(&range).err(), damage("in scan of 3"));
        assert_eq!(engine.write(&[]).err(), damage("no text"));
        assert_eq!(engine.reopen().err(), damage("in reopen"));
        assert_eq!(engine.close().err(), damage("in close"));
    }
}

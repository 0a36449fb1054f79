//! Errors that an operator of the simulator has set for methods, to see what a client does then.

use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Methods that can have an error at once: more than there are.
pub(crate) const METHOD_ERRORS_MAX: usize = 256;

/// An error that calls of a method are answered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct MethodError {
    /// The method.
    pub(crate) method: String,
    /// Name of the error.
    pub(crate) name: String,
    /// Its message.
    pub(crate) message: String,
    /// How many more calls are answered with it; none for all.
    pub(crate) times: Option<u64>,
    /// How many calls were answered with it.
    pub(crate) fired: u64,
}

/// The errors that are set, by their methods in lower case.
#[derive(Debug, Default)]
pub(crate) struct MethodErrors(Mutex<BTreeMap<String, MethodError>>);

impl MethodErrors {
    /// Sets an error in place of that which the method has. Returns whether there was room.
    pub(crate) fn set(&self, error: MethodError) -> bool {
        let mut errors = self.errors();
        let method = error.method.to_ascii_lowercase();
        if errors.len() >= METHOD_ERRORS_MAX && !errors.contains_key(&method) {
            return false;
        }
        errors.insert(method, error);
        true
    }

    /// The error that this call is answered with, if it is; it counts as one.
    pub(crate) fn take(&self, method: &str) -> Option<MethodError> {
        let mut errors = self.errors();
        let error = errors.get_mut(&method.to_ascii_lowercase())?;
        if error.times == Some(0) {
            return None;
        }
        error.times = error.times.map(|times| times.saturating_sub(1));
        error.fired = error.fired.saturating_add(1);
        Some(error.clone())
    }

    /// All errors that are set.
    pub(crate) fn all(&self) -> Vec<MethodError> {
        self.errors().values().cloned().collect()
    }

    /// Removes all errors.
    pub(crate) fn clear(&self) {
        self.errors().clear();
    }

    /// Removes the error of a method. Returns whether it had one.
    pub(crate) fn remove(&self, method: &str) -> bool {
        self.errors().remove(&method.to_ascii_lowercase()).is_some()
    }

    fn errors(&self) -> MutexGuard<'_, BTreeMap<String, MethodError>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{METHOD_ERRORS_MAX, MethodError, MethodErrors};

    fn error(method: &str, times: Option<u64>) -> MethodError {
        let (name, message) = ("xDBNoSuchPath".to_owned(), "injected".to_owned());
        MethodError { method: method.to_owned(), name, message, times, fired: 0 }
    }

    #[test]
    fn error_is_answered_as_often_as_it_was_set_for() {
        let errors = MethodErrors::default();
        assert!(errors.set(error("GetAPI", Some(2))));
        let fired: Vec<_> = (0..3).map(|_| errors.take("getapi").map(|e| e.fired)).collect();
        assert_eq!(fired, [Some(1), Some(2), None]);
        assert_eq!(errors.take("ListDrives"), None);
        assert_eq!(errors.all()[0].times, Some(0));
        assert!(errors.remove("GETAPI") && !errors.remove("GetAPI"));
        for number in 0..METHOD_ERRORS_MAX {
            assert!(errors.set(error(&number.to_string(), None)));
        }
        assert!(!errors.set(error("more", None)) && errors.set(error("0", None)));
        errors.clear();
        assert!(errors.all().is_empty());
    }
}

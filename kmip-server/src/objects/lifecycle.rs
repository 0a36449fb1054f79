//! The life of a managed object (1.4, 3.22, figure 1; 2.1, 4.57).
//!
//! ```text
//!                 activate                 deactivate
//!   PreActive ----------------> Active ----------------> Deactivated
//!      |   \                      |                        |      |
//!      |    \ compromise          | compromise  compromise |      | destroy
//!      |     +-----------> Compromised <-------------------+      |
//!      | destroy                  | destroy                       |
//!      v                          v                               v
//!   Destroyed ------------> DestroyedCompromised              Destroyed
//!               compromise
//! ```
//!
//! **The State is not kept: it follows from the dates and the clock**, so that no copy of it can
//! be stale, and an Activation Date that comes activates the object without anyone's doing.

use kmip::DateTime;
use kmip::attributes::AttributeValue;
use kmip::vocabulary::{ObjectType, State};

use crate::objects::attribute::attribute;

/// The dates that make the State.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dates {
    /// When it may first be used.
    pub activation: Option<DateTime>,
    /// From when on it may no longer protect anything.
    pub deactivation: Option<DateTime>,
    /// When it was known to others.
    pub compromise: Option<DateTime>,
    /// When its material was destroyed.
    pub destroy: Option<DateTime>,
}

impl Dates {
    /// Picks the dates out of an object's attributes.
    pub(crate) fn of<'a>(attributes: impl Iterator<Item = &'a AttributeValue> + Clone) -> Self {
        Self {
            activation: attribute!(attributes.clone(), ActivationDate),
            deactivation: attribute!(attributes.clone(), DeactivationDate),
            compromise: attribute!(attributes.clone(), CompromiseDate),
            destroy: attribute!(attributes, DestroyDate),
        }
    }

    /// The State at `now`.
    pub(crate) fn state(&self, now: DateTime) -> State {
        let come = |date: Option<DateTime>| date.is_some_and(|date| date <= now);
        match (self.destroy.is_some(), self.compromise.is_some()) {
            (true, true) => State::DestroyedCompromised,
            (true, false) => State::Destroyed,
            (false, true) => State::Compromised,
            (false, false) if !come(self.activation) => State::PreActive,
            (false, false) if !come(self.deactivation) => State::Active,
            (false, false) => State::Deactivated,
        }
    }
}

/// The State of an object of this kind at `now`.
///
/// A template has none of its own: its dates are those of the objects to be made from it. It is
/// there, or it is destroyed.
pub(crate) fn state(kind: Option<ObjectType>, dates: Dates, now: DateTime) -> State {
    match kind {
        Some(ObjectType::Template) => Dates { destroy: dates.destroy, ..Dates::default() },
        Some(_) | None => dates,
    }
    .state(now)
}

/// Defines each event as the states that it may leave and the state that each comes to.
macro_rules! transitions {
    ($($(#[$doc:meta])* $event:ident: $($from:ident => $to:ident),+;)*) => {
        $($(#[$doc])*
        pub(crate) const fn $event(state: State) -> Option<State> {
            match state {
                $(State::$from => Some(State::$to),)+
                _ => None,
            }
        })*

        /// Every event, for the test that shows the whole table.
        #[cfg(test)]
        const EVENTS: &[(&str, fn(State) -> Option<State>)] = &[$((stringify!($event), $event),)*];
    };
}

transitions! {
    /// Activate, or the Activation Date comes.
    activate: PreActive => Active;
    /// Revoke for any reason but compromise, or the Deactivation Date comes.
    deactivate: Active => Deactivated;
    /// Revoke because the key is known to others.
    compromise: PreActive => Compromised, Active => Compromised, Deactivated => Compromised,
        Destroyed => DestroyedCompromised;
    /// Destroy.
    destroy: PreActive => Destroyed, Deactivated => Destroyed,
        Compromised => DestroyedCompromised;
}

/// Is the object's material gone?
pub(crate) const fn is_destroyed(state: State) -> bool {
    matches!(state, State::Destroyed | State::DestroyedCompromised)
}

/// Where an object is kept (1.4, 9.1.3.3.2; 2.1, 12.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// At hand.
    OnLine,
    /// In the archive: since its Archive Date, until it is recovered.
    Archived,
    /// Nowhere: its material is gone.
    Destroyed,
}

/// Where an object of these attributes is kept at `now`.
pub(crate) fn storage<'a>(
    attributes: impl Iterator<Item = &'a AttributeValue> + Clone,
    now: DateTime,
) -> Storage {
    match is_destroyed(Dates::of(attributes.clone()).state(now)) {
        true => Storage::Destroyed,
        false if is_archived(attributes) => Storage::Archived,
        false => Storage::OnLine,
    }
}

/// Is an object of these attributes in the archive (1.4, 3.32; 2.1, 4.5)?
pub(crate) fn is_archived<'a>(attributes: impl Iterator<Item = &'a AttributeValue>) -> bool {
    attribute!(attributes, ArchiveDate).is_some()
}

#[cfg(test)]
mod tests {
    use super::{Dates, EVENTS};
    use kmip::DateTime;
    use kmip::vocabulary::State;

    #[test]
    fn the_whole_table() {
        let states = [1, 2, 3, 4, 5, 6].map(State);
        let table: String = EVENTS
            .iter()
            .map(|(name, event)| {
                let row = states
                    .map(|from| event(from).map_or_else(|| "-".to_owned(), |to| format!("{to:?}")));
                format!("{name}: {}\n", row.join(" "))
            })
            .collect();
        assert_eq!(
            table,
            "activate: Active - - - - -\n\
             deactivate: - Deactivated - - - -\n\
             compromise: Compromised Compromised Compromised - DestroyedCompromised -\n\
             destroy: Destroyed - Destroyed DestroyedCompromised - -\n"
        );
    }

    /// One row a case: activation, deactivation, compromise, destroy, and the State at 100.
    #[test]
    fn the_state_follows_from_the_dates() {
        let rows = [
            ([None, None, None, None], State::PreActive),
            ([Some(101), None, None, None], State::PreActive),
            ([Some(100), None, None, None], State::Active),
            ([Some(1), Some(101), None, None], State::Active),
            ([Some(1), Some(100), None, None], State::Deactivated),
            ([None, Some(100), None, None], State::PreActive),
            ([Some(1), None, Some(50), None], State::Compromised),
            ([None, None, Some(50), None], State::Compromised),
            ([Some(1), Some(2), None, Some(3)], State::Destroyed),
            ([None, None, None, Some(3)], State::Destroyed),
            ([None, None, Some(2), Some(3)], State::DestroyedCompromised),
        ];
        for (dates, state) in rows {
            let [activation, deactivation, compromise, destroy] = dates.map(|d| d.map(DateTime));
            let found = Dates { activation, deactivation, compromise, destroy };
            assert_eq!(found.state(DateTime(100)), state, "{dates:?}");
        }
    }
}

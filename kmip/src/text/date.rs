//! Times as ISO 8601 in UTC.

use core::fmt::{self, Formatter};

const SECONDS_A_DAY: i64 = 86_400;

/// Writes `2008-03-14T11:56:40Z`.
pub(super) fn seconds(f: &mut Formatter<'_>, seconds: i64) -> fmt::Result {
    moment(f, seconds)?;
    f.write_str("Z")
}

/// Writes `2008-03-14T11:56:40.000001Z`.
pub(super) fn microseconds(f: &mut Formatter<'_>, microseconds: i64) -> fmt::Result {
    moment(f, microseconds.div_euclid(1_000_000))?;
    write!(f, ".{:06}Z", microseconds.rem_euclid(1_000_000))
}

fn moment(f: &mut Formatter<'_>, seconds: i64) -> fmt::Result {
    let (year, month, day) = civil(seconds.div_euclid(SECONDS_A_DAY));
    let second = seconds.rem_euclid(SECONDS_A_DAY);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// Year, month and day of a number of days since 1970-01-01, in the Gregorian calendar.
///
/// A year here starts in March, so that the leap day is its last; 400 years are 146,097 days.
#[allow(clippy::arithmetic_side_effects, reason = "the days of an i64 of seconds are far within")]
const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // since 0000-03-01
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153; // from March
    let year = year + era * 400 + month / 10;
    (year, (month + 2) % 12 + 1, day - (153 * month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use core::fmt::{Display, Formatter, Result};

    struct Seconds(i64);

    impl Display for Seconds {
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {
            super::seconds(f, self.0)
        }
    }

    struct Microseconds(i64);

    impl Display for Microseconds {
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {
            super::microseconds(f, self.0)
        }
    }

    #[test]
    fn seconds_are_dates() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_205_495_800, "2008-03-14T11:56:40Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (-62_167_219_200, "0000-01-01T00:00:00Z"),
            (i64::MAX, "292277026596-12-04T15:30:07Z"),
            (i64::MIN, "-292277022657-01-27T08:29:52Z"),
        ] {
            assert_eq!(Seconds(seconds).to_string(), text);
        }
    }

    #[test]
    fn microseconds_keep_their_fraction() {
        assert_eq!(Microseconds(1_205_495_800_000_001).to_string(), "2008-03-14T11:56:40.000001Z");
        assert_eq!(Microseconds(-1).to_string(), "1969-12-31T23:59:59.999999Z");
    }
}

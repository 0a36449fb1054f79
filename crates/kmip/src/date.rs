//! Times in ISO 8601, for the text encodings and the redacted text (2.1 profiles,
//! 5.4.1; Additional Message Encodings 1.0, 4.1.6.11).
//!
//! No zone but UTC is written; any is read.

use core::fmt::{self, Write};

const SECONDS_A_DAY: i64 = 86_400;
const MICROSECONDS: i64 = 1_000_000;

/// The zone of all that is written in a text encoding.
#[cfg(feature = "encodings")]
pub(crate) const UTC: &str = "+00:00";

/// Writes `2008-03-14T11:56:40`, without a zone.
pub(crate) fn write_seconds(f: &mut impl Write, seconds: i64) -> fmt::Result {
    let (year, month, day) = civil(seconds.div_euclid(SECONDS_A_DAY));
    let second = seconds.rem_euclid(SECONDS_A_DAY);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    // A year has four digits beside its sign.
    let sign = if year < 0 { "-" } else { "" };
    let year = year.unsigned_abs();
    write!(f, "{sign}{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// Writes `2008-03-14T11:56:40.000001`, without a zone.
pub(crate) fn write_microseconds(f: &mut impl Write, microseconds: i64) -> fmt::Result {
    write_seconds(f, microseconds.div_euclid(MICROSECONDS))?;
    write!(f, ".{:06}", microseconds.rem_euclid(MICROSECONDS))
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

/// Reads a time: seconds since 1970, and the microseconds beyond them.
///
/// ```text
/// '-'? yyyy '-' mm '-' dd 'T' hh ':' mm ':' ss ('.' s+)? ((('+' | '-') hh ':' mm) | 'Z')?
/// ```
///
/// A time without a zone is in UTC; what is finer than a microsecond is cut off.
#[cfg(feature = "encodings")]
pub(crate) fn parse(text: &str) -> Option<(i64, i64)> {
    let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (date, time) = rest.split_once('T')?;
    let mut date = date.splitn(3, '-');
    let year = digits(date.next()?, 4..=12)?.checked_mul(sign)?;
    let month = digits(date.next()?, 2..=2).filter(|month| (1..=12).contains(month))?;
    let day = digits(date.next()?, 2..=2)?;
    let days = days(year, month, day);
    // The day that the calendar has is the one that was asked for: there is no 30 February.
    (civil(days) == (year, month, day)).then_some(())?;

    let (time, zone) = match time.find(['Z', '+', '-']) {
        Some(at) => time.split_at_checked(at)?,
        None => (time, "Z"),
    };
    let (clock, fraction) = time.split_once('.').map_or((time, "0"), |parts| parts);
    let mut clock = clock.splitn(3, ':');
    let mut next = |max| digits(clock.next()?, 2..=2).filter(|part| *part <= max);
    let second = clock_seconds(next(23)?, next(59)?, next(59)?);
    let second = second.checked_sub(zone_offset(zone)?)?;
    // The earliest second there is is later than the beginning of its day.
    let seconds =
        i128::from(days).checked_mul(i128::from(SECONDS_A_DAY))?.checked_add(i128::from(second))?;
    Some((seconds.try_into().ok()?, micros(fraction)?))
}

/// Microseconds since 1970 of a time that [`parse`] has read.
#[cfg(feature = "encodings")]
pub(crate) fn to_microseconds((seconds, beyond): (i64, i64)) -> Option<i64> {
    // The earliest time there is has no whole second below it.
    i128::from(seconds)
        .checked_mul(i128::from(MICROSECONDS))?
        .checked_add(i128::from(beyond))?
        .try_into()
        .ok()
}

/// Days since 1970-01-01: the other way of [`civil`].
#[cfg(feature = "encodings")]
#[allow(clippy::arithmetic_side_effects, reason = "a year has at most twelve digits")]
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let day = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day - 719_468
}

#[cfg(feature = "encodings")]
#[allow(clippy::arithmetic_side_effects, reason = "the parts of a clock are below a hundred")]
const fn clock_seconds(hour: i64, minute: i64, second: i64) -> i64 {
    (hour * 60 + minute) * 60 + second
}

/// Seconds that a zone is before UTC.
#[cfg(feature = "encodings")]
fn zone_offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let hours = digits(hours, 2..=2).filter(|hours| *hours <= 14)?;
    let minutes = digits(minutes, 2..=2).filter(|minutes| *minutes <= 59)?;
    clock_seconds(hours, minutes, 0).checked_mul(sign)
}

/// Number in decimal digits, if it has one of these lengths.
#[cfg(feature = "encodings")]
fn digits(text: &str, lengths: core::ops::RangeInclusive<usize>) -> Option<i64> {
    let is_number = text.bytes().all(|digit| digit.is_ascii_digit());
    (is_number && lengths.contains(&text.len())).then(|| text.parse().ok()).flatten()
}

/// Microseconds of the digits behind a point.
#[cfg(feature = "encodings")]
fn micros(digits: &str) -> Option<i64> {
    let all = digits.bytes().all(|digit| digit.is_ascii_digit()) && !digits.is_empty();
    let six = digits.bytes().chain(core::iter::repeat(b'0')).take(6);
    let number = six.fold(0_i64, |number, digit| {
        number.saturating_mul(10).saturating_add(i64::from(digit).saturating_sub(0x30))
    });
    all.then_some(number)
}

#[cfg(test)]
mod tests {
    #[test]
    fn seconds_are_dates() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00"),
            (-1, "1969-12-31T23:59:59"),
            (951_782_399, "2000-02-28T23:59:59"),
            (951_782_400, "2000-02-29T00:00:00"),
            (951_868_800, "2000-03-01T00:00:00"),
            (1_205_495_800, "2008-03-14T11:56:40"),
            (4_107_542_399, "2100-02-28T23:59:59"),
            (4_107_542_400, "2100-03-01T00:00:00"),
            (253_402_300_799, "9999-12-31T23:59:59"),
            (-62_167_219_200, "0000-01-01T00:00:00"),
            (-62_167_219_201, "-0001-12-31T23:59:59"),
            (-72_253_859_852, "-0320-05-13T11:22:28"),
            (-93_724_128_001, "-1001-12-31T23:59:59"),
            (i64::MAX, "292277026596-12-04T15:30:07"),
            (i64::MIN, "-292277022657-01-27T08:29:52"),
        ] {
            let mut written = String::new();
            super::write_seconds(&mut written, seconds).unwrap();
            assert_eq!(written, text);
            #[cfg(feature = "encodings")]
            assert_eq!(super::parse(text), Some((seconds, 0)));
        }
    }

    #[test]
    fn microseconds_keep_their_fraction() {
        for (microseconds, text) in [
            (1_205_495_800_000_001, "2008-03-14T11:56:40.000001"),
            (-1, "1969-12-31T23:59:59.999999"),
            (i64::MIN, "-290308-12-21T19:59:05.224192"),
        ] {
            let mut written = String::new();
            super::write_microseconds(&mut written, microseconds).unwrap();
            assert_eq!(written, text);
            #[cfg(feature = "encodings")]
            assert_eq!(super::parse(text).and_then(super::to_microseconds), Some(microseconds));
        }
    }

    #[cfg(feature = "encodings")]
    #[test]
    fn zones_and_fractions_are_read() {
        for (text, read) in [
            ("2001-01-01T10:00:00+10:00", Some((978_307_200, 0))),
            ("2000-12-31T19:30:00-04:30", Some((978_307_200, 0))),
            ("2001-01-01T00:00:00Z", Some((978_307_200, 0))),
            ("2001-01-01T00:00:00.5Z", Some((978_307_200, 500_000))),
            ("2001-01-01T00:00:00.1234567890", Some((978_307_200, 123_456))),
            ("2001-02-30T00:00:00Z", None),
            ("2001-13-01T00:00:00Z", None),
            ("2001-01-00T00:00:00Z", None),
            ("2001-01-01T24:00:00Z", None),
            ("2001-01-01T00:60:00Z", None),
            ("2001-01-01T00:00:60Z", None),
            ("2001-01-01T00:00:00+15:00", None),
            ("2001-01-01T00:00:00.", None),
            ("2001-01-01T00:00:0\u{663}", None),
            ("2001-01-01T00:00", None),
            ("2001-01-01", None),
            ("999999999999-01-01T00:00:00Z", None),
            ("", None),
        ] {
            assert_eq!(super::parse(text), read, "{text}");
        }
    }
}

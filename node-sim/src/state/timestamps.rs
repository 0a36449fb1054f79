//! Dates as Element writes them: ISO 8601 in UTC, to the second or to the microsecond.

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const SECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
const MICROSECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// Results of asynchronous calls, volumes and keys: `2021-01-01T22:29:18Z`.
#[must_use]
pub(crate) fn format_seconds(date: OffsetDateTime) -> String {
    write(date, SECONDS)
}

/// Faults and events: `2021-04-13T04:54:37.797859Z`.
#[must_use]
pub(crate) fn format_microseconds(date: OffsetDateTime) -> String {
    write(date, MICROSECONDS)
}

/// A date of either form, or with an offset; `None` when the text is neither.
#[must_use]
pub(crate) fn parse(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()
}

/// Writing fails only for a year of five digits, which no clock of a cluster shows.
fn write(date: OffsetDateTime, form: &[BorrowedFormatItem<'_>]) -> String {
    date.to_offset(time::UtcOffset::UTC).format(form).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{format_microseconds, format_seconds, parse};

    #[test]
    fn dates_are_written_as_element_writes_them() {
        let date = parse("2021-04-13T06:54:37.797859+02:00").unwrap();
        assert_eq!(format_seconds(date), "2021-04-13T04:54:37Z");
        assert_eq!(format_microseconds(date), "2021-04-13T04:54:37.797859Z");
    }
}

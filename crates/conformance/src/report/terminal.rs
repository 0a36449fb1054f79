//! A run for the eyes: the matrix, then each failure with what came beside what should have come.

use std::fmt::Write;

use super::matrix::Matrix;
use crate::run::{Failure, Outcome, Verdict};

/// How wide each of two columns is.
const COLUMN: usize = 58;

/// The report; `whole` shows the messages of each failure too.
pub fn report(outcomes: &[Outcome], whole: bool) -> String {
    let mut page = String::new();
    for outcome in outcomes {
        // Text takes whatever is written.
        let _ = failure(&mut page, outcome, whole);
    }
    let _ = table(&mut page, &Matrix::from_outcomes(outcomes));
    page
}

fn table(page: &mut String, matrix: &Matrix) -> std::fmt::Result {
    write!(page, "\n{:<14}", "")?;
    for version in &matrix.versions {
        write!(page, "{:>12}", version.to_string())?;
    }
    writeln!(page)?;
    for profile in matrix.rows.keys() {
        write!(page, "{profile:<14}")?;
        for version in &matrix.versions {
            let cell = matrix.cell(profile, *version).map(|cell| cell.to_string());
            write!(page, "{:>12}", cell.unwrap_or_else(|| "-".to_owned()))?;
        }
        writeln!(page)?;
    }
    let total = matrix.total;
    write!(page, "\n{} of {} cases held", total.held, total.all())?;
    match total.others {
        0 => writeln!(page),
        others => writeln!(page, "; {others} more are for servers of another policy"),
    }
}

fn failure(page: &mut String, outcome: &Outcome, whole: bool) -> std::fmt::Result {
    match &outcome.verdict {
        Verdict::Held | Verdict::OtherPolicy(_) => Ok(()),
        Verdict::NotRun(why) => writeln!(page, "\n{}: not run: {why}", outcome.name),
        Verdict::Failed(failures) => {
            for failure in failures {
                writeln!(
                    page,
                    "\n{} step {} ({})",
                    outcome.name, failure.step, failure.operations
                )?;
                for finding in &failure.findings {
                    writeln!(page, "  {}: {}", finding.path, finding.what)?;
                    writeln!(page, "      {}", finding.rule)?;
                }
                if whole {
                    side_by_side(page, failure)?;
                }
            }
            Ok(())
        }
    }
}

/// Two messages beside each other; a bar between lines that differ.
fn side_by_side(page: &mut String, failure: &Failure) -> std::fmt::Result {
    writeln!(page, "  {:<COLUMN$}   came", "should have come")?;
    let (mut left, mut right) = (failure.expected.lines(), failure.actual.lines());
    loop {
        let (a, b) = match (left.next(), right.next()) {
            (None, None) => return Ok(()),
            (a, b) => (a.unwrap_or_default(), b.unwrap_or_default()),
        };
        let mark = if a == b { ' ' } else { '|' };
        let a: String = a.chars().take(COLUMN).collect();
        let b: String = b.chars().take(COLUMN).collect();
        writeln!(page, "  {a:<COLUMN$} {mark} {b}")?;
    }
}

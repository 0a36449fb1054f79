//! A run as JUnit XML, which build servers read: a suite a version, a case a case.

use std::fmt::Write;

use super::escape_xml;
use super::matrix::Matrix;
use crate::run::{Outcome, Verdict};

/// The report.
pub(crate) fn report(outcomes: &[Outcome]) -> String {
    let mut page = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Text takes whatever is written.
    let _ = suites(&mut page, outcomes);
    page
}

fn suites(page: &mut String, outcomes: &[Outcome]) -> std::fmt::Result {
    let total = Matrix::from_outcomes(outcomes);
    writeln!(
        page,
        "<testsuites name=\"kmip-conformance\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">",
        outcomes.len(),
        total.total.bad,
        total.total.others
    )?;
    for version in &total.versions {
        let own: Vec<&Outcome> = outcomes.iter().filter(|o| o.version == *version).collect();
        let cell = Matrix::from_outcomes(own.iter().copied()).total;
        let duration: f64 = own.iter().map(|outcome| outcome.duration.as_secs_f64()).sum();
        writeln!(
            page,
            "  <testsuite name=\"KMIP {version}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" \
             time=\"{duration:.3}\">",
            own.len(),
            cell.bad,
            cell.others
        )?;
        for outcome in own {
            case(page, outcome)?;
        }
        writeln!(page, "  </testsuite>")?;
    }
    writeln!(page, "</testsuites>")
}

fn case(page: &mut String, outcome: &Outcome) -> std::fmt::Result {
    write!(
        page,
        "    <testcase classname=\"{}.{}\" name=\"{}\" time=\"{:.3}\"",
        escape_xml(&outcome.version.to_string()),
        escape_xml(&outcome.profile),
        escape_xml(&outcome.name),
        outcome.duration.as_secs_f64()
    )?;
    match &outcome.verdict {
        Verdict::Held => writeln!(page, "/>"),
        Verdict::OtherPolicy(policy) => writeln!(
            page,
            "><skipped message=\"for servers that take of a seed: {}\"/></testcase>",
            policy.name()
        ),
        Verdict::NotRun(why) => {
            writeln!(page, "><failure message=\"not run: {}\"/></testcase>", escape_xml(why))
        }
        Verdict::Failed(failures) => {
            writeln!(page, ">")?;
            for failure in failures {
                let findings = failure.findings.iter();
                let first = findings.clone().next();
                let message = first.map(|first| format!("{}: {}", first.path, first.what));
                let message = escape_xml(&message.unwrap_or_default());
                writeln!(page, "      <failure message=\"step {}: {message}\">", failure.step)?;
                for finding in findings {
                    let line = format!("{}: {} ({})", finding.path, finding.what, finding.rule);
                    writeln!(page, "{}", escape_xml(&line))?;
                }
                writeln!(page, "expected:\n{}", escape_xml(&failure.expected))?;
                writeln!(page, "actual:\n{}      </failure>", escape_xml(&failure.actual))?;
            }
            writeln!(page, "    </testcase>")
        }
    }
}

//! A run as JUnit XML, which build servers read: a suite a version, a case a case.

use std::fmt::Write;

use super::escaped;
use super::matrix::Matrix;
use crate::run::{Outcome, Verdict};

/// The report.
pub fn report(outcomes: &[Outcome]) -> String {
    let mut page = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Text takes whatever is written.
    let _ = suites(&mut page, outcomes);
    page
}

fn suites(page: &mut String, outcomes: &[Outcome]) -> std::fmt::Result {
    let total = Matrix::of(outcomes);
    writeln!(
        page,
        "<testsuites name=\"kmip-conformance\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">",
        outcomes.len(),
        total.total.bad,
        total.total.others
    )?;
    for version in &total.versions {
        let own: Vec<&Outcome> = outcomes.iter().filter(|o| o.version == *version).collect();
        let cell = Matrix::of(own.iter().copied()).total;
        let took: f64 = own.iter().map(|outcome| outcome.took.as_secs_f64()).sum();
        writeln!(
            page,
            "  <testsuite name=\"KMIP {version}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" \
             time=\"{took:.3}\">",
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
        escaped(&outcome.version.to_string()),
        escaped(&outcome.profile),
        escaped(&outcome.name),
        outcome.took.as_secs_f64()
    )?;
    match &outcome.verdict {
        Verdict::Held => writeln!(page, "/>"),
        Verdict::OtherPolicy(policy) => writeln!(
            page,
            "><skipped message=\"for servers that take of a seed: {}\"/></testcase>",
            policy.name()
        ),
        Verdict::NotRun(why) => {
            writeln!(page, "><failure message=\"not run: {}\"/></testcase>", escaped(why))
        }
        Verdict::Failed(failures) => {
            writeln!(page, ">")?;
            for failure in failures {
                let findings = failure.findings.iter();
                let first = findings.clone().next();
                let message = first.map(|first| format!("{}: {}", first.path, first.what));
                let message = escaped(&message.unwrap_or_default());
                writeln!(page, "      <failure message=\"step {}: {message}\">", failure.step)?;
                for finding in findings {
                    let line = format!("{}: {} ({})", finding.path, finding.what, finding.rule);
                    writeln!(page, "{}", escaped(&line))?;
                }
                writeln!(page, "expected:\n{}", escaped(&failure.expected))?;
                writeln!(page, "actual:\n{}      </failure>", escaped(&failure.actual))?;
            }
            writeln!(page, "    </testcase>")
        }
    }
}

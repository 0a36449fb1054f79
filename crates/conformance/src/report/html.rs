//! A run as one page of HTML, with nothing to be loaded from elsewhere.

use std::fmt::Write;

use super::escape_xml;
use super::matrix::Matrix;
use crate::run::{Failure, Outcome, Verdict};

const HEAD: &str = "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n\
    <title>KMIP conformance</title>\n<style>\n\
    body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 80em; }\n\
    table { border-collapse: collapse; } td, th { padding: .25em .8em; text-align: right; }\n\
    th:first-child, td:first-child { text-align: left; } tr + tr { border-top: 1px solid #ccc; }\n\
    .held { background: #e3f4e3; } .bad { background: #fbe0e0; }\n\
    pre { font-size: 12px; overflow-x: auto; background: #f6f6f6; padding: .6em; margin: 0; }\n\
    .two { display: grid; grid-template-columns: 1fr 1fr; gap: .6em; }\n\
    .differs { background: #ffe9a8; } summary { cursor: pointer; } small { color: #555; }\n\
    </style>\n";

/// The report.
pub(crate) fn report(server: &str, outcomes: &[Outcome]) -> String {
    let mut page = String::from(HEAD);
    // Text takes whatever is written.
    let _ = body(&mut page, server, outcomes);
    page
}

fn body(page: &mut String, server: &str, outcomes: &[Outcome]) -> std::fmt::Result {
    let matrix = Matrix::from_outcomes(outcomes);
    let total = matrix.total;
    writeln!(page, "<h1>{} of {} cases held</h1>", total.held, total.all())?;
    writeln!(page, "<p>The OASIS KMIP profile test cases against {}.</p>", escape_xml(server))?;
    writeln!(page, "<table><tr><th>profile</th>")?;
    for version in &matrix.versions {
        writeln!(page, "<th>{version}</th>")?;
    }
    writeln!(page, "</tr>")?;
    for profile in matrix.rows.keys() {
        write!(page, "<tr><td>{}</td>", escape_xml(profile))?;
        for version in &matrix.versions {
            match matrix.cell(profile, *version) {
                Some(cell) if cell.bad == 0 => write!(page, "<td class=\"held\">{cell}</td>")?,
                Some(cell) => write!(page, "<td class=\"bad\">{cell}</td>")?,
                None => write!(page, "<td></td>")?,
            }
        }
        writeln!(page, "</tr>")?;
    }
    writeln!(page, "</table>")?;
    for outcome in outcomes {
        match &outcome.verdict {
            Verdict::Held | Verdict::OtherPolicy(_) => {}
            Verdict::NotRun(why) => {
                writeln!(page, "<h2>{}</h2><p>not run: {}</p>", outcome.name, escape_xml(why))?;
            }
            Verdict::Failed(failures) => {
                writeln!(page, "<h2>{}</h2>", escape_xml(&outcome.name))?;
                for failed in failures {
                    failure(page, failed)?;
                }
            }
        }
    }
    Ok(())
}

fn failure(page: &mut String, failure: &Failure) -> std::fmt::Result {
    writeln!(page, "<h3>step {}: {}</h3><ul>", failure.step, escape_xml(&failure.operations))?;
    for finding in &failure.findings {
        writeln!(
            page,
            "<li><b>{}</b>: {}<br><small>{}</small>",
            escape_xml(&finding.path),
            escape_xml(&finding.what),
            escape_xml(&finding.rule)
        )?;
    }
    writeln!(page, "</ul><details><summary>messages</summary>")?;
    writeln!(page, "<p>sent</p><pre>{}</pre><div class=\"two\">", escape_xml(&failure.request))?;
    let columns = [
        ("should have come", &failure.expected, &failure.actual),
        ("came", &failure.actual, &failure.expected),
    ];
    for (title, own, other) in columns {
        write!(page, "<div><p>{title}</p><pre>")?;
        let mut other = other.lines();
        for line in own.lines() {
            match other.next() == Some(line) {
                true => writeln!(page, "{}", escape_xml(line))?,
                false => writeln!(page, "<span class=\"differs\">{}</span>", escape_xml(line))?,
            }
        }
        writeln!(page, "</pre></div>")?;
    }
    writeln!(page, "</div></details>")
}

//! `docs/conformance.md`, out of the reports of runs.
//!
//! Nothing in it is written by hand: what held, which operation which case asks for, and which
//! variations the comparison permits are all read from the reports and from the tables here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use kmip::Version;
use kmip::vocabulary::Operation;

use crate::case;
use crate::report::json::Row;
use crate::tolerances::{CASE_VARIATIONS, RULES};

/// The report of a run, and whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// The server's name.
    pub(crate) server: String,
    /// Its cases.
    pub(crate) rows: Vec<Row>,
}

const HEAD: &str = "# Conformance\n\n\
    Made by `kmip-conformance docs` out of the reports of `kmip-conformance run`; do not edit it.\n\
    The cases are the OASIS KMIP profile test cases, each sent over the wire in its own encoding \
    and compared by section 4.1 of the profiles and nothing looser. CS-RNG-O-1 to -4 exclude each \
    other: each runs under its own setting of the server. PKCS11-M-1 runs with SoftHSM2.\n";

/// The document: the first report is ours, the others stand beside it.
pub(crate) fn document(ours: &Report, others: &[Report]) -> String {
    let mut page = String::from(HEAD);
    // Text takes whatever is written.
    let _ = profiles(&mut page, ours, others);
    let _ = operations(&mut page, ours);
    let _ = deviations(&mut page, ours);
    let _ = repairs(&mut page);
    let _ = rules(&mut page);
    page
}

fn versions(rows: &[Row]) -> BTreeSet<Version> {
    rows.iter().map(|row| row.version).collect()
}

/// `7`, or `5 of 7`; nothing where there is no case.
fn cell<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let (mut held, mut all) = (0_usize, 0_usize);
    for row in rows.filter(|row| row.verdict != "other policy") {
        all = all.saturating_add(1);
        if row.verdict == "held" {
            held = held.saturating_add(1);
        }
    }
    match (held, all) {
        (_, 0) => String::new(),
        (held, all) if held == all => held.to_string(),
        (held, all) => format!("{held} of {all}"),
    }
}

fn profiles(page: &mut String, ours: &Report, others: &[Report]) -> std::fmt::Result {
    for report in core::iter::once(ours).chain(others) {
        let versions = versions(&report.rows);
        writeln!(page, "\n## Profiles by versions: {}\n", report.server)?;
        write!(page, "| profile |")?;
        versions.iter().try_for_each(|version| write!(page, " {version} |"))?;
        writeln!(page, "\n|---|{}", "---|".repeat(versions.len()))?;
        let names: BTreeSet<&str> = report.rows.iter().map(|row| row.profile.as_str()).collect();
        for name in names {
            write!(page, "| {name} |")?;
            for version in &versions {
                let of = |row: &&Row| row.profile == name && row.version == *version;
                write!(page, " {} |", cell(report.rows.iter().filter(of)))?;
            }
            writeln!(page)?;
        }
        write!(page, "| **all** |")?;
        for version in &versions {
            let of = |row: &&Row| row.version == *version;
            write!(page, " {} |", cell(report.rows.iter().filter(of)))?;
        }
        writeln!(page)?;
        writeln!(page, "\n{} cases hold.", cell(report.rows.iter()))?;
    }
    Ok(())
}

fn operations(page: &mut String, ours: &Report) -> std::fmt::Result {
    let versions = versions(&ours.rows);
    writeln!(page, "\n## Operations by versions and cases\n")?;
    writeln!(page, "How many cases that ask for the operation hold, and some of them.\n")?;
    write!(page, "| operation |")?;
    versions.iter().try_for_each(|version| write!(page, " {version} |"))?;
    writeln!(page, " cases |\n|---|{}---|", "---|".repeat(versions.len()))?;
    let mut by_operation: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in Operation::ROWS.iter().filter(|row| row.since <= Version::V2_1) {
        by_operation.insert(row.name, Vec::new());
    }
    for row in &ours.rows {
        for operation in &row.operations {
            by_operation.entry(operation.as_str()).or_default().push(row);
        }
    }
    for (operation, rows) in by_operation {
        write!(page, "| {operation} |")?;
        for version in &versions {
            let of = |row: &&&Row| row.version == *version;
            write!(page, " {} |", cell(rows.iter().filter(of).copied()))?;
        }
        let bases: BTreeSet<&str> = rows.iter().map(|row| base(&row.name)).collect();
        let some: Vec<&str> = bases.iter().copied().take(4).collect();
        let more = if bases.len() > some.len() { ", ..." } else { "" };
        writeln!(page, " {}{more} |", some.join(", "))?;
    }
    Ok(())
}

/// The name of a case without its version.
fn base(name: &str) -> &str {
    name.rsplit_once('-').map_or(name, |(base, _)| base)
}

fn deviations(page: &mut String, ours: &Report) -> std::fmt::Result {
    writeln!(page, "\n## Deviations\n")?;
    let bad: Vec<&Row> = ours.rows.iter().filter(|row| row.verdict != "held").collect();
    if bad.is_empty() {
        return writeln!(page, "None: every case holds.");
    }
    writeln!(page, "| case | what | why |\n|---|---|---|")?;
    for row in bad {
        let why = row.why.replace('|', "\\|").replace('\n', " ");
        writeln!(page, "| {} | {} | {why} |", row.name, row.verdict)?;
    }
    Ok(())
}

fn repairs(page: &mut String) -> std::fmt::Result {
    writeln!(page, "\n## Repaired in print\n\n| case | repair |\n|---|---|")?;
    for (case, repair) in case::repairs() {
        writeln!(page, "| {case} | {repair} |")?;
    }
    Ok(())
}

fn rules(page: &mut String) -> std::fmt::Result {
    writeln!(page, "\n## What may differ from a case\n")?;
    writeln!(
        page,
        "The whole table of the comparison. V and P are the two lists of 4.1.1 of the 2.1 \
         profiles (4.7 and 8.4 of the older ones), B is 4.1.2; T is the text of a case, C is \
         where the cases contradict each other.\n"
    )?;
    writeln!(page, "| rule | versions | what may differ | when |\n|---|---|---|---|")?;
    for rule in RULES {
        writeln!(
            page,
            "| {} | {} to {} | {:?}: {} | {:?} |",
            rule.number, rule.since, rule.until, rule.variation, rule.why, rule.condition
        )?;
    }
    for free in CASE_VARIATIONS {
        let required = match free.required {
            [] => String::new(),
            required => format!("; not {}", required.join(", ")),
        };
        let names = free.names.join(", ");
        writeln!(page, "| T | all | {}: {names}{required} | \"{}\" |", free.case, free.text)?;
    }
    Ok(())
}

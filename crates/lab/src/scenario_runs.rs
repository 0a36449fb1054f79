//! `lab run`: scenarios, each against a lab of its own, or against one that runs.

use crate::lab::{Lab, PASSWORD, Settings, USER};
use clap::Args;
use lab_tools::cluster::Cluster;
use lab_tools::https::Https;
use lab_tools::scenario::play::{Faults, play};
use lab_tools::scenario::{Outcome, Scenario, report};
use std::path::PathBuf;

/// What is run.
#[derive(Args)]
pub(crate) struct Run {
    /// Names of `lab run list`, `all`, or files of your own that end in .toml
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Write a report in HTML to this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Leave the faults out: then a scenario that is about one must fail
    #[arg(long)]
    without_faults: bool,
    /// Host and port of a cluster that runs, with a lab controller and without a key provider
    #[arg(long, value_name = "HOST:PORT", requires = "ca")]
    cluster: Option<String>,
    /// Authority of its certificate, in PEM
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Password of its administrator
    #[arg(
        long,
        value_name = "TEXT",
        env = "LAB_PASSWORD",
        default_value = PASSWORD,
        hide_env_values = true
    )]
    password: String,
}

/// Runs the scenarios; whether all have passed.
pub(crate) async fn run(run: &Run, settings: &Settings) -> Result<bool, String> {
    if run.names == ["list"] {
        for scenario in Scenario::built_in()? {
            println_line(&format!("{:<26} {}", scenario.name, scenario.title));
        }
        return Ok(true);
    }
    let scenarios = match run.names.iter().any(|name| name == "all") {
        true => Scenario::built_in()?,
        false => run.names.iter().map(|name| Scenario::find(name)).collect::<Result<_, _>>()?,
    };
    if run.cluster.is_some() && scenarios.len() > 1 {
        return Err("a cluster that runs takes one scenario: it leaves a key provider".to_owned());
    }
    let mut outcomes = Vec::new();
    for scenario in &scenarios {
        outcomes.push(run_one(run, settings, scenario).await?);
    }
    if let Some(path) = &run.report {
        std::fs::write(path, report::html(&outcomes))
            .map_err(|why| format!("{}: {why}", path.display()))?;
        println_line(&format!("report: {}", path.display()));
    }
    let passed = outcomes.iter().filter(|outcome| outcome.has_passed()).count();
    println_line(&format!("{passed} of {} scenarios passed", outcomes.len()));
    Ok(passed == outcomes.len())
}

async fn run_one(run: &Run, settings: &Settings, scenario: &Scenario) -> Result<Outcome, String> {
    println_line(&format!("\n=== {}\n\n{}\n", scenario.title, scenario.story.trim()));
    let faults = if run.without_faults { Faults::LeftOut } else { Faults::Played };
    let mut tell = |say: &str, result: Option<&Result<(), String>>| match result {
        None => println_line(&format!("    {say}")),
        Some(Ok(())) => {}
        Some(Err(why)) => println_line(&format!("    FAILED: {why}")),
    };
    match (&run.cluster, &run.ca) {
        (Some(authority), Some(ca)) => {
            let cluster = Cluster::new(Https::new(authority, ca)?, USER, &run.password);
            play(scenario, &cluster, faults, &mut tell).await
        }
        _ => {
            // It ends with the scenario.
            let lab = Lab::start(settings, true).await?;
            let ca = lab.pki().join("ca.crt");
            let https = Https::new(&lab.cluster_address(), &ca)?;
            let cluster = Cluster::new(https, USER, PASSWORD);
            play(scenario, &cluster, faults, &mut tell).await
        }
    }
}

fn println_line(text: &str) {
    use std::io::Write;
    // Whoever closed the stream reads no more.
    let _ = writeln!(std::io::stdout(), "{text}");
}

//! The program `kmip-proxy`: the only place that prints and listens to signals.

mod escaped_lines;
mod failure;
mod flags;
mod identities;
mod report;
mod serve;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::failure::Failure;
use self::flags::Serve;
use crate::rules;

/// A KMIP-aware TLS proxy that records conversations and injects faults by rules.
#[derive(Parser)]
#[command(name = "kmip-proxy", version, after_help = "docs/proxy.md has an example of each rule.")]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Relay between clients and a server until SIGTERM or SIGINT; SIGUSR1 prints the counts.
    #[command(after_help = SERVE_HELP)]
    Serve(Box<Serve>),
    /// Check a file of rules, and print their names
    Check {
        /// File of rules, in TOML
        file: PathBuf,
    },
}

const SERVE_HELP: &str = "\
A flag is stronger than its variable. At the end, and with SIGUSR1, the program prints how often
each rule fired, and warns of each that never did.
The status is 0; 1 after a failure; 2 for a wrong setting; 3 with --fail-unfired if a rule never
fired.";

/// Runs the program with `args`, the program's name first.
pub fn run<I>(args: I) -> ExitCode
where
    I: IntoIterator,
    I::Item: Into<OsString> + Clone,
{
    let program = match Program::try_parse_from(args) {
        Ok(program) => program,
        Err(told) => return tell(&told),
    };
    let done = match program.command {
        Command::Serve(serve) => serve::run(*serve),
        Command::Check { file } => check(&file),
    };
    let (why, status) = match done {
        Ok(()) => return ExitCode::SUCCESS,
        // The report has said which.
        Err(Failure::Unfired) => return ExitCode::from(3),
        Err(Failure::Setting(why)) => (why, 2),
        Err(Failure::Other(why)) => (why, 1),
    };
    // If the terminal is closed, nobody reads it.
    let _ = writeln!(std::io::stderr(), "kmip-proxy: {why}");
    ExitCode::from(status)
}

/// Prints help, version, or in one sentence what is wrong with the flags.
fn tell(told: &clap::Error) -> ExitCode {
    if !told.use_stderr() {
        let _ = told.print();
        return ExitCode::SUCCESS;
    }
    let text = told.to_string();
    let sentence = text.split("\n\n").next().unwrap_or_default();
    let words = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = words.strip_prefix("error: ").unwrap_or(&words);
    let _ = writeln!(std::io::stderr(), "kmip-proxy: {words}; see --help");
    ExitCode::from(2)
}

fn check(file: &std::path::Path) -> Result<(), Failure> {
    let rules = rules::parse_file(file).map_err(|why| Failure::Setting(why.to_string()))?;
    let names: String = rules.iter().map(|rule| format!("{}\n", rule.name)).collect();
    let _ = std::io::stdout().write_all(names.as_bytes());
    Ok(())
}

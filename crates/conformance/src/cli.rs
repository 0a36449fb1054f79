//! Command line of `kmip-conformance`, and all output to a terminal.

use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::case::{self, Case};
use crate::decode::{self, Format};
use crate::docs::{self, Report};
use crate::prerequisites::SeedPolicy;
use crate::report::{html, json, junit, matrix, terminal};
use crate::run::{self, Outcome, Settings, Verdict};
use crate::transport::Server;
use crate::wire;

/// The OASIS KMIP test cases against any server.
#[derive(Parser)]
#[command(name = "kmip-conformance", version)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Send test cases to a server and compare each answer, as section 4.1 of the profiles says
    #[command(after_help = RUN_HELP)]
    Run(Box<Run>),
    /// Send malformed and hostile messages, and see that the server still serves
    Wire(Target),
    /// Show a message: hex, base64, a file or standard input, as text, XML, JSON or bytes
    Decode(Decode),
    /// Write docs/conformance.md out of the JSON reports of runs
    Docs(Docs),
}

const RUN_HELP: &str = "\
The cases are OASIS's and are published beside the profiles, one XML file each:
  https://docs.oasis-open.org/kmip/kmip-profiles/v2.1/os/test-cases/
Any folder of them will do, however deep. What a case makes on the server is destroyed after it.
The exit status is 0 when all cases held, 1 when one did not, 2 when none could be run.";

#[derive(Args)]
struct Target {
    /// The server
    #[arg(long, value_name = "HOST:PORT")]
    server: String,
    /// The authorities in PEM that may have signed the server's certificate
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
    /// The client's certificate in PEM
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// The private key of that certificate in PEM
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

#[derive(Args)]
struct Run {
    /// The folder with the cases
    #[arg(long, value_name = "DIR", env = "KMIP_CASES")]
    cases: PathBuf,
    #[command(flatten)]
    target: Target,
    /// Where the server speaks KMIP over HTTPS, for the cases of that encoding
    #[arg(long, value_name = "HOST:PORT")]
    https: Option<String>,
    /// Only cases of this version; may be given several times
    #[arg(long, value_name = "2.1")]
    version: Vec<String>,
    /// Only cases of this profile; may be given several times
    #[arg(long, value_name = "SASED")]
    profile: Vec<String>,
    /// Only the cases whose names begin so; may be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Only the mandatory cases
    #[arg(long)]
    mandatory: bool,
    /// What the server does with a seed [default: whatever one of the four cases shows]
    #[arg(long, value_name = "POLICY")]
    rng_seed_policy: Option<SeedPolicy>,
    /// Put this before each test identifier, so that names of earlier runs are not met
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,
    /// Destroy what a case would meet that it has not made
    #[arg(long)]
    destroy_leftovers: bool,
    /// Show the messages of each failure too
    #[arg(long)]
    verbose: bool,
    /// Write a report in HTML
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write a report in JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a report in JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Args)]
struct Decode {
    /// A file, or the message itself in hex or base64 [default: standard input]
    message: Option<String>,
    /// The form to write; text hides secrets, the others show them
    #[arg(long, default_value = "text")]
    to: Format,
}

#[derive(Args)]
struct Docs {
    /// The report of our own server
    #[arg(long, value_name = "NAME=FILE")]
    report: String,
    /// Reports of other servers, to stand beside it
    #[arg(long, value_name = "NAME=FILE")]
    beside: Vec<String>,
}

/// Result of a command that was carried out.
enum Status {
    Passed,
    Failed,
}

/// Runs the program with its arguments, the first of which is its name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let program = match Program::try_parse_from(args) {
        Ok(program) => program,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let done = match program.command {
        Command::Run(run) => run.run(),
        Command::Wire(target) => target.wire(),
        Command::Decode(decode) => decode.run(),
        Command::Docs(docs) => docs.run(),
    };
    match done {
        Ok(Status::Passed) => ExitCode::SUCCESS,
        Ok(Status::Failed) => ExitCode::FAILURE,
        Err(why) => {
            let _ = writeln!(io::stderr(), "kmip-conformance: {why}");
            ExitCode::from(2)
        }
    }
}

/// Prints to standard output; a reader that has gone away is no failure of ours.
fn print(text: &str) {
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

impl Target {
    fn open(&self, https: Option<&str>) -> Result<Server, String> {
        Server::new(&self.server, https, (&self.ca, &self.cert, &self.key))
    }

    fn wire(&self) -> Result<Status, String> {
        let server = self.open(None)?;
        let outcomes = wire::run(&server, &mut |outcome| {
            let row = &outcome.row;
            match &outcome.fault {
                None => print(&format!("held    {}\n", row.name)),
                Some(fault) => {
                    print(&format!(
                        "FAILED  {}\n        {}\n        {fault}\n",
                        row.name, row.wrong
                    ));
                }
            }
        })?;
        let held = outcomes.iter().filter(|outcome| outcome.fault.is_none()).count();
        print(&format!("\n{held} of {} messages were answered rightly\n", outcomes.len()));
        Ok(if held == outcomes.len() { Status::Passed } else { Status::Failed })
    }
}

impl Run {
    fn run(&self) -> Result<Status, String> {
        let server = self.target.open(self.https.as_deref())?;
        let read = case::read_all(&self.cases).map_err(|why| why.to_string())?;
        let cases = read.all;
        let wanted = |case: &Case| self.wants(case);
        let count = cases.iter().filter(|case| wanted(case)).count();
        if count == 0 {
            return Err("no case is of that version, profile and name".to_owned());
        }
        let settings = Settings {
            seed: self.rng_seed_policy,
            prefix: self.prefix.clone(),
            destroy_leftovers: self.destroy_leftovers,
        };
        let bar = progress(count);
        let mut bad = 0_usize;
        let outcomes = run::run(&server, &cases, &wanted, &settings, &mut |outcome| {
            if outcome.verdict.is_bad() {
                bad = bad.saturating_add(1);
            }
            bar.set_message(match bad {
                0 => outcome.name.clone(),
                bad => format!("{}, {bad} failed", outcome.name),
            });
            bar.inc(1);
        });
        bar.finish_and_clear();
        print(&terminal::report(&outcomes, self.verbose));
        if read.newer > 0 {
            print(&format!("{} cases of KMIP 3.0 were left out\n", read.newer));
        }
        self.write(&outcomes)?;
        let total = matrix::Matrix::from_outcomes(&outcomes).total;
        let all_held = outcomes.iter().all(|outcome| match outcome.verdict {
            Verdict::Held | Verdict::OtherPolicy(_) => true,
            Verdict::Failed(_) | Verdict::NotRun(_) => false,
        });
        Ok(if all_held && total.held > 0 { Status::Passed } else { Status::Failed })
    }

    fn wants(&self, case: &Case) -> bool {
        let one = |given: &[String], test: &dyn Fn(&str) -> bool| {
            given.is_empty() || given.iter().any(|given| test(given))
        };
        one(&self.version, &|version| case.version.to_string() == version)
            && one(&self.profile, &|profile| case.profile.eq_ignore_ascii_case(profile))
            && one(&self.only, &|name| begins_so(&case.name, name))
            && (case.mandatory || !self.mandatory)
    }

    fn write(&self, outcomes: &[Outcome]) -> Result<(), String> {
        let server = &self.target.server;
        let reports = [
            (&self.html, html::report(server, outcomes)),
            (&self.junit, junit::report(outcomes)),
            (&self.json, json::report(server, outcomes)),
        ];
        for (path, report) in reports {
            if let Some(path) = path {
                fs::write(path, report).map_err(|why| format!("{}: {why}", path.display()))?;
            }
        }
        Ok(())
    }
}

/// The bar on a terminal; nothing where the output is none.
fn progress(count: usize) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(count).unwrap_or(u64::MAX));
    match ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

impl Decode {
    fn run(&self) -> Result<Status, String> {
        let input = zeroize::Zeroizing::new(self.input()?);
        let messages = decode::read(&input)?;
        print(&decode::write(&messages, self.to)?);
        Ok(Status::Passed)
    }

    fn input(&self) -> Result<Vec<u8>, String> {
        let mut input = Vec::new();
        match self.message.as_deref() {
            None | Some("-") => {
                io::stdin().read_to_end(&mut input).map_err(|why| why.to_string())?;
            }
            Some(path) if Path::new(path).exists() => {
                input = fs::read(path).map_err(|why| format!("{path}: {why}"))?;
            }
            Some(message) => input.extend_from_slice(message.as_bytes()),
        }
        Ok(input)
    }
}

impl Docs {
    fn run(&self) -> Result<Status, String> {
        let ours = report(&self.report)?;
        let others: Result<Vec<Report>, String> =
            self.beside.iter().map(|given| report(given)).collect();
        print(&docs::document(&ours, &others?));
        Ok(Status::Passed)
    }
}

/// Reads `NAME=FILE`.
fn report(given: &str) -> Result<Report, String> {
    let (server, path) = given.split_once('=').ok_or("NAME=FILE is wanted")?;
    let text = fs::read_to_string(path).map_err(|why| format!("{path}: {why}"))?;
    let rows = json::read(&text).map_err(|why| format!("{path}: {why}"))?;
    Ok(Report { server: server.to_owned(), rows })
}

/// Tells whether the name of a case begins with these parts of one: `SKLC`, `SKLC-M-1`.
fn begins_so(case: &str, parts: &str) -> bool {
    case.strip_prefix(parts).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    #[test]
    fn cases_are_chosen_by_whole_parts_of_their_names() {
        let begin = |parts| super::begins_so("SKLC-M-1-21", parts);
        assert!(["SKLC", "SKLC-M", "SKLC-M-1", "SKLC-M-1-21"].into_iter().all(begin));
        assert!(!["SK", "SKLC-", "SKLC-M-11", "SKLC-M-1-2"].into_iter().any(begin));
    }
}

//! The lab: the migration of the master key from the cluster to a key server, as one command.
//!
//! ```text
//! main -+-> walkthrough -> verification    preparation, five steps, four proofs (facts)
//!       +-> next_steps                     `lab serve`: commands to try with curl
//!       +-> scenario_runs                  `lab run`: demonstrations that are tests too
//!       +-> lab_tools::{control, persona}  faults by the switch; sequences of products
//!       |
//!       `-> lab -> processes --> lab certs init ...          once
//!            |                   lab kmip-server serve ...   a process, restarted by the lab
//!            |                   lab node-sim serve ...      likewise
//!            +-> fault_tools     lab kmip-proxy serve ...    with `lab serve`
//!            +-> element (https)           the cluster's API
//!            +-> key_server                the key server, by KMIP
//!            `-> output . message_log      everything that is printed
//! ```
//!
//! The one program is also each of the others, so that one cargo command builds all that it needs.
//! It uses them only from outside: HTTPS, KMIP, files and signals.

mod element;
mod facts;
mod fault_tools;
mod key_server;
mod lab;
mod message_log;
mod next_steps;
mod output;
mod processes;
mod scenario_runs;
mod verification;
mod walkthrough;

use clap::{Parser, Subcommand};
use lab::{Lab, Settings};
use scenario_runs::Run;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// The exit status after Ctrl-C, as shells have it: 128 and the number of SIGINT.
const INTERRUPTED: u8 = 130;

const MORE_HELP: &str = "\
lab fault --help: faults of a running lab, by the switch
lab control --help: the lab controller, which switches them
lab persona --help: the call sequences of products that use KMIP, against any key server";

/// The main job in one command: makes certificates, starts a key server and a cluster of four
/// nodes, moves the master key to the key server step by step, and proves that the data needs it
#[derive(Parser)]
#[command(name = "lab", version, after_help = MORE_HELP)]
struct Program {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything, leave it running until Ctrl-C, and print what to try with curl
    Serve,
    /// Run scenarios: demonstrations with narration that are tests too; `lab run list` lists them
    Run(Run),
}

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    match args.first().and_then(|name| name.to_str()) {
        Some("certs") => certs::cli::run(args),
        Some("persona") => lab_tools::persona::run(args),
        Some("kmip-server") => {
            processes::end_with_parent();
            kmip_server::run(args)
        }
        Some("control") => {
            processes::end_with_parent();
            lab_tools::control::run(args)
        }
        Some("fault") => lab_tools::control::run_fault(args),
        Some("kmip-proxy") => {
            processes::end_with_parent();
            kmip_proxy::run(args)
        }
        Some("node-sim") => {
            processes::end_with_parent();
            node_sim::run(args)
        }
        Some(_) | None => run(&Program::parse()),
    }
}

fn run(program: &Program) -> ExitCode {
    let result = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|why| format!("it cannot start: {why}"))
        .and_then(|runtime| runtime.block_on(run_until_signal(program)));
    match result {
        Ok(status) => status,
        Err(why) => {
            // Standard error may be closed.
            let _ = writeln!(std::io::stderr(), "lab: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the walkthrough until it ends or until Ctrl-C. **Either way the processes are ended and
/// the folder is removed**: both go with the `Lab`.
async fn run_until_signal(program: &Program) -> Result<ExitCode, String> {
    let on = |kind| signal(kind).map_err(|why| format!("signals cannot be received: {why}"));
    let (mut interrupt, mut terminate) =
        (on(SignalKind::interrupt())?, on(SignalKind::terminate())?);
    let serves = matches!(program.command, Some(Command::Serve));
    let work = async {
        if let Some(Command::Run(run)) = &program.command {
            let passed = scenario_runs::run(run, &program.settings).await?;
            return Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        let mut lab = Lab::start(&program.settings, serves).await?;
        let done = if serves {
            next_steps::serve(&mut lab).await
        } else {
            walkthrough::run(&mut lab).await
        };
        done.map(|()| ExitCode::SUCCESS)
    };
    tokio::select! {
        result = work => result,
        _ = interrupt.recv() => Ok(interrupted(serves)),
        _ = terminate.recv() => Ok(interrupted(serves)),
    }
}

/// Exit status after a signal: success for `lab serve`, which only a signal ends.
fn interrupted(serves: bool) -> ExitCode {
    if serves { ExitCode::SUCCESS } else { ExitCode::from(INTERRUPTED) }
}

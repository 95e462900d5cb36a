//! From the command line to an exit code.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use super::args::{Cli, Command, ModelCommand};
use super::exit::{Exit, Failure};
use super::{
    bench, compare, data, doctor, evaluate, fetch, import, list, model, parity, pocket, replay, report, runs,
    shell, signals, slurm, status, suite, threads, verify, version,
};

/// Parses the command line, runs it and maps its end to an exit code.
pub fn main() -> ExitCode {
    super::closed_pipe::end_quietly();
    let cli = Cli::parse();
    let result = match cli.command {
        None => version::version(cli.verbose),
        Some(command) => {
            threads::settle(&command).and_then(|()| signals::watch()).and_then(|()| dispatch(command))
        }
    };
    let exit = match result {
        Ok(exit) => exit,
        Err(failure) => {
            // After HUP there may be no stderr any more.
            drop(writeln!(std::io::stderr(), "error: {}", failure.message));
            failure.exit
        }
    };
    ExitCode::from(exit as u8)
}

fn dispatch(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Suite(args) => suite::suite(&args),
        Command::Slurm(args) => slurm::slurm(&args),
        Command::Status(args) => status::status(&args),
        Command::Evaluate(args) => evaluate::evaluate(&args),
        Command::Import(command) => import::import(&command),
        Command::Replay(args) => replay::run(&args),
        Command::Completions { shell } => shell::completions(shell),
        Command::Man { command } => shell::man(&command),
        Command::List { what, method } => list::list(what, method.as_deref()),
        Command::Report(args) => report::report(&args),
        Command::Runs(command) => runs::runs(command),
        Command::Compare(args) => compare::compare(&args),
        Command::Data(command) => data::data(command),
        Command::Model(ModelCommand::Info { model, clip, json }) => {
            model::info(model.or(clip).as_deref(), json)
        }
        Command::Model(ModelCommand::Fetch { id, dry_run, patience }) => fetch::model(&id, dry_run, patience),
        Command::Model(ModelCommand::Export { dir }) => model::export(&dir),
        Command::Model(ModelCommand::Features { clip, image, text, .. }) => {
            model::features(clip.as_deref(), &image, &text)
        }
        Command::Model(ModelCommand::Convert { input, output, method }) => {
            model::convert(&input, &output, method.as_deref())
        }
        Command::Doctor { suite, out, data, clip, json } => {
            doctor::doctor(&suite, (data.as_deref(), clip.as_deref()), &out, json)
        }
        Command::Bench(command) => bench::bench(command),
        Command::Pocket(command) => pocket::pocket(command),
        Command::Verify(args) => verify::verify(&args),
        Command::Parity { dir, json, dump, device } => parity::parity(&dir, json, dump.as_deref(), &device),
    }
}

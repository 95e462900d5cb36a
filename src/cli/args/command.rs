//! The program, its commands and its exit codes.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::{
    BenchCommand, CompareArgs, DataCommand, EvaluateArgs, ImportCommand, ModelCommand, PocketCommand,
    ReplayArgs, ReportArgs, RunsCommand, SlurmArgs, StatusArgs, SuiteArgs, VerifyArgs,
};

/// Reproducible few-shot adaptation of CLIP.
///
/// Without --data and --clip everything runs on the embedded pocket profile: small rendered pictures and a
/// small CLIP pretrained on such pictures. Its numbers are not comparable with any paper.
#[derive(Debug, Parser)]
#[command(
    max_term_width = 100,
    after_help = EXIT_CODES,
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Print the version.
    #[arg(short = 'V', long)]
    pub version: bool,
    /// With --version: commit, features, compiler, machine; what a report of a fault needs.
    #[arg(short, long, requires = "version")]
    pub verbose: bool,
}

const EXIT_CODES: &str = "Exit codes: 0 ok; 1 internal error; 2 usage; 3 bad data, model or records; \
    4 a run failed; 5 a check differs; 130 interrupted (Ctrl-C, TERM, HUP, USR1, USR2, --stop-after); 141 stdout or \
    stderr was closed or full.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run an experiment: train, evaluate, write records and a report. Finished cells are skipped.
    Suite(Box<SuiteArgs>),
    /// Run an experiment on a Slurm cluster: an array of tasks on one shared folder, and a report at the end.
    Slurm(Box<SlurmArgs>),
    /// How far the runs of an output folder are: cells done, running (where, since when), waiting, failed.
    Status(StatusArgs),
    /// Evaluate saved or published prompts on any data, without training.
    Evaluate(EvaluateArgs),
    /// Take in results of other programs: predictions, logs, tables. They are marked wherever they stand.
    #[command(subcommand)]
    Import(ImportCommand),
    /// Train one cell and write down everything random of it, with losses, final parameters and predictions, so that
    /// another program can take the same steps.
    Replay(Box<ReplayArgs>),
    /// Print a completion script: bash, zsh or fish.
    Completions {
        /// The shell.
        shell: CompletionShell,
    },
    /// Print the man page (roff), of the program or of a command: `rpo-bench man suite | man -l -`.
    Man {
        /// The command's words.
        command: Vec<String>,
    },
    /// List suites, methods, settings, datasets, models or protocol switches.
    List {
        /// What to list.
        what: Listing,
        /// With settings: those of one method.
        method: Option<String>,
    },
    /// Render a run's report again, from its records alone.
    ///
    /// Where predictions are missing or damaged, the page is written, says what was not tested, and the exit code
    /// is 3.
    Report(ReportArgs),
    /// List the runs under --out, and move cells out of them.
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Compare two runs, or a run with the paper's figures, cell by cell.
    ///
    /// A and B are runs: SUITE-PROFILE under --out (base2new-vit-b-16), SUITE where only one run has it, or a
    /// folder that holds records/.
    /// A pocket, folder or limited run, or one of another model, is not compared with the paper (exit code 3, with
    /// the reason).
    /// Differences are findings, not failures: a finished comparison exits with 0 whatever it says; scripts
    /// read the verdicts from --json.
    Compare(CompareArgs),
    /// Look at datasets: what they are, whether a DATA folder is sound, which images a seed draws.
    #[command(subcommand)]
    Data(DataCommand),
    /// Look at models: shape, features, export, conversion of published prompts.
    #[command(subcommand)]
    Model(ModelCommand),
    /// The embedded pocket world: contact sheets, pretraining of its CLIP.
    #[command(subcommand)]
    Pocket(PocketCommand),
    /// Time the engine on random weights of a real model's shape, and reports (Linux).
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Check records: against themselves and their files, and by running their cells again.
    Verify(VerifyArgs),
    /// One page: the machine, the model, the datasets, what could run now and about how long it would take.
    Doctor {
        /// The suite to look at.
        #[arg(long, default_value = "base2new")]
        suite: String,
        /// Where runs/ would go: what is complete there is not counted.
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
        /// A CoOp DATA root, or folder:DIR.
        #[arg(long, value_name = "DIR")]
        data: Option<String>,
        /// A model: see `suite --help`.
        #[arg(long, value_name = "MODEL")]
        clip: Option<PathBuf>,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Compare this program with golden numbers in a folder.
    Parity {
        /// Folder with parity.json, pixels/cases.json, python_random.json or lr_schedule.json.
        dir: PathBuf,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
        /// Write our tensors under the golden names (safetensors).
        #[arg(long, value_name = "FILE")]
        dump: Option<PathBuf>,
        /// Where to compute: cpu, cuda or cuda:N.
        #[arg(long, default_value = "cpu")]
        device: String,
    },
}

/// Shells that completions are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum CompletionShell {
    /// Bash.
    Bash,
    /// Zsh.
    Zsh,
    /// Fish.
    Fish,
}

/// What `list` lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Listing {
    /// Experiments.
    Suites,
    /// Methods.
    Methods,
    /// Settings for --set: default, published value, meaning.
    Settings,
    /// Datasets.
    Datasets,
    /// Model shapes.
    Models,
    /// Switches between the published protocol and ours, as a Markdown page.
    Switches,
}

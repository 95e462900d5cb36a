//! Completions and the man page, made from the command line as it is.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use super::args::{Cli, CompletionShell};
use super::exit::{Exit, Failure};

/// Name of the program in scripts.
const NAME: &str = "rpo-bench";

/// `completions SHELL`: the script on stdout.
pub(super) fn completions(shell: CompletionShell) -> Result<Exit, Failure> {
    let shell = match shell {
        CompletionShell::Bash => Shell::Bash,
        CompletionShell::Zsh => Shell::Zsh,
        CompletionShell::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Exit::Ok)
}

/// `man [COMMAND…]`: the page in roff on stdout, of the program or of one of its commands.
pub(super) fn man(words: &[String]) -> Result<Exit, Failure> {
    let mut command = Cli::command();
    command.build();
    let mut found = &command;
    for word in words {
        found = found.find_subcommand(word).ok_or_else(|| {
            Failure::new(Exit::Usage, format!("man {}: there is no such command", words.join(" ")))
        })?;
    }
    let title = [&[NAME.to_owned()][..], words].concat().join("-");
    let mut page = Vec::new();
    clap_mangen::Man::new(found.clone()).title(title).render(&mut page)?;
    std::io::stdout().write_all(&page)?;
    Ok(Exit::Ok)
}

//! `pocket`: contact sheets and pretraining.

use super::args::PocketCommand;
use super::exit::{Exit, Failure};
use super::progress::bar;
use super::signals::{graceful, stopped};
use crate::pocket::pretrain::{PretrainSettings, pretrain};
use crate::pocket::{Sheet, write_previews};

pub(super) fn pocket(command: PocketCommand) -> Result<Exit, Failure> {
    match command {
        PocketCommand::Preview { dir, small } => {
            for path in write_previews(&dir, if small { Sheet::SMALL } else { Sheet::LARGE })? {
                println!("{}", path.display());
            }
        }
        PocketCommand::Pretrain { out, pairs, batch, learning_rate, seed } => {
            graceful();
            let settings = PretrainSettings { pairs, batch, learning_rate, seed, checkpoint_every: 100 };
            let progress = bar(pairs / batch.max(1) as u64, "pretraining");
            let mut hear = |step: crate::pocket::pretrain::PretrainProgress| {
                progress.set_position(step.step);
                progress.set_message(format!("loss {:.3}, accuracy {:.2}", step.loss, step.accuracy));
            };
            let folder = pretrain(&out, &settings, &mut hear, &stopped)?;
            println!("{}", folder.display());
        }
    }
    Ok(Exit::Ok)
}

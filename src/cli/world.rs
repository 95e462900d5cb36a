//! Data and model of a command that works on one method, opened on its device.

use super::args::WorldArgs;
use super::exit::Failure;
use super::suite::device;
use crate::suite::World;

/// The world that was asked for.
///
/// # Errors
/// A device, a data root or a model that is not there.
pub(super) fn open(args: &WorldArgs) -> Result<World, Failure> {
    let device = device(&args.device)?;
    Ok(World::open(args.data.as_deref(), args.clip.as_deref(), &device)?.rounded(args.dtype)?)
}

//! `list`: what the program knows.

use super::args::Listing;
use super::exit::{Exit, Failure};
use crate::backbone::files::resolve::on_this_machine;
use crate::backbone::{ClipSource, LoadError};
use crate::data::embedded;
use crate::method::{self, REGISTRY};
use crate::protocol;
use crate::suite::{SUITES, Setting, SuiteError, SuiteFile, load_pocket, method_id, settings};

pub(super) fn list(what: Listing, of: Option<&str>) -> Result<Exit, Failure> {
    if let Some(name) = of.filter(|_| what != Listing::Settings) {
        return Err(Failure::new(Exit::Usage, format!("{name}: only `list settings` takes a method")));
    }
    match what {
        Listing::Suites => {
            for (name, _) in SUITES {
                println!("{name:22} {}", SuiteFile::find(name)?.description);
            }
        }
        Listing::Methods => {
            for entry in REGISTRY {
                println!("{:14} {}", entry.id, entry.summary);
            }
        }
        Listing::Settings => {
            let entry = of.map(|name| method::find(method_id(name)).map_err(SuiteError::from)).transpose()?;
            for Setting { key, default, published, meaning } in settings(entry)? {
                let published =
                    if published == default { String::new() } else { format!(" (published {published})") };
                println!("{key} = {default}{published}\n    {meaning}");
            }
        }
        Listing::Datasets => {
            for manifest in embedded::manifests().map_err(crate::data::DataError::from)? {
                println!("{:18} {}", manifest.id.as_str(), manifest.display_name);
            }
        }
        Listing::Switches => print!("{}", protocol::page()),
        Listing::Models => {
            let pocket = load_pocket()?;
            let side = pocket.config.image_size;
            println!("pocket   embedded, {side} px, sha256 {}", pocket.weights_sha256);
            for (name, found) in on_this_machine() {
                match found.map_err(LoadError::from).and_then(|found| ClipSource::open(&found.path)) {
                    Ok(_) => println!("{name}   on this machine: --clip {name}"),
                    // The cache holds models of every kind; those that are no CLIP are not worth a line.
                    Err(LoadError::NotClip { .. }) => {}
                    Err(error) => println!("{name}   not usable: {error}"),
                }
            }
            println!("any other: --clip with a HuggingFace folder, an open_clip export or OpenAI's .pt file");
        }
    }
    Ok(Exit::Ok)
}

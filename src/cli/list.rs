//! `list`: what the program knows.

use super::args::Listing;
use super::exit::{Exit, Failure};
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
            println!("any HuggingFace CLIP folder: --clip DIR (ViT-B/16, B/32, L/14 and other sizes)");
        }
    }
    Ok(Exit::Ok)
}

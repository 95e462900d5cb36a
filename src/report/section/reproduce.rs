//! How to make the numbers again: the commands as they were given, and what must match.

use std::collections::BTreeSet;

use crate::report::context::Context;
use crate::report::part::Part;

/// The section.
pub fn render(context: &Context<'_>) -> Part {
    let commands: BTreeSet<&str> = context.every_record().map(|r| r.provenance.command.as_str()).collect();
    let mut body = String::from("```sh\n");
    for command in commands {
        body.push_str(&format!("{command}\n"));
    }
    body.push_str("```\n\n");
    body.push_str(
        "The same numbers need the same model weights, splits and draws (the hashes above), the same \
            numerics version, \
         dtype and kind of device. On another device or with another batch layout the last bits differ, and \
         with them \
         now and then a prediction. `rpo-bench verify RECORD` checks a record against what this machine \
         computes; \
         `rpo-bench report NAME` renders this page again from the records alone.\n",
    );
    Part { heading: "How to reproduce".to_owned(), body, ..Part::default() }
}

//! Results under other settings than those of the tables: shown, and averaged with nothing.

use crate::frame::{Accuracy, SummaryRow};
use crate::report::context::Context;
use crate::report::markdown::Table;
use crate::report::names::{dataset_name, dataset_order};
use crate::report::number::with_spread;
use crate::report::part::Part;

/// The section; `None` where the run folder holds no such results.
pub fn render(context: &Context<'_>) -> Option<Part> {
    let mut lines: Vec<&SummaryRow> = context.summary_apart.iter().collect();
    if lines.is_empty() {
        return None;
    }
    lines.sort_by_key(|row| (context.arm(row), dataset_order(&row.place.dataset), row.place.clone()));
    let header = ["method", "dataset", "shots", "seeds", "base", "new", "H", "all"];
    let mut table = Table::new(header).left(2);
    for row in lines {
        let accuracy = |a: &Accuracy| with_spread(a.mean(), a.std());
        table.row([
            context.arm(row).label(),
            dataset_name(&row.place.dataset).to_owned(),
            row.place.shots.map_or_else(String::new, |n| n.to_string()),
            row.n_seeds().to_string(),
            accuracy(&row.base),
            accuracy(&row.new),
            with_spread(row.h_pct(), row.h.std()),
            accuracy(&row.all),
        ]);
    }
    let body = format!(
        "These results were made with other settings than those of the tables above and cover less than these: \
         they take part in no average, test or picture. `rpo-bench runs forget NAME --where KEY=VALUE` removes \
         them.\n\n{}\n_Accuracy in percent; mean ± sample standard deviation over seeds._\n",
        table.markdown()
    );
    Some(Part { heading: "Other settings in this run folder".to_owned(), body, ..Part::default() })
}

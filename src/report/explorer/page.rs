//! The page: template, style, script and data in one file.

use super::cells::{Positions, means, runs};
use super::contests::contests;
use super::data::{ArmLook, Data, measure_names};
use crate::report::context::Context;
use crate::report::names::dataset_name;
use crate::report::number::count;
use crate::report::plot::style::method_color;

const PAGE: &str = include_str!("web/page.html");
const STYLE: &str = include_str!("web/style.css");
/// One script in parts, in the order they need each other.
const SCRIPT: [&str; 5] = [
    include_str!("web/tools.js"),
    include_str!("web/table.js"),
    include_str!("web/charts.js"),
    include_str!("web/main.js"),
    include_str!("web/contest.js"),
];

/// More runs than these stay in `results.csv`: a page of them would no longer open at once.
const MOST_RUNS: usize = 20_000;
/// More cells than these stay in `summary.csv`.
const MOST_CELLS: usize = 10_000;

/// The explorer of a report.
pub fn index_html(context: &Context<'_>, banners: Vec<String>) -> String {
    let places = Positions::of(context);
    let every = context.frame.rows().len();
    let are_too_many = every > MOST_RUNS;
    let (means, cells_left_out) = means(context, &places, MOST_CELLS);
    let (contests, contests_left_out) = contests(context, &places);
    let data = Data {
        title: context.titled(&context.spec.title),
        banners: banners.into_iter().chain(left_out(cells_left_out, contests_left_out)).collect(),
        records: context.material.records_link.map(str::to_owned),
        datasets: places.datasets.iter().map(|id| [id.clone(), dataset_name(id).to_owned()]).collect(),
        arms: places.arms.iter().map(|arm| look(arm.label(), &arm.method)).collect(),
        measures: measure_names(),
        runs: if are_too_many { Vec::new() } else { runs(context, &places) },
        left_out: if are_too_many { every } else { 0 },
        means,
        contests,
    };
    // Text and numbers only: a document of them cannot fail to be written.
    let json = serde_json::to_string(&data).unwrap_or_default();
    page(&data.title, &json)
}

/// What a page of this size cannot hold.
fn left_out(cells: usize, contests: usize) -> Option<String> {
    let cells = (cells > 0).then(|| format!("{} in summary.csv", count(cells, "further cell")));
    let contests = (contests > 0).then(|| count(contests, "further test set"));
    let parts: Vec<String> = cells.into_iter().chain(contests).collect();
    (!parts.is_empty()).then(|| format!("Too many for this page, and not shown: {}.", parts.join("; ")))
}

fn look(name: String, method: &str) -> ArmLook {
    let (r, g, b) = method_color(method);
    ArmLook { name, method: method.to_owned(), color: format!("#{r:02x}{g:02x}{b:02x}") }
}

/// Puts the parts in. Each is put in once, from the front: what data say cannot be taken for a place of another part.
fn page(title: &str, json: &str) -> String {
    let parts = [
        ("{{title}}", escaped(title)),
        ("{{style}}", STYLE.to_owned()),
        ("{{data}}", in_script(json)),
        ("{{script}}", format!("(() => {{\n\"use strict\";\n{}}})();\n", SCRIPT.concat())),
    ];
    let (mut out, mut rest) = (String::new(), PAGE);
    for (place, text) in parts {
        if let Some((before, after)) = rest.split_once(place) {
            out.push_str(before);
            out.push_str(&text);
            rest = after;
        }
    }
    out + rest
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// JSON inside a script element: without `<` nothing can end it.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_leave_their_element() {
        let json = serde_json::json!({"x": "</script><script>alert(1)</script>{{script}}"}).to_string();
        let page = page("<b> & {{data}}", &json);
        assert!(page.contains("<title>&lt;b&gt; &amp; {{data}}"));
        let inside =
            page.split("type=\"application/json\">").nth(1).unwrap().split("</script>").next().unwrap();
        let back: serde_json::Value = serde_json::from_str(inside).unwrap();
        assert_eq!(back["x"], "</script><script>alert(1)</script>{{script}}");
        assert_eq!(page.matches("</script>").count(), 2);
        assert_eq!(page.matches("default-src 'none'").count(), 1);
        let addresses: Vec<&str> = page.match_indices("http").map(|(at, _)| &page[at..at + 26]).collect();
        assert_eq!(
            addresses,
            ["http-equiv=\"Content-Securi", "http://www.w3.org/2000/svg"],
            "a name, no address"
        );
    }
}

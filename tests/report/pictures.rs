//! The pictures as SVG: what is drawn, where, and in which colour.

use rpo_bench::report::Section;
use rpo_bench::report::plot::drawing::Mark;
use rpo_bench::report::plot::paint::text_width;
use rpo_bench::report::plot::style::{INK, Look, Marker, method_color};
use rpo_bench::report::plot::{Align, Drawing, boxes, cd};

use crate::records::{DATASETS, Keyed, METHODS, base2new};
use crate::rendering::{files, spec};

fn look(method: &str) -> Look {
    Look { label: method.to_owned(), color: method_color(method), marker: Marker::Disc }
}

fn box_figure(values: Vec<f64>) -> boxes::BoxFigure {
    boxes::BoxFigure {
        title: "title".to_owned(),
        y_title: "accuracy (%)".to_owned(),
        looks: vec![look("rpo")],
        groups: vec![("DTD".to_owned(), vec![values])],
    }
}

fn discs(drawing: &Drawing) -> usize {
    drawing.shapes.iter().filter(|s| matches!(s, Mark::Disc { .. })).count()
}

fn rectangles(drawing: &Drawing) -> usize {
    drawing.shapes.iter().filter(|s| matches!(s, Mark::Polygon { .. })).count()
}

#[test]
fn points_alone_below_five_and_a_box_from_five_on() {
    // One disc belongs to the legend.
    let few = boxes::draw(&box_figure(vec![70.0, 71.0, 72.0, 73.0]));
    assert_eq!((discs(&few), rectangles(&few)), (5, 0));
    let many = boxes::draw(&box_figure(vec![70.0, 71.0, 72.0, 73.0, 74.0]));
    assert_eq!((discs(&many), rectangles(&many)), (6, 1));
    let none = boxes::draw(&box_figure(vec![]));
    let crosses = none.shapes.iter().filter(|s| matches!(s, Mark::Text { text, .. } if text == "×")).count();
    assert_eq!((discs(&none), crosses), (1, 1), "a cell without a result is marked");
}

#[test]
fn method_colours_are_distinct() {
    let mut colors: Vec<_> = METHODS.iter().map(|m| method_color(m.0)).collect();
    colors.push(method_color("something_new"));
    let count = colors.len();
    colors.sort();
    colors.dedup();
    assert_eq!(colors.len(), count);
}

/// Left, right, top and bottom of every horizontal text.
fn text_boxes(drawing: &Drawing) -> Vec<(String, [f64; 4])> {
    let of = |shape: &Mark| match shape {
        Mark::Text { at, text, size, align, upright: false, .. } => {
            let width = text_width(text, *size);
            let left = match align {
                Align::Left => at.0,
                Align::Center => at.0 - 0.5 * width,
                Align::Right => at.0 - width,
            };
            Some((text.clone(), [left, left + width, at.1 - 0.4 * size, at.1 + 0.4 * size]))
        }
        _ => None,
    };
    drawing.shapes.iter().filter_map(of).collect()
}

fn assert_no_overlap(drawing: &Drawing) {
    let texts = text_boxes(drawing);
    for (i, (first, a)) in texts.iter().enumerate() {
        assert!(
            a[0] >= 0.0 && a[1] <= drawing.width && a[3] <= drawing.height,
            "{first:?} leaves the picture"
        );
        for (second, b) in &texts[i + 1..] {
            let apart = a[1] <= b[0] || b[1] <= a[0] || a[3] <= b[2] || b[3] <= a[2];
            assert!(apart, "{first:?} overlaps {second:?}");
        }
    }
}

#[test]
fn labels_do_not_overlap_with_eleven_datasets() {
    let names =
        ["ImageNet", "Caltech101", "OxfordPets", "StanfordCars", "Flowers102", "Food101", "FGVCAircraft"];
    let mut figure = box_figure(vec![]);
    figure.looks = METHODS.iter().map(|m| look(m.0)).collect();
    let values = |d: usize| (0..5).map(|m| vec![60.0 + d as f64 + m as f64; 3]).collect();
    figure.groups = (0..11).map(|d| (names[d % names.len()].to_owned(), values(d))).collect();
    assert_no_overlap(&boxes::draw(&figure));
    let ranked = [("rpo", 1.2), ("cocoop", 1.25), ("coop", 3.4), ("linear_probe", 4.0), ("zero_shot", 4.9)];
    let methods: Vec<(Look, f64)> = ranked.iter().map(|(m, rank)| (look(m), *rank)).collect();
    assert_no_overlap(&cd::draw("Mean ranks", &methods, &[(0, 1), (2, 4)]));
    let long = |(mut look, rank): (Look, f64)| {
        look.label.push_str(" (initialisation=special_token mask=false views=per_method)");
        (look, rank)
    };
    let methods: Vec<(Look, f64)> = methods.into_iter().map(long).collect();
    assert_no_overlap(&cd::draw("Mean ranks", &methods, &[(0, 4)]));
}

#[test]
fn the_svg_names_every_dataset_and_method() {
    let files = files(&base2new(&DATASETS, &[1, 2, 3]), &spec(&[Section::BySeedBoxPlots])).unwrap();
    for half in ["base", "new"] {
        let svg = String::from_utf8_lossy(&files[&format!("by_seed_{half}.svg")]);
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for name in
            ["ImageNet", "Flowers102", "FGVCAircraft", "UCF101", "CLIP", "LP", "CoOp", "CoCoOp", "RPO"]
        {
            let line = svg.lines().any(|l| l.trim() == name);
            assert!(line, "{name} is missing from the {half} picture");
        }
        // 4 trained methods × 3 seeds × 11 datasets, zero-shot once each, and five legend entries.
        assert_eq!(svg.matches("<circle").count(), 11 * (4 * 3 + 1) + 5);
        assert!(svg.contains("#FFFFFF"), "the ground is white");
    }
}

/// Lines of an SVG that are nothing but text.
fn svg_texts(svg: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(svg);
    text.lines().filter(|l| !l.starts_with('<')).map(|l| l.trim().to_owned()).collect()
}

#[test]
fn curves_have_a_band_per_seeded_method_and_panel() {
    let mut records = Vec::new();
    for shots in [1, 4, 16] {
        let at = base2new(&["dtd", "eurosat"], &[1, 2, 3]).into_iter().map(|mut record| {
            record.cell.shots = record.cell.shots.map(|_| shots);
            record.keyed()
        });
        records.extend(at.filter(|r| r.cell.seed.is_some() || shots == 1));
    }
    let files = files(&records, &spec(&[Section::FewShotCurves, Section::TrainingCurves])).unwrap();
    let svg = String::from_utf8_lossy(&files["few_shot_base.svg"]);
    assert_eq!(svg.matches("opacity=\"0.16\"").count(), 2 * 4, "zero-shot has no band");
    let texts = svg_texts(&files["few_shot_base.svg"]);
    for word in ["DTD", "EuroSAT", "training images per class", "accuracy (%)", "1", "4", "16", "CLIP", "RPO"]
    {
        assert!(texts.iter().any(|t| t == word), "{word} is missing: {texts:?}");
    }
    let texts = svg_texts(&files["training.svg"]);
    for word in ["loss (nats)", "epoch", "0.5", "1", "2"] {
        assert!(texts.iter().any(|t| t == word), "{word} is missing: {texts:?}");
    }
}

#[test]
fn scatter_and_diagram_name_what_they_show() {
    let sections = [Section::BaseVsNewScatter, Section::MethodTests];
    let files = files(&base2new(&DATASETS, &[1, 2, 3]), &spec(&sections)).unwrap();
    let svg = String::from_utf8_lossy(&files["base_vs_new.svg"]);
    // Five methods on eleven datasets, five averages, five legend entries.
    assert_eq!(svg.matches("<circle").count(), 5 * 11 + 5 + 5);
    let texts = svg_texts(&files["critical_difference.svg"]);
    let ranked = |name: &str| texts.iter().any(|t| t.starts_with(&format!("{name} (")));
    assert!(["CLIP", "LP", "CoOp", "CoCoOp", "RPO"].into_iter().all(ranked), "{texts:?}");
    assert!(texts.iter().any(|t| t == "Mean ranks by H over 11 datasets"), "{texts:?}");
}

#[test]
fn both_formats_have_the_size_of_the_drawing() {
    let mut drawing = Drawing::new(100.0, 50.0);
    drawing.text((50.0, 25.0), "text", 12.0, INK, Align::Center);
    let picture = rpo_bench::report::plot::paint("small", &drawing).unwrap();
    assert!(picture.svg.contains("width=\"100\" height=\"50\""), "{}", picture.svg);
    let png = image::load_from_memory(&picture.png).unwrap();
    assert_eq!((png.width(), png.height()), (200, 100));
    let dark = png.to_luma8().pixels().filter(|p| p.0[0] < 128).count();
    assert!(dark > 20, "the embedded font draws: {dark} dark pixels");
}

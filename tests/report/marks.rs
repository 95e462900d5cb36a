//! How often a page sets one of several equal methods apart, counted on made-up suites.

use rpo_bench::data::Classes;
use rpo_bench::report::Section;
use rpo_bench::report::context::Context;
use rpo_bench::report::grid::Grid;
use rpo_bench::report::headline::Headline;

use crate::rendering::spec;
use crate::simulated::{Simulated, Suite};

/// Lines set apart, averages set apart.
fn marks(suite: &Suite) -> (usize, usize) {
    let spec = spec(&[Section::BaseToNew]);
    let source = |record: &_, evaluation: &_| suite.predictions(record, evaluation);
    let context = Context::new(&suite.records, &spec, &source).unwrap();
    let grids = Grid::all(&context, Classes::Base);
    let headline = Headline::new(&context, &grids[0]);
    (headline.set_apart().0, headline.average_marks.iter().flatten().count())
}

const FIVE: [(&str, f64); 5] =
    [("zero", 0.0), ("linear_probe", 0.0), ("coop", 0.0), ("cocoop", 0.0), ("rpo", 0.0)];

#[test]
fn before() {
    for (methods, images, datasets) in
        [(&FIVE[3..], 320, 1), (&FIVE[3..], 2000, 1), (&FIVE[..], 320, 3), (&FIVE[..], 2000, 3)]
    {
        let (mut tables, mut marked, mut averages) = (0, 0, 0);
        for seed in 0..100 {
            let made = Simulated {
                seed,
                methods: methods.to_vec(),
                datasets: ["dtd", "eurosat", "ucf101"][..datasets].to_vec(),
                seeds: vec![1, 2, 3],
                images,
                seed_std: 2.0,
            };
            let (lines, averaged) = marks(&made.draw());
            tables += 1;
            marked += usize::from(lines > 0);
            averages += averaged;
        }
        println!("{} methods {images} images {datasets} datasets: pages with a bold {marked} of {tables}, averages {averages}", methods.len());
    }
    // averages, 11 datasets, no predictions needed
    let mut averaged = 0;
    for seed in 0..200 {
        let made = Simulated { seed, methods: FIVE.to_vec(), datasets: crate::records::DATASETS.to_vec(), seeds: vec![1,2,3], images: 100, seed_std: 2.0 };
        let suite = made.draw();
        let spec = spec(&[Section::BaseToNew]);
        let context = Context::new(&suite.records, &spec, &|_, _| None).unwrap();
        let grids = Grid::all(&context, Classes::Base);
        averaged += usize::from(Headline::new(&context, &grids[0]).average_marks[0].is_some());
    }
    println!("averages of base over 11 datasets: {averaged} of 200");
}

//! What bold, underlined and p values of a page may say, counted on made-up suites with a known truth.

use rpo_bench::data::Classes;
use rpo_bench::record::{Evaluation, RunRecord};
use rpo_bench::report::context::Context;
use rpo_bench::report::emphasis::{Mark, of_lines};
use rpo_bench::report::grid::Grid;
use rpo_bench::report::pair_tests::PairTests;
use rpo_bench::report::quantity::Quantity;
use rpo_bench::report::{Material, Section};

use crate::records::{DATASETS, Keyed};
use crate::rendering::{page, spec};
use crate::simulated::{Simulated, Suite};

const BASE: Quantity = Quantity::Accuracy(Classes::Base);

const EQUAL: [(&str, f64); 5] =
    [("maple", 0.0), ("linear_probe", 0.0), ("coop", 0.0), ("cocoop", 0.0), ("rpo", 0.0)];

fn suite(seed: u64, methods: &[(&'static str, f64)], datasets: usize, images: usize) -> Simulated {
    Simulated {
        seed,
        methods: methods.to_vec(),
        datasets: DATASETS[..datasets].to_vec(),
        seeds: vec![1, 2, 3],
        images,
        seed_std: 2.0,
    }
}

const QUANTITIES: [Quantity; 2] = [BASE, Quantity::H];

/// One mark per dataset of either quantity's table.
fn line_marks(suite: &Suite) -> [Vec<Option<Mark>>; 2] {
    let spec = spec(&[]);
    let source = |record: &_, evaluation: &_| suite.predictions(record, evaluation);
    let context = Context::new(&suite.records, &spec, Material::of(&source)).unwrap();
    let grids = Grid::all(&context, Classes::Base);
    let cells = |d: usize| (0..grids[0].arms.len()).map(|a| grids[0].cell(d, a)).collect();
    let lines: Vec<Vec<_>> = (0..grids[0].datasets.len()).map(cells).collect();
    of_lines(&context, &lines, QUANTITIES)
}

/// Two equal methods on one dataset, and five on three: tables that set one apart. With images as the only
/// sample it was 23 % at 320 images, 58 % at 2 000, and 90 % of tables of five.
#[test]
fn tables_of_equal_methods_rarely_hold_a_bold() {
    for (methods, datasets, images) in [(&EQUAL[3..], 1, 320), (&EQUAL[3..], 1, 1_000), (&EQUAL[..], 3, 500)]
    {
        let (mut held, tables) = ([0; 2], 120);
        for seed in 0..tables {
            let marks = line_marks(&suite(seed, methods, datasets, images).draw());
            held.iter_mut()
                .zip(marks)
                .for_each(|(n, marks)| *n += usize::from(marks.iter().any(Option::is_some)));
        }
        println!("{} equal methods, {images} images: base and H bold in {held:?} of {tables}", methods.len());
        assert!(held.iter().all(|n| *n <= 13), "{held:?} of {tables}");
    }
}

/// The control: a method that is better by far is set apart by three seeds, and not by one.
#[test]
fn a_method_far_better_is_set_apart() {
    let mut made = suite(1, &[("coop", 0.0), ("rpo", 14.0)], 1, 1_000);
    made.seed_std = 0.2;
    let apart = vec![Some(Mark { best: 1, seconds: vec![0] })];
    assert_eq!(line_marks(&made.draw()), [apart.clone(), apart]);
    made.seeds = vec![1];
    assert_eq!(line_marks(&made.draw()), [vec![None], vec![None]], "one seed decides nothing");
}

fn averages(suite: &Suite, quantity: Quantity) -> (Option<Mark>, f64) {
    let spec = spec(&[]);
    let context = Context::new(&suite.records, &spec, Material::of(&|_, _| None)).unwrap();
    let grids = Grid::all(&context, Classes::Base);
    let tests = PairTests::new(&grids[0], quantity).unwrap();
    let n = tests.blocks.len() as f64;
    let average = |a: usize| Some(tests.blocks.iter().map(|line| line[a]).sum::<f64>() / n);
    let averages: Vec<Option<f64>> = (0..grids[0].arms.len()).map(average).collect();
    let against = tests.family(grids[0].against_reference()).unwrap();
    (tests.mark(&averages), against.iter().map(|pair| pair.adjusted).fold(1.0, f64::min))
}

/// The interval over seeds belongs to the difference beside it, H included, and is refused where datasets have
/// different seeds.
#[test]
fn the_interval_over_seeds_is_that_of_the_statistic_beside_it() {
    let mut suite = suite(5, &EQUAL[3..], 6, 60).draw();
    let interval = |records: &[RunRecord], quantity: Quantity| {
        let spec = spec(&[]);
        let context = Context::new(records, &spec, Material::of(&|_, _| None)).unwrap();
        let grids = Grid::all(&context, Classes::Base);
        let tests = PairTests::new(&grids[0], quantity).unwrap();
        let pair = tests.all_pairs()[0].clone();
        (pair.difference, pair.over_seeds(&grids[0], &tests.shared, quantity))
    };
    for quantity in QUANTITIES {
        let (difference, ends) = interval(&suite.records, quantity);
        let ends = ends.unwrap();
        assert!(
            (0.5 * (ends.low + ends.high) - difference).abs() < 1e-6,
            "{quantity:?}: {ends:?} {difference}"
        );
    }
    let by_seed = |r: &RunRecord| {
        let share = |e: &Evaluation| e.correct as f64 / e.total as f64;
        let (base, new) = (share(&r.evaluations[0]), share(&r.evaluations[1]));
        2.0 * base * new / (base + new)
    };
    let of = |method: &str| {
        let own = suite.records.iter().filter(|r| r.cell.method == method).map(by_seed);
        100.0 * own.sum::<f64>() / 18.0
    };
    let of_seeds_h = of("rpo") - of("cocoop");
    assert!(
        (of_seeds_h - interval(&suite.records, Quantity::H).0).abs() > 1e-4,
        "the seeds' H is another number"
    );
    suite.records.pop();
    assert_eq!(interval(&suite.records, BASE).1, None);
}

/// Averages over eleven datasets: bold, and any corrected p against the reference.
#[test]
fn averages_of_equal_methods_are_rarely_set_apart() {
    let (mut bold, mut significant, repeats) = ([0; 2], 0, 150);
    for seed in 0..repeats {
        let two = averages(&suite(seed, &EQUAL[3..], 11, 60).draw(), BASE);
        let five = averages(&suite(seed, &EQUAL, 11, 60).draw(), BASE);
        bold[0] += usize::from(two.0.is_some());
        bold[1] += usize::from(five.0.is_some());
        significant += usize::from(five.1 <= 0.05);
    }
    println!("averages of equal methods set apart: {bold:?}, a p (Holm) ≤ 5 %: {significant} of {repeats}");
    assert!(bold[0] <= 15 && bold[1] <= 15 && significant <= 15, "{bold:?} {significant} of {repeats}");
}

/// Full scale of the ablation: fourteen arms on eleven datasets, one better by five points on each. All pairs as
/// one family could not reach 5 %; each variant against the suite's own settings can.
#[test]
fn the_ablation_can_show_five_points_on_every_dataset() {
    let mut made = suite(1, &[("rpo", 0.0)], 11, 300);
    made.seed_std = 0.2;
    let mut records = Vec::new();
    for variant in 0..13 {
        made.seed = 7;
        made.methods[0].1 = if variant == 0 { 5.0 } else { -0.3 * f64::from(variant) };
        for mut record in made.draw().records {
            if variant > 0 {
                record.cell.variant.insert("rpo.k".to_owned(), variant.to_string());
            }
            records.push(record.keyed());
        }
    }
    let page = page(&records, &spec(&[Section::Ablation]));
    let table = &page[page.find("**Variants").unwrap()..page.find("_Averages over").unwrap()];
    let own = table.lines().find(|l| l.starts_with("| RPO  ")).unwrap();
    assert_eq!(own.matches("**").count(), 8, "base, new and both H are bold: {table}");
    assert!(page.contains("2 / 2^11, after Holm over 12 tests 0.012."), "{page}");
    let pair = page.lines().find(|l| l.starts_with("| RPO (k=12) − RPO ")).unwrap();
    assert!(pair.contains("| **0.0"), "{pair}");
    let places = [2, 11, 12].map(|k| page.find(&format!("| RPO (k={k}) ")).unwrap());
    assert!(places[0] < places[1] && places[1] < places[2], "K sorts as a number");
}

/// Ten datasets and ten seeds: a variance forty times as large is shown, as the whole table as one family could
/// not.
#[test]
fn the_variance_table_can_show_a_difference() {
    let mut records = Vec::new();
    for (method, seed_std) in [("coop", 9.0), ("cocoop", 9.0), ("rpo", 0.2)] {
        let made = Simulated { seeds: (1..=10).collect(), seed_std, ..suite(3, &[(method, 0.0)], 10, 1_000) };
        records.extend(made.draw().records);
    }
    let page = page(&records, &spec(&[Section::Variance]));
    assert!(
        page.contains("With 10 seeds the smallest p is 2 / 2^10 = 0.002, after Holm over 10 tests 0.020.")
    );
    let reached = page.lines().filter(|l| l.starts_with("| ") && l.trim_end().ends_with("0.020 |")).count();
    assert!(reached > 20, "{reached} of 40: {page}");
}

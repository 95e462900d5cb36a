use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::*;
use crate::backbone::nn::recycled::{let_go, taken};
use crate::backbone::nn::{AttentionPlan, enter};
use crate::util::rng::Stream;

const WIDTH: usize = 32;

fn numbers(stream: &mut Stream, rows: usize, cols: usize, size: f64) -> Vec<f32> {
    (0..rows * cols).map(|_| (stream.normal() * size) as f32).collect()
}

fn block(stream: &mut Stream) -> Block {
    let mut tensor = |rows: usize, cols: usize, size: f64| {
        Tensor::from_vec(numbers(stream, rows, cols, size), (rows, cols), &Device::Cpu).unwrap()
    };
    let mut linear = |rows: usize, cols: usize| {
        Linear::new(tensor(rows, cols, 0.2), Some(tensor(1, rows, 0.1).squeeze(0).unwrap()))
    };
    let (q, kv, out) = (linear(WIDTH, WIDTH), linear(2 * WIDTH, WIDTH), linear(WIDTH, WIDTH));
    let (fc1, fc2) = (linear(4 * WIDTH, WIDTH), linear(WIDTH, 4 * WIDTH));
    let mut norm = || {
        LayerNorm::new(
            tensor(1, WIDTH, 1.0).squeeze(0).unwrap(),
            tensor(1, WIDTH, 0.1).squeeze(0).unwrap(),
            1e-5,
        )
    };
    Block { ln1: norm(), q, kv, out, ln2: norm(), fc1, fc2, activation: Activation::QuickGelu }
}

/// Gradients of the rows `[22, WIDTH]` of two sequences.
fn gradients(trained: Option<Vec<usize>>, forget: bool) -> Vec<f32> {
    let mut stream = Stream::new(&["frozen block"]);
    let block = block(&mut stream);
    let plan = Arc::new(AttentionPlan::full(2, 11).unwrap());
    let attend = Attend { plan, heads: 4, cached: None };
    let call = BlockCall { attend, own_keys: true, read: None, trained, beside: None };
    let x = Dense::new(numbers(&mut stream, 22, WIDTH, 1.0), WIDTH);
    let grad = Dense::new(numbers(&mut stream, 22, WIDTH, 1.0), WIDTH);
    let mut kept = block.forward(x, &call, true).unwrap().kept.unwrap();
    assert!(kept.probabilities.is_some(), "few probabilities are kept");
    if forget {
        kept.probabilities = None;
    }
    block.backward(&kept, &call, grad).unwrap().into_vec()
}

/// Output, and input gradient of the rows `own`, of two sequences whose other rows have entered before.
fn beside(own: &[usize], read: Option<Vec<usize>>, entered: bool) -> [Vec<f32>; 2] {
    let mut stream = Stream::new(&["frozen block"]);
    let block = block(&mut stream);
    let plan = AttentionPlan::full(2, 11).unwrap();
    let plan = Arc::new(read.as_ref().map_or(Ok(plan.clone()), |read| plan.reading(read)).unwrap());
    let x = Dense::new(numbers(&mut stream, 22, WIDTH, 1.0), WIDTH);
    let rows = read.as_ref().map_or(22, Vec::len);
    let grad = Dense::new(numbers(&mut stream, rows, WIDTH, 1.0), WIDTH);
    let others: Vec<usize> = (0..22).filter(|row| !own.contains(row)).collect();
    let frozen = x.select(&others).into_vec();
    let frozen = Tensor::from_vec(frozen, (others.len(), WIDTH), &Device::Cpu).unwrap();
    let entering = enter(&frozen, &block).unwrap();
    let beside = entered.then(|| Beside { entering, own: own.to_vec() });
    let attend = Attend { plan, heads: 4, cached: None };
    let call = BlockCall { attend, own_keys: true, read, trained: None, beside };
    let run = if entered { x.select(own) } else { x };
    let output = block.forward(run, &call, true).unwrap();
    let d = block.backward(&output.kept.unwrap(), &call, grad).unwrap();
    let d = if entered { d } else { d.select(own) };
    [output.rows.into_vec(), d.into_vec()]
}

#[test]
fn rows_that_have_entered_before_change_no_bit() {
    // Rows enough, read and own, for products of the ordinary kind.
    let own = [0, 3, 4, 5, 8, 10, 11, 15, 20, 21];
    for read in [None, Some(vec![1, 2, 4, 5, 7, 9, 12, 13, 20, 21])] {
        let [whole, entered] = [false, true].map(|entered| beside(&own, read.clone(), entered));
        assert!(whole == entered, "{read:?}");
        let other = beside(&[0, 3, 4, 5, 9, 10, 11, 15, 20, 21], read.clone(), true);
        assert!(other[0] == whole[0] && other[1] != whole[1], "control: another row is trained, {read:?}");
        // One row alone would be a product of another kind.
        let [whole, entered] = [false, true].map(|entered| beside(&[4], read.clone(), entered));
        assert!(whole[0] == entered[0], "{read:?}");
    }
}

#[test]
fn what_is_in_memory_used_again_does_not_matter() {
    let fresh = gradients(None, false);
    for _ in 0..20 {
        [1, 2, 4].iter().for_each(|widths| let_go(vec![f32::NAN; 22 * widths * WIDTH]));
    }
    assert!(gradients(None, false) == fresh);
    let left = (0..100).filter_map(|_| taken::<f32>(22 * WIDTH)).flatten();
    assert!(left.into_iter().any(|x| x.is_finite()), "control: some of it was used");
}

#[test]
fn kept_probabilities_are_those_that_would_be_computed_again() {
    assert!(gradients(None, false) == gradients(None, true));
}

#[test]
fn rows_that_are_trained_get_the_same_gradient_and_the_others_none() {
    let (all, trained) = (gradients(None, false), vec![2, 3, 9, 10, 20]);
    let some = gradients(Some(trained.clone()), false);
    for (row, (all, some)) in all.chunks(WIDTH).zip(some.chunks(WIDTH)).enumerate() {
        assert!(all.iter().any(|d| d.abs() > 1e-3), "control: row {row} has a gradient");
        match trained.contains(&row) {
            true => assert!(all == some, "row {row}"),
            false => assert!(some.iter().all(|d| *d == 0.0), "row {row}"),
        }
    }
}

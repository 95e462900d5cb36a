//! The same attention made of candle's differentiable operations: groups of equal shape in one batch.
//!
//! It runs where our CPU kernels do not (CUDA) and is an independent check of them in tests.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor, bail};

use super::plan::{Attend, Group, SelfKeys};
use super::product::matmul;
use super::softmax::softmax;

/// See [`super::attend()`]; any device, any float type.
pub(super) fn attend_batched(q: &Tensor, own: Option<&Tensor>, call: &Attend) -> Result<Tensor> {
    let keys = match (&call.cached, own) {
        (Some(cached), Some(own)) => Tensor::cat(&[cached, own], 0)?,
        (Some(cached), None) => cached.clone(),
        (None, Some(own)) => own.clone(),
        (None, None) => bail!("attention needs own or cached keys"),
    };
    let own_start = call.cached.as_ref().map_or(Ok(0), |cached| cached.dim(0))?;
    let mut by_shape: BTreeMap<(usize, usize, bool), Vec<&Group>> = BTreeMap::new();
    for group in call.plan.groups() {
        let causal = group.order == SelfKeys::Causal;
        by_shape.entry((group.queries.len(), group.key_count(), causal)).or_default().push(group);
    }
    let (mut outputs, mut position) = (Vec::new(), vec![0u32; call.plan.rows()]);
    let mut written = 0;
    for groups in by_shape.values() {
        for row in groups.iter().flat_map(|group| group.queries.clone()) {
            position[row] = written;
            written += 1;
        }
        outputs.push(batch(q, &keys, own_start, groups, call.heads)?);
    }
    let order = Tensor::from_vec(position, call.plan.rows(), q.device())?;
    Tensor::cat(&outputs, 0)?.index_select(&order, 0)
}

fn select(source: &Tensor, rows: impl Iterator<Item = usize>, device: &Device) -> Result<Tensor> {
    let rows: Vec<u32> = rows.map(|row| row as u32).collect();
    source.index_select(&Tensor::new(rows, device)?, 0)
}

/// One batch of groups with the same numbers of queries and keys: `[groups · queries, width]`.
fn batch(q: &Tensor, keys: &Tensor, own_start: usize, groups: &[&Group], heads: usize) -> Result<Tensor> {
    let (device, width) = (q.device(), q.dim(1)?);
    let (g, n, m, head_dim) = (groups.len(), groups[0].queries.len(), groups[0].key_count(), width / heads);
    let key_rows = groups.iter().flat_map(|group| {
        let own = group.own.iter().cloned().flatten().map(|row| row + own_start);
        group.cached.iter().cloned().flatten().chain(own)
    });
    let kv = select(keys, key_rows, device)?;
    let split = |t: Tensor, rows: usize| t.reshape((g, rows, heads, head_dim))?.transpose(1, 2)?.contiguous();
    let q = split(select(q, groups.iter().flat_map(|group| group.queries.clone()), device)?, n)?;
    let k = split(kv.narrow(1, 0, width)?.contiguous()?, m)?;
    let v = split(kv.narrow(1, width, width)?.contiguous()?, m)?;
    let scores = (matmul(&q, &k.transpose(2, 3)?.contiguous()?)? * (head_dim as f64).powf(-0.5))?;
    let mask: Vec<f32> = (0..n)
        .flat_map(|i| {
            let seen = m - groups[0].hidden_from(i);
            (0..m).map(move |key| if key < seen { 0.0 } else { f32::NEG_INFINITY })
        })
        .collect();
    let mask = Tensor::from_vec(mask, (1, 1, n, m), device)?.to_dtype(scores.dtype())?;
    let p = softmax(&scores.broadcast_add(&mask)?)?;
    matmul(&p, &v)?.transpose(1, 2)?.contiguous()?.reshape((g * n, width))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use candle_core::{DType, Device, Tensor, Var};

    use super::super::plan::AttentionPlan;
    use super::super::{Attend, attend};
    use super::*;
    use crate::util::rng::Stream;

    fn random(rows: usize, cols: usize, stream: &mut Stream) -> Var {
        let values: Vec<f64> = (0..rows * cols).map(|_| stream.normal()).collect();
        Var::from_vec(values, (rows, cols), &Device::Cpu).unwrap()
    }

    fn largest(a: &Tensor, b: &Tensor) -> f64 {
        let difference = (a - b).unwrap().abs().unwrap();
        difference.flatten_all().unwrap().max(0).unwrap().to_dtype(DType::F64).unwrap().to_scalar().unwrap()
    }

    /// A prefix, two suffixes of unequal length behind it, and a cache only the second group sees.
    #[test]
    fn kernels_agree_with_candle_forward_and_backward() {
        let group = |queries, cached, own, order| Group { queries, cached, own, order };
        let plan = AttentionPlan::new(vec![
            group(0..3, vec![], vec![0..3], SelfKeys::Causal),
            group(3..5, vec![1..4], vec![0..3, 3..5], SelfKeys::Causal),
            group(5..9, vec![], vec![0..3, 5..9], SelfKeys::Full),
        ])
        .unwrap();
        let mut stream = Stream::new(&["attend"]);
        let (q, own) = (random(9, 8, &mut stream), random(9, 16, &mut stream));
        let cached = random(5, 16, &mut stream).as_tensor().detach();
        let weight = random(9, 8, &mut stream).as_tensor().detach();
        let call = Attend { plan: Arc::new(plan), heads: 2, cached: Some(cached) };
        let ours = attend(&q, Some(&own), call.clone()).unwrap();
        let theirs = attend_batched(&q, Some(&own), &call).unwrap();
        assert!(largest(&ours, &theirs) < 1e-13);
        let grads = |out: &Tensor| (out * &weight).unwrap().sum_all().unwrap().backward().unwrap();
        let (ours, theirs) = (grads(&ours), grads(&theirs));
        for var in [&q, &own] {
            assert!(largest(ours.get(var).unwrap(), theirs.get(var).unwrap()) < 1e-13);
        }
    }
}

//! An attention plan as a device needs it: one batch of groups, padded to the longest, with index rows and masks where the
//! plan is not a plain grid. Plans are uploaded once and kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{DType, Device, DeviceLocation, Result, Tensor, bail};

use super::operations::upload;
use super::plan::{AttentionPlan, Group, SelfKeys};

/// Plans and index rows kept: a few a tower for every class set and batch size at hand.
const KEPT: usize = 64;

/// A plan on a device.
#[derive(Debug)]
pub(super) struct Uploaded {
    pub groups: usize,
    /// Queries of the longest group.
    pub queries: usize,
    /// Keys of the largest key set.
    pub keys: usize,
    /// Rows of every group's queries, `[groups · queries]`; absent where rows lie in that order already.
    pub query_rows: Option<Tensor>,
    /// Where in the batch each row lies, `[rows]`; beside `query_rows`.
    pub places: Option<Tensor>,
    /// Rows of every group's keys, `[groups · keys]`; absent where they lie in that order already.
    pub key_rows: Option<Tensor>,
    /// 0 or −∞, `[groups, 1, queries or 1, keys]`, where some key is hidden.
    pub mask: Option<Tensor>,
    /// 1 for queries, 0 for padding, `[groups, 1, queries, 1]`; absent without padding.
    pub real: Option<Tensor>,
}

#[derive(PartialEq)]
enum Name {
    /// A plan, the row its own keys start from, the rows its keys lie among, and the type of masks.
    Plan(AttentionPlan, usize, usize, DType),
    Rows(Vec<usize>),
    /// A vector of this length whose numbers are all the same.
    Filled(usize, u64, DType),
}

#[derive(Clone)]
enum Kept {
    Plan(Arc<Uploaded>),
    Tensor(Tensor),
}

/// What is on devices, the latest used first.
#[derive(Default)]
struct Cache(VecDeque<(Name, DeviceLocation, Kept)>);

static CACHE: Mutex<Cache> = Mutex::new(Cache(VecDeque::new()));

impl Cache {
    /// What is kept under a name, or what `make` uploads, which is kept.
    fn get_or(&mut self, name: Name, device: &Device, make: impl FnOnce() -> Result<Kept>) -> Result<Kept> {
        let place = device.location();
        let index = self.0.iter().position(|(known, at, _)| *at == place && *known == name);
        if let Some(entry) = index.and_then(|index| self.0.remove(index)) {
            let found = entry.2.clone();
            self.0.push_front(entry);
            return Ok(found);
        }
        let made = make()?;
        self.0.push_front((name, place, made.clone()));
        self.0.truncate(KEPT);
        Ok(made)
    }

    fn plan(&mut self, key: (&AttentionPlan, usize, usize, DType), device: &Device) -> Result<Arc<Uploaded>> {
        let (plan, own_start, key_rows, dtype) = key;
        let name = Name::Plan(plan.clone(), own_start, key_rows, dtype);
        let make = || Ok(Kept::Plan(Arc::new(Uploaded::new(plan, own_start, key_rows, dtype, device)?)));
        match self.get_or(name, device, make)? {
            Kept::Plan(plan) => Ok(plan),
            Kept::Tensor(_) => bail!("kept plans: index rows under the name of a plan"),
        }
    }

    fn indices(&mut self, rows: &[usize], device: &Device) -> Result<Tensor> {
        tensor(self.get_or(Name::Rows(rows.to_vec()), device, || index(rows, device).map(Kept::Tensor))?)
    }
}

fn shared() -> std::sync::MutexGuard<'static, Cache> {
    CACHE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tensor(kept: Kept) -> Result<Tensor> {
    match kept {
        Kept::Tensor(tensor) => Ok(tensor),
        Kept::Plan(_) => bail!("kept plans: a plan under the name of index rows"),
    }
}

/// Row numbers on a device.
pub(super) fn indices(rows: &[usize], device: &Device) -> Result<Tensor> {
    shared().indices(rows, device)
}

/// A vector of `length` times `value`.
pub(super) fn filled(value: f64, length: usize, dtype: DType, device: &Device) -> Result<Tensor> {
    tensor(shared().get_or(Name::Filled(length, value.to_bits(), dtype), device, || {
        let made = upload(|| Tensor::from_vec(vec![value; length], length, &Device::Cpu)?.to_device(device))?;
        Ok(Kept::Tensor(made.to_dtype(dtype)?))
    })?)
}

fn index(rows: &[usize], device: &Device) -> Result<Tensor> {
    let rows: Vec<u32> = rows.iter().map(|row| *row as u32).collect();
    upload(|| Tensor::new(rows, device))
}

/// A plan on a device, whose own keys start at row `own_start` of `key_rows` rows of keys.
pub(super) fn uploaded(
    plan: &AttentionPlan,
    own_start: usize,
    key_rows: usize,
    dtype: DType,
    device: &Device,
) -> Result<Arc<Uploaded>> {
    shared().plan((plan, own_start, key_rows, dtype), device)
}

/// A group's keys as rows of cached and own keys, one after another.
fn keys(group: &Group, own_start: usize) -> impl Iterator<Item = usize> + '_ {
    let own = group.own.iter().cloned().flatten().map(move |row| row + own_start);
    group.cached.iter().cloned().flatten().chain(own)
}

/// `rows`, and its first one again until there are `length`.
fn padded(rows: impl Iterator<Item = usize>, length: usize) -> Vec<usize> {
    let mut rows: Vec<usize> = rows.collect();
    let first = rows.first().copied().unwrap_or(0);
    rows.resize(length, first);
    rows
}

impl Uploaded {
    fn new(
        plan: &AttentionPlan,
        own_start: usize,
        key_rows: usize,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let groups = plan.groups();
        let queries = groups.iter().map(|group| group.queries.len()).max().unwrap_or(0);
        let most_keys = groups.iter().map(Group::key_count).max().unwrap_or(0);
        let even = groups.iter().all(|group| group.queries.len() == queries);
        let wanted: Vec<usize> =
            groups.iter().flat_map(|group| padded(keys(group, own_start), most_keys)).collect();
        let in_order = wanted.len() == key_rows && wanted.iter().copied().eq(0..key_rows);
        let (mut query_rows, mut places) = (None, None);
        if !even {
            let rows: Vec<usize> =
                groups.iter().flat_map(|group| padded(group.queries.clone(), queries)).collect();
            query_rows = Some(index(&rows, device)?);
            let place = |(i, group): (usize, &Group)| i * queries..i * queries + group.queries.len();
            let rows: Vec<usize> = groups.iter().enumerate().flat_map(place).collect();
            places = Some(index(&rows, device)?);
        }
        Ok(Self {
            groups: groups.len(),
            queries,
            keys: most_keys,
            query_rows,
            places,
            key_rows: (!in_order).then(|| index(&wanted, device)).transpose()?,
            mask: mask(groups, queries, most_keys, dtype, device)?,
            real: (!even).then(|| real(groups, queries, dtype, device)).transpose()?,
        })
    }
}

fn mask(
    groups: &[Group],
    queries: usize,
    keys: usize,
    dtype: DType,
    device: &Device,
) -> Result<Option<Tensor>> {
    let causal = groups.iter().any(|group| group.order == SelfKeys::Causal && group.queries.len() > 1);
    if !causal && groups.iter().all(|group| group.key_count() == keys) {
        return Ok(None);
    }
    let rows = if causal { queries } else { 1 };
    let mut mask = Vec::with_capacity(groups.len() * rows * keys);
    for group in groups {
        for query in 0..rows {
            let hidden = if query < group.queries.len() { group.hidden_from(query) } else { 0 };
            let seen = group.key_count() - if causal { hidden } else { 0 };
            mask.extend((0..keys).map(|key| if key < seen { 0.0 } else { f32::NEG_INFINITY }));
        }
    }
    upload(|| Tensor::from_vec(mask, (groups.len(), 1, rows, keys), device)?.to_dtype(dtype)).map(Some)
}

fn real(groups: &[Group], queries: usize, dtype: DType, device: &Device) -> Result<Tensor> {
    let real = |group: &Group| {
        let count = group.queries.len();
        (0..queries).map(move |query| if query < count { 1f32 } else { 0.0 })
    };
    let real: Vec<f32> = groups.iter().flat_map(real).collect();
    upload(|| Tensor::from_vec(real, (groups.len(), 1, queries, 1), device)?.to_dtype(dtype))
}

#[cfg(test)]
mod tests {
    use super::super::operations::operations;
    use super::*;

    fn plan(count: usize, length: usize) -> AttentionPlan {
        AttentionPlan::full(count, length).unwrap()
    }

    #[test]
    fn a_grid_needs_no_rows_and_everything_else_is_uploaded_once() {
        let mut cache = Cache::default();
        let mut of =
            |plan: &AttentionPlan, rows| cache.plan((plan, 0, rows, DType::F64), &Device::Cpu).unwrap();
        let before = operations();
        let grid = of(&plan(3, 4), 12);
        assert!(grid.query_rows.is_none() && grid.key_rows.is_none() && grid.mask.is_none());
        assert_eq!(operations(), before);
        assert!(of(&plan(3, 4), 16).key_rows.is_some(), "four rows that nobody sees");
        let uneven = AttentionPlan::readers(2, 1, &[vec![0..3], vec![3..8]]).unwrap();
        let first = of(&uneven, 8);
        assert!(first.key_rows.is_some() && first.mask.is_some() && first.query_rows.is_none());
        let before = operations();
        assert!(Arc::ptr_eq(&first, &of(&uneven, 8)) && operations() == before);
        assert!(!Arc::ptr_eq(&first, &of(&uneven, 9)), "among other rows it is another plan");
        assert_ne!(operations(), before);
    }

    #[test]
    fn what_is_not_asked_for_falls_out() {
        let mut cache = Cache::default();
        let mut uploads = |first: usize| {
            let before = operations().uploads;
            cache.indices(&[first, 7], &Device::Cpu).unwrap();
            operations().uploads - before
        };
        let first: Vec<u64> = (0..=KEPT).map(&mut uploads).collect();
        assert!(first.iter().all(|count| *count == 1));
        assert_eq!((uploads(KEPT), uploads(0)), (0, 1));
    }
}

//! Base and new classes: which labels a half keeps, and the label each has inside it.
//!
//! It owns the map between full and local labels; an [`Item`] keeps its full label always. Easy to get
//! wrong: halves are made of *labels*, sorted, so with an odd count the base half has one more, and the
//! few-shot draw ([`super::fewshot`]) comes before the halving.

use super::{Classes, Item};

/// The labels of one half in ascending order; a label's position there is its local label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelMap {
    labels: Vec<u32>,
}

/// An item of a half, with its label inside the half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalItem<'a> {
    /// The item, with its label in the full label space.
    pub item: &'a Item,
    /// Its label among the half's classes, from 0.
    pub local_label: u32,
}

impl LabelMap {
    /// Keeps the first ⌈n/2⌉ of the n distinct labels (base), the rest (new), or all of them, as CoCoOp
    /// (2203.05557, section 4.1) does. `labels` may come in any order and repeat.
    pub fn new(classes: Classes, labels: impl IntoIterator<Item = u32>) -> Self {
        let mut labels: Vec<u32> = labels.into_iter().collect();
        labels.sort_unstable();
        labels.dedup();
        let new = labels.split_off(labels.len().div_ceil(2));
        let labels = match classes {
            Classes::Base => labels,
            Classes::New => new,
            Classes::All => labels.into_iter().chain(new).collect(),
        };
        Self { labels }
    }

    /// The full labels kept, ascending: entry i is the full label of local label i.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The local label of a full label; `None` if the half lacks it.
    pub fn local(&self, label: u32) -> Option<u32> {
        self.labels.binary_search(&label).ok().map(|local| local as u32)
    }

    /// The items of this half, in the given order.
    pub fn filter<'a>(&self, items: impl IntoIterator<Item = &'a Item>) -> Vec<LocalItem<'a>> {
        let keep = |item: &'a Item| self.local(item.label).map(|local_label| LocalItem { item, local_label });
        items.into_iter().filter_map(keep).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Classes, Item, LabelMap};

    #[test]
    fn an_odd_count_gives_base_one_more() {
        let labels = [8, 2, 4, 2, 6, 0];
        assert_eq!(LabelMap::new(Classes::Base, labels).labels(), [0, 2, 4]);
        assert_eq!(LabelMap::new(Classes::New, labels).labels(), [6, 8]);
        assert_eq!(LabelMap::new(Classes::All, labels).labels(), [0, 2, 4, 6, 8]);
    }

    #[test]
    fn items_keep_their_order_and_full_label() {
        let items = [3, 0, 2, 1].map(|label| Item { path: format!("{label}.jpg"), label });
        let new = LabelMap::new(Classes::New, 0..4);
        let kept: Vec<(u32, u32)> =
            new.filter(&items).iter().map(|kept| (kept.item.label, kept.local_label)).collect();
        assert_eq!(kept, [(3, 1), (2, 0)]);
        assert_eq!(new.local(1), None);
    }
}

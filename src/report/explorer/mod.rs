//! The explorer: one HTML file with its data, its style and its script in it. It asks nothing of a network; a content
//! security policy in the page forbids it to.

mod cells;
mod contests;
mod data;
mod gallery;
mod page;

pub use page::index_html;

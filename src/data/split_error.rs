//! Why a split file was refused: each variant names the file, and the entry with its place and value.

use crate::util::mistaken::Mistake;

/// Why a split file was refused.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// The file could not be read or unpacked.
    #[error("read split file: {reason}: {file}")]
    Read {
        /// The split file.
        file: String,
        /// What the system or the unpacker said.
        reason: String,
    },
    /// The unpacked file is larger than any split file has a reason to be.
    #[error("read split file: larger than {limit_bytes} bytes when unpacked: {file}")]
    TooLarge {
        /// The split file.
        file: String,
        /// The limit, bytes.
        limit_bytes: usize,
    },
    /// A download page, a git-lfs pointer, an empty file or the like.
    #[error("read split file: {mistake}: {file}")]
    Mistaken {
        /// The split file.
        file: String,
        /// What lies there, and the cure.
        mistake: Mistake,
    },
    /// Not JSON, or not an object with exactly the lists `train`, `val` and `test`.
    #[error("parse split file: {reason}: {file}")]
    Json {
        /// The split file.
        file: String,
        /// What the parser said, with line and column.
        reason: String,
    },
    /// An entry is not `[relative path, label, class name]`.
    #[error("parse split file: {list}[{position}] is {value}, {reason}: {file}")]
    Entry {
        /// The split file.
        file: String,
        /// `train`, `val` or `test`.
        list: &'static str,
        /// Position in the list, from 0.
        position: usize,
        /// The entry as JSON, shortened to 120 characters.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// One label carries two class names.
    #[error(
        "parse split file: {list}[{position}] names label {label} {name:?}, earlier entries say {earlier:?}: {file}"
    )]
    NameConflict {
        /// The split file.
        file: String,
        /// `train`, `val` or `test`.
        list: &'static str,
        /// Position in the list, from 0.
        position: usize,
        /// The label with two names.
        label: u32,
        /// The name of this entry.
        name: String,
        /// The name of the label's first entry.
        earlier: String,
    },
    /// Labels leave a gap: some label below the largest has no entry in any list.
    #[error("parse split file: labels run to {largest} but label {missing} has no entry: {file}")]
    LabelGap {
        /// The split file.
        file: String,
        /// The smallest label without an entry.
        missing: u32,
        /// The largest label that occurs.
        largest: u32,
    },
    /// All three lists are empty.
    #[error("parse split file: it holds no entry: {file}")]
    Empty {
        /// The split file.
        file: String,
    },
}

//! Readers of the closed set of on-disk layouts, one file each. They read lists and folder listings only.

mod class_name_file;
mod coop_split_json;
mod fgvc_lists;
mod image_folder;
mod imagenet_folders;
mod imagenet_variant;
mod listing;
mod lists;
mod own_names;
mod read;
mod tree;

pub use class_name_file::ClassNameFile;
pub(super) use image_folder::folder_manifest;
pub(super) use read::read_lists;
pub(super) use tree::class_tree_items;

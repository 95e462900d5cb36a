//! File formats of models: HuggingFace folders, safetensors, PyTorch archives, tokenizers, and what is written back.

pub mod bpe_train;
pub mod bpe_vocabulary;
pub mod export;
pub mod folder;
pub mod hf_config;
mod html_unescape;
pub mod load_error;
pub mod openai_vocabulary;
pub mod prompt_checkpoint;
pub mod safetensors_file;
pub mod safetensors_write;
pub mod stored;
pub mod tensor_file;
pub mod tensor_names;
mod text_clean;
pub mod tokenizer;
pub mod tokenizer_error;
pub mod torch_file;
pub mod weights;
pub mod weights_files;
pub mod weights_hash;

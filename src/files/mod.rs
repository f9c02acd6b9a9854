//! Files: snapshot, curves, summary, figures; written beside and renamed.

pub mod atomic;
pub mod digits;
pub mod figure;
pub mod history_csv;
pub mod idx;
pub mod index_csv;
pub mod network_input;
pub mod npz;
pub mod run_folder;
pub mod run_lock;
pub mod snapshot;
pub mod summary;
pub mod table_csv;
pub mod task_data;
pub mod trials;

//! Files: snapshot, curves, summary, figures; written beside and renamed.

pub mod atomic;
pub mod digits;
pub mod idx;
pub mod npz;

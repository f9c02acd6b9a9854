//! Files: snapshot, curves, summary, figures; written beside and renamed.
pub mod digits;
pub mod idx;

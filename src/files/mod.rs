//! Files: snapshot, curves, summary, figures; written beside and renamed.

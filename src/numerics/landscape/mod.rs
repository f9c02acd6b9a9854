//! The loss-landscape slice, the path on it, and the shake.

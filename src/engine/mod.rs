//! Threads and channels: run workers, measure workers. No egui.

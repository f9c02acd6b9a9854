//! The command line: the only clap code.

//! Owns the figures that are built in, from `assets/figures`.

use std::sync::LazyLock;

use super::spec::Spec;

macro_rules! figures {
    ($($name:literal,)*) => {
        /// The texts of all figures.
        const TEXTS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../assets/figures/", $name, ".toml"))),)*];
    };
}

figures! {
    "p1-2", "p1-3", "p1-4", "p1-a5", "p1-a6", "p1-a7", "p1-a8", "p1-a9", "p1-a10", "p1-a11", "p1-a12ab", "p1-a12c",
    "p1-table1", "p1-3-input", "p1-3-double", "p1-3-batch", "p1-3-chosen", "p2-1", "p2-2", "p2-3", "p2-4", "p2-5", "p2-1-double",
}

/// All figures, in the order of the papers.
pub fn figures() -> &'static [Spec] {
    static FIGURES: LazyLock<Vec<Spec>> = LazyLock::new(|| {
        let read = |(_, text): &(&str, &str)| {
            toml::from_str::<Spec>(text).expect("a test reads every figure that is built in")
        };
        let given: Vec<Spec> = TEXTS.iter().map(read).collect();
        given.iter().map(|spec| inherited(spec, &given)).collect()
    });
    &FIGURES
}

/// A figure with what it takes from another.
fn inherited(spec: &Spec, all: &[Spec]) -> Spec {
    let mut own = spec.clone();
    let Some(base) = spec.like.as_ref().and_then(|id| all.iter().find(|s| s.id == *id)) else { return own };
    let base = inherited(base, all);
    let mut constants = base.constants;
    constants.extend(own.constants);
    own.constants = constants;
    fn take<T>(own: &mut Vec<T>, base: Vec<T>) {
        if own.is_empty() {
            *own = base;
        }
    }
    take(&mut own.cases, base.cases);
    take(&mut own.arms, base.arms);
    take(&mut own.quantities, base.quantities);
    take(&mut own.plots, base.plots);
    take(&mut own.claims, base.claims);
    take(&mut own.unknown, base.unknown);
    own.across = own.across.or(base.across);
    own.grid = own.grid.or(base.grid);
    own.quick = own.quick.or(base.quick);
    if own.seeds == 0 {
        own.seeds = base.seeds;
    }
    own
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;

//! Owns [`Bench`]: what was tried out on the landscape, and the threads that do it.

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::background::{Answer, Explorer as Thread};
use crate::engine::pool::Processors;
use crate::numerics::landscape::descent::DescentPoint;
use crate::numerics::landscape::shake::Shake;
use crate::numerics::rules::gradient::Outcome;
use crate::numerics::weights::Block;
use crate::session::runs::RunId;
use crate::training::config::RuleKind;
use crate::training::measures::{Detail, SliceDetail, SliceRequest};
use crate::training::terrain::Descended;

/// A run as it was shaken.
#[derive(Clone, Debug)]
pub struct Shaken {
    /// Which run.
    pub run: RunId,
    /// Its name then.
    pub name: String,
    /// Its colour.
    pub colour: usize,
    /// Updates it had made.
    pub iteration: i64,
    /// The block that got noise.
    pub block: Block,
    /// What the noise did, or why there is no answer.
    pub shake: Result<Shake, String>,
}

/// A cut as far as it is known.
#[derive(Clone, Debug)]
pub struct Cut {
    /// Whose probe batch it is on.
    pub run: RunId,
    /// Names of its two ends.
    pub names: [String; 2],
    /// (t, loss and accuracy there), t rising.
    pub points: Vec<(f64, Outcome)>,
}

/// Descents that were started from one point.
#[derive(Clone, Debug)]
pub struct Descending {
    /// Whose slice.
    pub run: RunId,
    /// That slice, as fine as it became: it stays to be looked at when the run has a newer one.
    pub slice: Box<SliceDetail>,
    /// The point.
    pub from: [f64; 2],
    /// Steps in the plane, and after them in the full space.
    pub steps: [u64; 2],
    /// The descents, that of the rule asked for first.
    pub all: Vec<Trail>,
}

/// One rule's descent.
#[derive(Clone, Debug)]
pub struct Trail {
    /// The rule.
    pub rule: RuleKind,
    /// The points it came through; those of the plane first.
    pub points: Vec<DescentPoint>,
    /// It is over because its loss is no longer finite.
    pub diverged: bool,
}

impl Descending {
    /// How far it is, in [0, 1].
    pub fn share(&self) -> f64 {
        let total = (self.steps[0] + self.steps[1]).max(1) as f64;
        let of = |trail: &Trail| if trail.diverged { 1.0 } else { trail.points.len() as f64 / total };
        self.all.iter().map(of).sum::<f64>() / self.all.len().max(1) as f64
    }
}

pub(super) enum Told {
    Slice(RunId, Box<SliceRequest>),
    Cut(Box<Cut>),
    Descended(Descended),
    Shaken(Box<Shaken>),
    Refused(String),
}

/// What was tried out, and the threads that do it.
pub struct Bench {
    pub(super) slices: Thread<Told>,
    pub(super) cuts: Thread<Told>,
    pub(super) descents: Thread<Told>,
    pub(super) shakes: Thread<Told>,
    pub(super) processors: Processors,
    pub(super) cut: Option<Box<Cut>>,
    pub(super) descending: Option<Descending>,
    pub(super) shaken: Vec<Shaken>,
    pub(super) to_shake: usize,
    pub(super) relative: bool,
    pub(super) error: Option<String>,
}

impl Bench {
    /// A bench on threads of its own, which sleep until they are asked.
    pub fn new(engine: &Engine) -> Self {
        Self {
            slices: engine.explorer("slice places"),
            cuts: engine.explorer("cut"),
            descents: engine.explorer("descent"),
            shakes: engine.explorer("shake"),
            processors: engine.measure_processors(),
            cut: None,
            descending: None,
            shaken: Vec::new(),
            to_shake: 0,
            relative: false,
            error: None,
        }
    }

    /// The newest cut.
    pub fn cut(&self) -> Option<&Cut> {
        self.cut.as_deref()
    }

    /// Whether a cut is under way.
    pub fn is_cutting(&self) -> bool {
        self.cuts.is_busy()
    }

    /// The newest descents.
    pub fn descending(&self) -> Option<&Descending> {
        self.descending.as_ref()
    }

    /// Whether descents are under way.
    pub fn is_descending(&self) -> bool {
        self.descents.is_busy()
    }

    /// The newest shake, run by run, and whether its radii are relative to the norms.
    pub fn shaken(&self) -> (&[Shaken], bool) {
        (&self.shaken, self.relative)
    }

    /// How far the shake is, in [0, 1]; `None` where none is under way.
    pub fn shake_share(&self) -> Option<f64> {
        self.shakes.is_busy().then(|| self.shaken.len() as f64 / self.to_shake.max(1) as f64)
    }

    /// Why the last thing that was asked for has no answer.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    pub(super) fn take(&mut self, told: Told) -> Option<(RunId, Box<SliceRequest>)> {
        match told {
            Told::Slice(run, request) => return Some((run, request)),
            Told::Cut(cut) => self.cut = Some(cut),
            Told::Shaken(shaken) => self.shaken.push(*shaken),
            Told::Descended(new) => {
                if let Some(trail) = self.descending.as_mut().and_then(|d| d.all.get_mut(new.rule)) {
                    trail.points.extend(new.points);
                    trail.diverged = new.diverged;
                }
            }
            Told::Refused(error) => self.error = Some(error),
        }
        None
    }

    /// The slice that descents are on is refined.
    pub(in crate::session) fn follow(&mut self, run: RunId, detail: &Detail) {
        if let (Some(descending), Detail::Landscape(Ok(slice))) = (&mut self.descending, detail)
            && descending.run == run
            && Arc::ptr_eq(&descending.slice.plane, &slice.plane)
        {
            *descending.slice = slice.clone();
        }
    }

    pub(super) fn answer(&mut self) -> Option<Answer<Told>> {
        let threads = [&mut self.slices, &mut self.cuts, &mut self.descents, &mut self.shakes];
        threads.into_iter().find_map(Thread::answer)
    }
}

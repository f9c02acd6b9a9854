//! Owns the landscape's bench: what a user tries out on the loss of one or more runs. Slices through chosen
//! places, cuts between two of them, descents from a point of a slice, the shake.

mod bench;

use std::sync::Arc;

use bench::Told;
pub use bench::{Bench, Cut, Descending, Shaken, Trail};

use super::places::{Fetch, Fetched, Place, wait};
use super::runs::RunState;
use super::{RunEntry, Session};
use crate::engine::background::Answer;
use crate::engine::messages::Command;
use crate::files::task_data;
use crate::numerics::landscape::cut::axis_between;
use crate::numerics::landscape::shake::{Radii, ShakeSettings, geometric};
use crate::numerics::weights::norm;
use crate::training::config::{Config, RuleKind, SliceDirections};
use crate::training::measures::{Detail, Measure, SliceDetail, SliceRequest};
use crate::training::terrain::{Descents, Terrain, terrain};

/// What a user asks of the landscape.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// A slice of the selected run, its range, points and block as the measures have them; with three points of
    /// all weights, so that it holds them.
    Slice {
        /// How the directions are found.
        directions: SliceDirections,
        /// theta*; `None`: the present weights, with three points the first.
        centre: Option<Place>,
        /// The points of `three-points`; `None`: start, middle and end of the run's path.
        points: Option<[Place; 3]>,
    },
    /// The loss on the line through two places, on the first one's probe batch.
    Cut {
        /// t = 0.
        from: Place,
        /// t = 1.
        to: Place,
    },
    /// Descents from a point of the selected run's slice.
    Descend {
        /// Where, in units of the slice's directions.
        from: [f64; 2],
        /// The rule; the others are ghosts.
        rule: RuleKind,
        /// Steps in the plane, and after them in the full space.
        steps: [u64; 2],
    },
    /// Takes the descents away.
    ForgetDescents,
    /// Shakes the selected run and all that are pinned.
    Shake {
        /// Radii relative to each network's own norm, not the same for all.
        relative: bool,
    },
}

/// Rules whose descents are drawn.
pub const RULES: [RuleKind; 5] =
    [RuleKind::Bptt, RuleKind::EProp, RuleKind::Rflo, RuleKind::Mdgl, RuleKind::TruncatedBptt];

/// Whether the loss along the axes of a slice is drawn on a linear axis: along an eigenvector and at random a wall stands
/// beside a plain, which is seen where heights add up.
pub fn shows_a_wall(slice: &SliceDetail) -> bool {
    slice.directions == SliceDirections::EigenvectorRandom
}

/// Radii of a shake relative to the norm of the block's weights: lowest, highest, how many; and directions that
/// are tried at each (`[own]`).
const RADII: (f64, f64, usize) = (2e-3, 0.4, 14);
const DRAWS: usize = 60;

/// Points of a cut between its two ends (`[own]`).
const CUT: usize = 80;

/// Answers taken in at once: a frame never takes in more.
const MOST_ANSWERS: usize = 256;

impl Session {
    /// What was tried out on the landscape.
    pub fn bench(&self) -> &Bench {
        &self.bench
    }

    /// The slice of a run that is to be looked at: the newest, or the one that descents are on.
    pub fn slice_of<'a>(&'a self, run: &'a RunEntry) -> Option<&'a SliceDetail> {
        if let Some(descending) = self.bench.descending.as_ref().filter(|d| d.run == run.id) {
            return Some(&descending.slice);
        }
        match &run.finding(Measure::Landscape)?.0.finding.detail {
            Detail::Landscape(Ok(slice)) => Some(slice),
            _ => None,
        }
    }

    /// Takes in what the bench has found; whether there was anything.
    pub(super) fn drain_bench(&mut self) -> bool {
        let mut heard = false;
        for _ in 0..MOST_ANSWERS {
            let Some(answer) = self.bench.answer() else { break };
            heard = true;
            match answer {
                Answer::Result(told) => {
                    if let Some((run, request)) = self.bench.take(told) {
                        self.tell(run, Command::Slice(request));
                    }
                }
                Answer::Failed(error) => self.bench.error = Some(error),
                Answer::Done => {}
            }
        }
        heard
    }

    /// Asks something of the landscape; nothing is asked of a run that is gone.
    pub(super) fn ask_landscape(&mut self, ask: Ask) {
        self.bench.error = None;
        match ask {
            Ask::Slice { directions, centre, points } => self.ask_slice(directions, centre, points),
            Ask::Cut { from, to } => self.ask_cut(from, to),
            Ask::Descend { from, rule, steps } => self.descend(from, rule, steps),
            Ask::ForgetDescents => self.forget_descents(),
            Ask::Shake { relative } => self.shake(relative),
        }
    }

    fn forget_descents(&mut self) {
        self.bench.descents.forget();
        self.bench.descending = None;
    }

    fn ask_slice(&mut self, directions: SliceDirections, centre: Option<Place>, points: Option<[Place; 3]>) {
        self.forget_descents();
        let Some(run) = self.current() else { return };
        let id = run.id;
        let usual = SliceRequest::along(directions, &run.config.measure);
        let points = points.filter(|_| directions == SliceDirections::ThreePoints);
        // The present weights are those that the worker measures.
        let centre = centre.filter(|place| *place != Place::Now(id) || points.is_some());
        if centre.is_none() && points.is_none() {
            self.bench.slices.forget();
            return self.tell(id, Command::Slice(Box::new(usual)));
        }
        let centre = centre.and_then(|place| self.fetch(place, id));
        let points: Option<Vec<Fetch>> =
            points.map(|all| all.iter().filter_map(|place| self.fetch(*place, id)).collect());
        self.bench.slices.ask(move |tell, keep_on| {
            let gather = || -> Result<SliceRequest, String> {
                let centre = centre.map(|fetch| fetch.wait(keep_on)).transpose()?;
                let mut request = SliceRequest { centre: centre.map(|c| c.named), ..usual };
                let Some(points) = points else { return Ok(request) };
                let fetched: Vec<Fetched> =
                    points.into_iter().map(|fetch| fetch.wait(keep_on)).collect::<Result<_, _>>()?;
                for path in fetched.iter().filter_map(|f| f.path.clone()) {
                    if path.run != id.0 && request.others.iter().all(|other| other.run != path.run) {
                        request.others.push(path);
                    }
                }
                let named: Vec<_> = fetched.into_iter().map(|f| f.named).collect();
                request.points = Some(named.try_into().map_err(|_| "a point of the plane is gone")?);
                Ok(request)
            };
            match gather() {
                Ok(request) => tell(Told::Slice(id, Box::new(request))),
                Err(error) => tell(Told::Refused(format!("No slice: {error}"))),
            }
        });
    }

    fn ask_cut(&mut self, from: Place, to: Place) {
        let run = from.run();
        let Some(config) = self.run(run).map(|r| r.config.clone()) else { return };
        let (Some(one), Some(other)) = (self.fetch(from, run), self.fetch(to, run)) else { return };
        let workers = self.bench.processors.share();
        self.bench.cuts.ask(move |tell, keep_on| {
            let find = || -> Result<(), String> {
                let (one, other) = (one.wait(keep_on)?.named, other.wait(keep_on)?.named);
                let terrain = terrain_of(&config)?;
                let found = |t: &[f64]| {
                    terrain
                        .cut(&one.weights, &other.weights, t, &workers, keep_on)
                        .map_err(|error| error.to_string())
                };
                // Coarse first: every fourth space is there at once where a network is large.
                for spaces in [CUT / 4, CUT] {
                    let t = axis_between(spaces);
                    let Some(outcomes) = found(&t)? else { return Ok(()) };
                    let points = t.into_iter().zip(outcomes).collect();
                    let names = [one.name.clone(), other.name.clone()];
                    tell(Told::Cut(Box::new(Cut { run, names, points })));
                }
                Ok(())
            };
            if let Err(error) = find() {
                tell(Told::Refused(format!("No cut: {error}")));
            }
        });
    }

    fn descend(&mut self, from: [f64; 2], rule: RuleKind, steps: [u64; 2]) {
        let Some(run) = self.current() else { return };
        let Some(slice) = self.slice_of(run) else { return };
        let rules: Vec<RuleKind> =
            std::iter::once(rule).chain(RULES.into_iter().filter(|r| *r != rule)).collect();
        let trail = |rule: &RuleKind| Trail { rule: *rule, points: Vec::new(), diverged: false };
        let descending = Descending {
            run: run.id,
            slice: Box::new(slice.clone()),
            from,
            steps,
            all: rules.iter().map(trail).collect(),
        };
        let wanted =
            Descents { plane: Arc::clone(&slice.plane), from, rules, steps, iteration: slice.iteration };
        let (config, workers) = (run.config.clone(), self.bench.processors.share());
        self.bench.descending = Some(descending);
        self.bench.descents.ask(move |tell, keep_on| {
            let descended = terrain_of(&config).and_then(|terrain| {
                terrain
                    .descend(&wanted, &workers, keep_on, &|new| tell(Told::Descended(new)))
                    .map_err(|error| error.to_string())
            });
            if let Err(error) = descended {
                tell(Told::Refused(format!("No descent: {error}")));
            }
        });
    }

    fn shake(&mut self, relative: bool) {
        let current = self.current;
        let wanted = |run: &&RunEntry| {
            let has_weights = !matches!(run.state, RunState::Failed(_));
            has_weights && (Some(run.id) == current || run.pinned)
        };
        let mut subjects: Vec<(Shaken, Config)> = self
            .runs
            .iter()
            .filter(wanted)
            .map(|run| {
                let shaken = Shaken {
                    run: run.id,
                    name: run.name.clone(),
                    colour: run.colour,
                    iteration: 0,
                    block: run.config.measure.block,
                    shake: Err(String::new()),
                };
                (shaken, run.config.clone())
            })
            .collect();
        // The selected run first: its norm sets the radii that are the same for all.
        subjects.sort_by_key(|(shaken, _)| Some(shaken.run) != current);
        let asked: Vec<_> = subjects
            .into_iter()
            .map(|(shaken, config)| {
                let standing = self.ask_standing(shaken.run);
                (shaken, config, standing)
            })
            .collect();
        self.bench.relative = relative;
        self.bench.shaken.clear();
        self.bench.to_shake = asked.len();
        let workers = self.bench.processors.share();
        self.bench.shakes.ask(move |tell, keep_on| {
            let (low, high, n) = RADII;
            let mut radii = relative.then(|| Radii::Relative(geometric(low, high, n)));
            for (mut shaken, config, standing) in asked {
                let standing = match wait(&standing, keep_on) {
                    Ok(standing) => standing,
                    Err(_) if !keep_on() => return,
                    Err(error) => {
                        shaken.shake = Err(error);
                        tell(Told::Shaken(Box::new(shaken)));
                        continue;
                    }
                };
                let weights = &standing.checkpoint.weights;
                let radii = radii.get_or_insert_with(|| {
                    let length = norm(weights.block(shaken.block));
                    let length = if length.is_finite() && length > 0.0 { length } else { 1.0 };
                    Radii::Absolute(geometric(low * length, high * length, n))
                });
                let settings =
                    ShakeSettings { block: shaken.block, radii: radii.clone(), draws: DRAWS, seed: 1 };
                let shake = terrain_of(&config).and_then(|terrain| {
                    terrain.shake(weights, &settings, &workers, keep_on).map_err(|error| error.to_string())
                });
                shaken.iteration = standing.checkpoint.iteration;
                match shake {
                    Ok(None) => return,
                    Ok(Some(shake)) => shaken.shake = Ok(shake),
                    Err(error) => shaken.shake = Err(error),
                }
                tell(Told::Shaken(Box::new(shaken)));
            }
        });
    }
}

fn terrain_of(config: &Config) -> Result<Box<dyn Terrain>, String> {
    let data = task_data::load(&config.task.own).map_err(|e| e.to_string())?;
    terrain(config, &data).map_err(|e| e.to_string())
}

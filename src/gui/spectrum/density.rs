//! The spectral density of the Hessian, with a histogram of the eigenvalues that were found one by one.

use eframe::egui::Ui;

use super::beside;
use super::eigenvalues::{eigenvalue_clouds, known, table as eigenvalue_table};
use crate::gui::plot::points::{self, Points};
use crate::gui::plot::scale::Scale;
use crate::gui::plot::{number, values};
use crate::gui::theme;
use crate::numerics::curvature::density::Node;
use crate::session::RunEntry;
use crate::session::spectral_density::{self, WIDTH};
use crate::training::measures::{CurvatureDetail, DensityDetail, Detail, Eigenvalue, Measure};

/// Width of a bar, in decades (`[own]`).
const BAR: f64 = 0.25;

/// Draws it.
pub fn show(ui: &mut Ui, run: &RunEntry, detail: &CurvatureDetail, with_table: bool) {
    let dark = ui.visuals().dark_mode;
    let found = run.finding(Measure::Density).and_then(|(found, _)| match &found.finding.detail {
        Detail::Density(Some(own)) if own.block == detail.block => Some((own, found.finding.iteration)),
        _ => None,
    });
    let known = known(detail);
    let nodes = found.iter().flat_map(|(own, _)| spectral_density::nodes(own));
    let scale = spectral_density::scale(known.iter().map(|e| e.value).chain(nodes));
    let each = 1.0 / (detail.n_weights.max(1) as f64 * BAR);
    let bars = bars(&known, scale, each);
    let floor = 0.3 * each;
    let mut clouds = Vec::new();
    let color = theme::run_style(run.colour, dark).0;
    if let Some((own, at)) = found {
        let curve = spectral_density::along(own, scale, floor).into_iter().map(|(x, y)| [x, y]).collect();
        let name = format!("density, iteration {}", number::count(at));
        let tip = format!(
            "Share of all eigenvalues per decade of the axis, from {} random vectors with {} products together \
             (stochastic Lanczos quadrature), each value spread by {WIDTH} decades. It is taken while it is \
             looked at, as often as the curvature.",
            own.density.probes.len(),
            own.density.products
        );
        clouds.push(points::line(name, color, theme::Dash::Solid, curve).tip(tip));
    }
    let tip = format!(
        "The {} eigenvalues that were found one by one, counted in bars of {BAR} decades, in the unit of the \
         density: one of {} eigenvalues in a bar stands at {}",
        known.len(),
        detail.n_weights,
        number::significant(each, 2)
    );
    let outline = bars.iter().flat_map(|bar| bar.outline(floor)).map(|[x, y]| [scale.value(x), y]).collect();
    let grey = theme::change_mark(dark);
    clouds.push(points::line("histogram of those found", grey, theme::Dash::Dashed, outline).tip(tip));
    let tops = known.iter().map(|e| {
        let bar = scale.place(e.value).and_then(|place| bars.iter().find(|bar| bar.holds(place)));
        (*e, [e.value, bar.map_or(each, |bar| bar.height)])
    });
    clouds.extend(eigenvalue_clouds(run, dark, "found", tops));
    let plot = Points {
        scales: [scale, Scale::Log],
        zero_line: false,
        at: Some((0.0, "zero".into())),
        ..Points::new("Hessian spectral density", "eigenvalue", "share per decade", clouds)
    };
    beside(
        ui,
        with_table,
        |ui, size| _ = plot.show(ui, size),
        |ui| {
            match found {
                Some((own, _)) => density_table(ui, own, scale),
                None => eigenvalue_table(ui, detail),
            };
        },
    );
}

/// A bar of the histogram, from `left` on.
struct Bar {
    left: f64,
    height: f64,
}

impl Bar {
    fn holds(&self, place: f64) -> bool {
        (self.left..self.left + BAR).contains(&place)
    }

    fn outline(&self, floor: f64) -> [[f64; 2]; 4] {
        let right = self.left + BAR;
        [[self.left, floor], [self.left, self.height], [right, self.height], [right, floor]]
    }
}

/// The bars that are not empty, from left to right; `each` is the height of one eigenvalue.
fn bars(values: &[&Eigenvalue], scale: Scale, each: f64) -> Vec<Bar> {
    let mut places: Vec<f64> = values.iter().filter_map(|e| scale.place(e.value)).collect();
    places.sort_by(f64::total_cmp);
    let mut bars: Vec<Bar> = Vec::new();
    for place in places {
        match bars.last_mut().filter(|bar| bar.holds(place)) {
            Some(bar) => bar.height += each,
            None => bars.push(Bar { left: (place / BAR).floor() * BAR, height: each }),
        }
    }
    bars
}

fn density_table(ui: &mut Ui, own: &DensityDetail, scale: Scale) {
    // One row for each decade of the axis: its share, mean over the probes with its standard error.
    let place = |value: f64| scale.place(value).unwrap_or(0.0).floor();
    let nodes = || own.density.probes.iter().flatten();
    let low = nodes().map(|n| place(n.value)).fold(f64::INFINITY, f64::min);
    let high = nodes().map(|n| place(n.value)).fold(f64::NEG_INFINITY, f64::max);
    let n_rows = if low <= high { (high - low) as usize + 1 } else { 0 };
    let columns = ["from", "to", "share of all", "±"];
    values::show(ui, "density", &columns, n_rows, |row, column| {
        // The largest first.
        let from = high - row as f64;
        let share = |probe: &[Node]| -> f64 {
            probe.iter().filter(|n| place(n.value) == from).map(|n| n.weight).sum()
        };
        let shares: Vec<f64> = own.density.probes.iter().map(|probe| share(probe)).collect();
        let n = shares.len() as f64;
        let mean = shares.iter().sum::<f64>() / n;
        let squares: f64 = shares.iter().map(|s| (s - mean).powi(2)).sum();
        match column {
            0 => number::significant(scale.value(from), 2),
            1 => number::significant(scale.value(from + 1.0), 2),
            2 => number::significant(mean, 3),
            _ => number::significant((squares / (n * (n - 1.0)).max(1.0)).sqrt(), 2),
        }
    });
}

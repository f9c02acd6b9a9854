//! Owns the tooltips of quantities that are named in many places: columns of tables, axes, legends. What each is,
//! its unit, where it is defined.

use eframe::egui::{Response, Ui};

/// What columns and axes are called, and what that is.
#[rustfmt::skip]
const MEANINGS: &[(&str, &str)] = &[
    ("iteration", "Updates of the weights made so far; flossing before training has negative ones"),
    ("seconds of training", "Time on the wall spent in updates, s; pauses are left out"),
    ("training loss, smoothed", "Running mean of the loss on the training batch, in the loss's unit; it falls to the right, so that runs are compared at equal loss"),
    ("rank", "Place in the order from the largest down; 1 is the largest"),
    ("smallest", "The algebraically smallest eigenvalue of the Hessian, loss per squared weight (lambda_min, P1)"),
    ("eigenvalue", "Eigenvalue of the Hessian of the training loss on the probe batch, loss per squared weight (P1)"),
    ("share per decade", "Share of all eigenvalues in a decade of the axis (stochastic Lanczos quadrature; Ubaru, Chen and Saad 2017)"),
    ("residual", "||Hv - lambda v|| / |lambda|, without unit: how well the eigenvalue has converged (Lanczos)"),
    ("state", "Converged: the residual is within 0.001"),
    ("from", "Lower end of the decade, loss per squared weight"),
    ("to", "Upper end of the decade, loss per squared weight"),
    ("share of all", "Share of all eigenvalues of the block in this decade, mean over the random vectors (stochastic Lanczos quadrature)"),
    ("±", "Standard error of the share over the random vectors"),
    ("exponent", "Lyapunov exponent, nats per step: how fast nearby states part (above 0) or meet (below 0); Benettin et al. 1980, Vogt et al. 2022"),
    ("mean", "Mean over the trials, nats per step (Lyapunov exponent; Vogt et al. 2022)"),
    ("mean over runs", "Mean over the runs of this value, in the quantity's own unit"),
    ("sd over runs", "Sample standard deviation over the runs, in the quantity's own unit"),
    ("sd over trials", "Standard deviation over the trials of the probe batch, nats per step"),
    ("sd", "Standard deviation over the trials of the probe batch, nats per step"),
    ("mean up to here", "(1/n) sum of ln |R_11| over the first n steps counted, mean over the trials, nats per step (Benettin et al. 1980)"),
    ("step", "Time step of a trial; one is dt, P2 Eq. 1"),
    ("real part", "Real part of an eigenvalue of w_rec, without unit (P2: N(0, g^2/N) fills the disc of radius g)"),
    ("imaginary part", "Imaginary part of an eigenvalue of w_rec, without unit"),
    ("real", "Real part of an eigenvalue of w_rec, without unit"),
    ("imaginary", "Imaginary part of an eigenvalue of w_rec, without unit"),
    ("modulus", "Distance of an eigenvalue of w_rec from 0, without unit"),
    ("singular value", "Singular value of w_rec less the initial w_rec: how much learning has added along one pair of directions, in units of the weights"),
    ("density", "Share of the weights per unit of weight; the area under each line is 1"),
    ("weight", "Value of a weight, without unit"),
    ("gain", "Initial gain g, without unit: w_rec is drawn from N(0, g^2/N) (P2)"),
    ("cosine, rho", "How the rule's gradient lies to the exact one: the cosine between them, and rho = <g^,g>/<g,g> (P1 Eq. 6), both without unit"),
    ("cosine", "Cosine between the rule's gradient and the exact one, without unit, -1 to 1 (P1 App.)"),
    ("rho", "<g^,g>/<g,g>, without unit: how far the rule's gradient goes along the exact one (P1 Eq. 6)"),
    ("probe loss", "Loss on the probe batch after so many updates, in the task's unit (half the mean square, or nats)"),
    ("loss", "Loss on the probe batch, in the task's unit: half the mean squared error, or cross-entropy in nats"),
    ("accuracy", "Share of the trials judged right"),
    ("seeds", "Networks made at this gain, each from a seed of its own"),
    ("left out", "Seeds that the mean leaves out, their value not being finite"),
    ("diverged", "Runs that diverged: in a scan over gains their loss counts as infinite, in a sweep the mean leaves them out"),
    ("unit", "Number of the recurrent unit"),
    ("channel", "Number of the input channel"),
    ("input channel", "Number of the input channel"),
    ("output channel", "Number of the output channel"),
    ("Units", "Activity z = f(h) of the recurrent units, without unit (P2 Eq. 1)"),
    ("Activity of a trial", "Activity z = f(h) of the recurrent units before training, without unit (P2 Eq. 1)"),
    ("Before flossing", "Activity z = f(h) of the recurrent units before flossing, without unit (P2 Eq. 1)"),
    ("After flossing", "Activity z = f(h) of the recurrent units after flossing, without unit (P2 Eq. 1)"),
    ("Input", "Input x of the trial, without unit (P2 Eq. 1)"),
    ("Output", "Output y = w_out z of the network, in the target's unit (P2 Eq. 1)"),
    ("a", "Coordinate along the first direction of the slice"),
    ("b", "Coordinate along the second direction of the slice"),
    ("t", "Place between the two networks: 0 is the first, 1 the second (Goodfellow et al. 2015)"),
    ("off the plane", "Distance of the state from the plane of the slice, in units of the weights' norm"),
    ("true loss", "Loss of the state itself, in the task's unit"),
    ("plane's loss", "Loss at the state's foot in the plane, in the task's unit"),
    ("difference", "True loss less the plane's: how far the slice misleads there"),
    ("direction", "Direction through the centre of the slice"),
    ("distance", "Distance from the centre along the direction, in its own unit"),
    ("rule", "The learning rule, of the run or of the descent"),
    ("run", "The run that is measured"),
    ("radius", "Norm of the noise on the weights, in units of the weights"),
    ("relative", "Norm of the noise over the norm of the weights, without unit"),
    ("mean loss", "Mean loss over the draws of the noise, in the task's unit"),
    ("lower", "Lower quartile of the loss over the draws of the noise"),
    ("median", "Median of the loss over the draws of the noise"),
    ("upper", "Upper quartile of the loss over the draws of the noise"),
    ("rise of the mean", "Mean loss with the noise less the loss without"),
    ("mean accuracy", "Share of the trials judged right, mean over the draws of the noise"),
    ("not finite", "Draws of the noise whose loss is not finite; the mean leaves them out"),
    ("w_rec", "Recurrent weights [post, pre], without unit (P2 Eq. 1)"),
    ("w_in", "Input weights [unit, channel], without unit (P2 Eq. 1)"),
    ("w_out", "Readout weights [channel, unit], without unit (P2 Eq. 1)"),
];

/// What the name of a column or an axis stands for; `None` for a name that nobody has explained.
pub fn meaning(name: &str) -> Option<String> {
    if let Some(rest) = name.strip_prefix("after: ") {
        return Some(format!("After flossing. {}", meaning(rest)?));
    }
    if let Some(rest) = name.strip_suffix(": mean") {
        return Some(format!("Mean of the finite values over the seeds at a gain. {}", meaning(rest)?));
    }
    for (end, what) in [
        (": median", "Median"),
        (": lower quartile", "Lower quartile"),
        (": upper quartile", "Upper quartile"),
    ] {
        if let Some(rest) = name.strip_suffix(end) {
            let all = "over the seeds at a gain, a run that diverged counting as infinite";
            return Some(format!("{what} {all}. {}", meaning(rest)?));
        }
    }
    if let Some(rest) = name.strip_suffix(": sd") {
        return Some(format!("Standard deviation over the seeds at a gain. {}", meaning(rest)?));
    }
    if let Some(rank) = name.strip_prefix("rank ").filter(|rank| rank.parse::<usize>().is_ok()) {
        return Some(format!("The eigenvalue of rank {rank} from the largest. {}", meaning("eigenvalue")?));
    }
    MEANINGS.iter().find(|(own, _)| *own == name).map(|(_, meaning)| format!("{meaning}."))
}

/// The head of a column, with what it stands for.
pub fn column(ui: &mut Ui, name: &str) {
    explained(ui.strong(name), || meaning(name).unwrap_or_else(|| name.into()));
}

/// A tooltip that is put together only where somebody sees or hears it.
pub fn explained(response: Response, tip: impl Fn() -> String) -> Response {
    if response.ctx.has_accesskit_node(response.id) {
        response.ctx.accesskit_node_builder(response.id, |node| node.set_description(tip()));
    }
    response.on_hover_ui(|ui| {
        ui.set_max_width(ui.spacing().tooltip_width);
        ui.label(tip());
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_explained_once_and_what_is_made_of_names_too() {
        for (i, (name, text)) in MEANINGS.iter().enumerate() {
            assert!(MEANINGS[..i].iter().all(|(other, _)| other != name), "{name} twice");
            assert!(text.len() > name.len() + 4, "{name}: {text}");
        }
        let after = ["after: mean", "after: sd", "after: modulus"];
        let scanned = ["exponent: mean", "rho: sd", "probe loss: median", "probe loss: upper quartile"];
        for name in after.into_iter().chain(scanned).chain(["rank 17"]) {
            assert!(meaning(name).is_some_and(|text| text.len() > 40), "{name}");
        }
        assert_eq!(meaning("rank of a tensor"), None);
    }
}

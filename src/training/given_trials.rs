//! Owns [`warnings`]: what surprises about the trials that a user gave.

use super::config::Config;
use crate::numerics::tasks::{TaskData, TaskKind};

/// What the settings ask of the trials and cannot have, or is easily misread; one sentence each.
pub fn warnings(config: &Config, data: &TaskData) -> Vec<String> {
    let (batch, probe) = (config.task.batch, config.measure.probe_trials);
    let test = config.task.test_trials;
    let mut said = Vec::new();
    let mut at_most = |key: &str, asked: usize, there: usize, what: &str| {
        if asked > there {
            said.push(format!("`{key}` = {asked}: there are {there} {what}, and all of them are taken"));
        }
    };
    match data {
        TaskData::None => {}
        TaskData::Digits { train, test: tested } => {
            at_most("task.batch", batch, train.count(), "training images");
            at_most("measure.probe_trials", probe, train.count(), "training images");
            at_most("task.test_trials", test, tested.count(), "test images");
        }
        TaskData::Network { .. } => said.push(format!(
            "`{}` is a network with its own trials: training begins at its weights, which no gain and no seed changes, \
             and is tested on the same trials, so that the generalization gap says nothing",
            TaskKind::File.name()
        )),
        TaskData::Trials { train, test, .. } => {
            at_most("task.batch", batch, train.n_batch(), "trials in the file");
            at_most("measure.probe_trials", probe, train.n_batch(), "trials in the file");
            if test.is_none() {
                said.push(format!(
                    "`{}` has no members `test_...`: it tests on the training trials, and the generalization gap says \
                     nothing",
                    TaskKind::File.name()
                ));
            }
        }
    }
    said
}

//! The tasks against what SCIENCE states of them and against neurogym's own trials.

mod common;

use common::npz;

#[test]
fn reference_files_are_read() {
    let file = npz::load(npz::reference("neurogym_clean.npz"));
    assert_eq!(file["dms_clean_ob"].shape, [4, 32, 3]);
}

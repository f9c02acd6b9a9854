//! Optimisers and schedules against closed forms and against their definitions written out in f64.

use basinscope::numerics::optimizers::{
    Adam, Optimizer, Schedule, Sgd, Shape, StateError, add_l2_gradient, clip, gradient_norm,
};
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::scalar::Scalar;
use basinscope::numerics::weights::norm;

/// A length that is no multiple of any vector.
const N: usize = 83;

fn random(number: u64, sd: f64) -> Vec<f64> {
    let mut stream = Stream::numbered(5, Purpose::Weights, number);
    (0..N).map(|_| sd * stream.normal()).collect()
}

/// Gradients of a loss 1/2 sum lambda_i w_i^2.
fn descend<T: Scalar>(optimizer: &mut Optimizer<T>, lambda: &[f64], w: &mut [T], eta: f64, updates: usize) {
    let mut gradient = vec![T::zero(); w.len()];
    for _ in 0..updates {
        for ((g, w), l) in gradient.iter_mut().zip(&*w).zip(lambda) {
            *g = T::of(*l) * *w;
        }
        optimizer.step(w, &gradient, eta);
    }
}

/// w_n = (1 - eta lambda)^n w_0: rounding of 30 updates stays below 30 x 4 eps relative, here 1e-13.
#[test]
fn gradient_descent_on_a_quadratic_has_its_closed_form() {
    let lambda: Vec<f64> = (0..N).map(|i| 0.05 + 0.1 * i as f64 / N as f64).collect();
    let start = random(0, 1.0);
    let mut w = start.clone();
    descend(&mut Optimizer::sgd(N, 0.0), &lambda, &mut w, 2.0, 30);
    for ((w, start), lambda) in w.iter().zip(&start).zip(&lambda) {
        let expected = (1.0 - 2.0 * lambda).powi(30) * start;
        assert!((w - expected).abs() <= 1e-13 * start.abs(), "{w} {expected}");
    }
}

/// On a quadratic, momentum obeys w[n+1] = (1 + m - eta lambda) w[n] - m w[n-1], without any velocity.
#[test]
fn momentum_obeys_its_two_term_recurrence() {
    let (m, eta, lambda) = (0.9, 0.3, 0.7);
    let mut w = vec![1.0f64];
    let mut optimizer = Optimizer::sgd(1, m);
    let (mut before, mut now) = (1.0, 1.0);
    for n in 0..100 {
        descend(&mut optimizer, &[lambda], &mut w, eta, 1);
        (before, now) = (now, (1.0 + m - eta * lambda) * now - m * before);
        // Both recurrences are stable (roots of modulus sqrt m): rounding stays near eps.
        assert!((w[0] - now).abs() < 1e-13, "update {n}: {} {now}", w[0]);
    }
}

/// Just below 2 (1 + m) / eta the quadratic is stable, just above it is not.
#[test]
fn the_stability_line_of_momentum_is_two_times_one_plus_m_over_eta() {
    let (m, eta) = (0.5, 0.1);
    let line = 2.0 * (1.0 + m) / eta;
    let after = |lambda: f64| {
        let mut w = vec![1.0f64];
        descend(&mut Optimizer::sgd(1, m), &[lambda], &mut w, eta, 4000);
        w[0].abs()
    };
    assert!(after(0.99 * line) < 1e-3);
    assert!(after(1.01 * line) > 1e3);
}

/// |g| / (|g| + 1e-8): the first step falls short of eta by 1e-8 / |g| relative.
#[test]
fn the_first_step_of_adam_is_minus_eta_times_the_sign_of_the_gradient() {
    let gradient = random(1, 1.0);
    let mut w = vec![0.0; N];
    Optimizer::adam(N).step(&mut w, &gradient, 1e-3);
    for (w, g) in w.iter().zip(&gradient) {
        let expected = -1e-3 * g / (g.abs() + 1e-8);
        assert!((w - expected).abs() < 1e-18, "{w} {expected}");
        assert!((w + 1e-3 * g.signum()).abs() <= 1e-3 * 1.01e-8 / g.abs(), "{w} {g}");
    }
}

/// Kingma and Ba's Algorithm 1 with bias-corrected moments, scalar by scalar in f64.
fn adam_by_definition(start: &[f64], gradients: &[Vec<f64>], eta: f64) -> Vec<f64> {
    let one = |i: usize| {
        let (mut w, mut m, mut v) = (start[i], 0.0, 0.0);
        for (n, gradient) in gradients.iter().enumerate() {
            let (g, n) = (gradient[i], n as i32 + 1);
            m = 0.9 * m + 0.1 * g;
            v = 0.999 * v + 0.001 * g * g;
            let (m_hat, v_hat): (f64, f64) = (m / (1.0 - 0.9f64.powi(n)), v / (1.0 - 0.999f64.powi(n)));
            w -= eta * m_hat / (v_hat.sqrt() + 1e-8);
        }
        w
    };
    (0..start.len()).map(one).collect()
}

#[test]
fn adam_equals_its_definition_written_out() {
    let start = random(2, 1.0);
    let gradients: Vec<Vec<f64>> = (0..200).map(|n| random(10 + n, 0.1 + 0.01 * n as f64)).collect();
    let expected = adam_by_definition(&start, &gradients, 1e-2);
    let mut w = start.clone();
    let mut single: Vec<f32> = start.iter().map(|w| *w as f32).collect();
    let (mut adam, mut adam_single) = (Optimizer::adam(N), Optimizer::adam(N));
    for gradient in &gradients {
        adam.step(&mut w, gradient, 1e-2);
        let gradient: Vec<f32> = gradient.iter().map(|g| *g as f32).collect();
        adam_single.step(&mut single, &gradient, 1e-2);
    }
    for ((w, single), expected) in w.iter().zip(&single).zip(&expected) {
        // Steps of at most about 1e-2, each with a few roundings: 200 x 1e-2 x 10 eps, in either precision
        // (and the rounding of w itself, at most 200 eps |w|).
        assert!((w - expected).abs() < 1e-13, "{w} {expected}");
        assert!((f64::from(*single) - expected).abs() < 2e-5, "{single} {expected}");
    }
}

#[test]
fn a_constant_factor_on_the_gradient_does_nothing_under_adam() {
    let run = |factor: f64| {
        let mut w = random(3, 1.0);
        let mut adam = Optimizer::adam(N);
        for n in 0..50 {
            let gradient: Vec<f64> = random(20 + n, 1.0).iter().map(|g| factor * g).collect();
            adam.step(&mut w, &gradient, 1e-2);
        }
        w
    };
    // Only epsilon sees the factor: 1e-8 / 0.3 a step relative, at most 50 steps of 1e-2.
    for (a, b) in run(1.0).iter().zip(&run(0.3)) {
        assert!((a - b).abs() < 50.0 * 1e-2 * 1e-6, "{a} {b}");
    }
}

/// An unbroken run and one stored and taken up half way, through f64, bit by bit.
fn resumes<T: Scalar>(make: impl Fn() -> Optimizer<T>) {
    let gradient = |n: u64| -> Vec<T> { random(100 + n, 1.0).iter().map(|g| T::of(*g)).collect() };
    let mut w: Vec<T> = random(4, 1.0).iter().map(|g| T::of(*g)).collect();
    let mut unbroken = make();
    (0..7).for_each(|n| unbroken.step(&mut w, &gradient(n), 1e-2));
    let stored = unbroken.state();
    let mut again = make();
    let find = |name: &str| stored.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_slice());
    again.restore(find).expect("its own state fits");
    assert_eq!(again, unbroken);
    let mut w_again = w.clone();
    for n in 7..14 {
        unbroken.step(&mut w, &gradient(n), 1e-2);
        again.step(&mut w_again, &gradient(n), 1e-2);
    }
    assert_eq!(w, w_again);
    assert_eq!(again, unbroken);
}

#[test]
fn a_resumed_optimizer_has_the_bits_of_an_unbroken_one() {
    resumes::<f32>(|| Optimizer::sgd(N, 0.0));
    resumes::<f32>(|| Optimizer::sgd(N, 0.9));
    resumes::<f32>(|| Optimizer::adam(N));
    resumes::<f64>(|| Optimizer::adam(N));
}

#[test]
fn the_state_has_the_names_that_files_use() {
    let names = |o: Optimizer<f32>| o.state().iter().map(|(n, _)| *n).collect::<Vec<_>>();
    assert_eq!(names(Optimizer::sgd(3, 0.0)), Vec::<&str>::new());
    assert_eq!(names(Optimizer::sgd(3, 0.5)), ["velocity"]);
    assert_eq!(names(Optimizer::adam(3)), ["first_moment", "second_moment", "count"]);
}

#[test]
fn a_state_that_does_not_fit_is_refused_and_changes_nothing() {
    let mut adam = Optimizer::<f64>::adam(3);
    adam.step(&mut [0.0; 3], &[1.0; 3], 0.1);
    let before = adam.clone();
    let three: &[f64] = &[0.0; 3];
    assert_eq!(adam.restore(|_| None), Err(StateError::Missing { name: "first_moment" }));
    let error = adam.restore(|name| Some(if name == "second_moment" { &three[1..] } else { three }));
    assert_eq!(error, Err(StateError::Length { name: "second_moment", found: 2, expected: 3 }));
    for bad in [-1.0, 0.5, f64::INFINITY, 1e300] {
        let count = [bad];
        let find = |name: &str| Some(if name == "count" { &count } else { &[0.0; 3] as &[f64] });
        assert_eq!(adam.restore(find), Err(StateError::Count { value: bad }));
    }
    assert_eq!(adam, before);
    assert_eq!(
        Optimizer::<f64>::sgd(3, 0.9).restore(|_| None),
        Err(StateError::Missing { name: "velocity" })
    );
}

#[test]
fn momentum_can_be_changed_on_the_way() {
    let mut sgd = Sgd::<f64>::new(1, 0.0);
    let mut w = [0.0];
    sgd.step(&mut w, &[1.0], 1.0);
    sgd.set_momentum(0.5);
    sgd.step(&mut w, &[1.0], 1.0);
    sgd.set_momentum(0.25);
    sgd.step(&mut w, &[1.0], 1.0);
    // u: 1, 1, 1.25.
    assert_eq!((w[0], sgd.velocity()), (-3.25, [1.25].as_slice()));
    sgd.set_momentum(0.0);
    assert_eq!((sgd.momentum(), sgd.velocity()), (0.0, [].as_slice()));
    assert_eq!(Adam::<f64>::new(2).count(), 0);
}

#[test]
fn clipping_bounds_the_norm_and_keeps_the_direction() {
    let original = random(6, 1.0);
    let length = norm(&original);
    // Two orders of summation of 83 squares differ by at most 83 eps.
    assert!((gradient_norm(&original) - length).abs() < 83.0 * f64::EPSILON * length);
    let mut gradient = original.clone();
    assert_eq!(clip(&mut gradient, 0.5), gradient_norm(&original));
    assert!((norm(&gradient) - 0.5).abs() < 1e-14);
    for (g, o) in gradient.iter().zip(&original) {
        assert!((g * length - 0.5 * o).abs() < 1e-14);
    }
    for no_limit in [0.0, 1.001 * length] {
        let mut gradient = original.clone();
        clip(&mut gradient, no_limit);
        assert_eq!(gradient, original, "a limit of {no_limit}");
    }
    for bad in [f64::NAN, f64::INFINITY] {
        let mut gradient = original.clone();
        gradient[40] = bad;
        assert!(!clip(&mut gradient, 1.0).is_finite());
        assert_eq!(gradient[0], original[0]);
    }
}

/// Against the difference quotient of c/2 ||w||^2, exact for a quadratic but for rounding.
#[test]
fn l2_adds_the_gradient_of_half_c_times_the_squared_norm() {
    let (w, c) = (random(7, 1.0), 0.3);
    let penalty = |w: &[f64]| 0.5 * c * norm(w).powi(2);
    let mut gradient = vec![1.0; N];
    add_l2_gradient(&mut gradient, &w, c);
    for i in 0..N {
        let (mut up, mut down) = (w.clone(), w.clone());
        up[i] += 0.5;
        down[i] -= 0.5;
        assert!((gradient[i] - 1.0 - (penalty(&up) - penalty(&down))).abs() < 1e-12);
    }
}

#[test]
fn schedules_have_their_values_at_their_edges() {
    let with = |shape, warmup, iterations| Schedule { shape, warmup, iterations };
    assert_eq!(Schedule::CONSTANT.factor(u64::MAX), 1.0);

    let step = with(Shape::Step { initial_factor: 3.0, factor: 0.9, every: 0 }, 0, 3000);
    assert_eq!([0, 99].map(|n| step.factor(n)), [3.0; 2]);
    assert!((step.factor(100) - 2.7).abs() < 1e-15);
    // 30 parts: the last iteration is in the 30th.
    assert!((step.factor(2999) - 3.0 * 0.9f64.powi(29)).abs() < 1e-15);
    let short = with(Shape::Step { initial_factor: 2.0, factor: 0.5, every: 0 }, 0, 5);
    assert_eq!([0, 1, 2].map(|n| short.factor(n)), [2.0, 1.0, 0.5], "fewer than 30 iterations: every one");
    let every = with(Shape::Step { initial_factor: 1.0, factor: 0.5, every: 4 }, 0, 5);
    assert_eq!([3, 4, 8].map(|n| every.factor(n)), [1.0, 0.5, 0.25]);

    let exponential = with(Shape::Exponential { decay: 0.5 }, 0, 10);
    assert_eq!([0, 1, 10].map(|n| exponential.factor(n)), [1.0, 0.5, 0.5f64.powi(10)]);
    assert_eq!(exponential.factor(u64::MAX), 0.0, "finite, never NaN");

    let cosine = with(Shape::Cosine { final_factor: 0.2 }, 0, 100);
    assert_eq!(cosine.factor(0), 1.0);
    assert!((cosine.factor(50) - 0.6).abs() < 1e-15);
    assert!((cosine.factor(25) - (0.2 + 0.4 * (1.0 + 0.5f64.sqrt()))).abs() < 1e-15);
    assert_eq!([100, 101, u64::MAX].map(|n| cosine.factor(n)), [0.2; 3]);
}

#[test]
fn warm_up_rises_linearly_in_front_of_any_schedule() {
    for shape in [
        Shape::Constant,
        Shape::Step { initial_factor: 3.0, factor: 0.9, every: 7 },
        Shape::Exponential { decay: 0.99 },
        Shape::Cosine { final_factor: 0.1 },
    ] {
        let schedule = Schedule { shape, warmup: 10, iterations: 110 };
        let bare = Schedule { shape, warmup: 0, iterations: 100 };
        for n in 0..10 {
            let expected = (n + 1) as f64 / 10.0 * bare.factor(0);
            assert!((schedule.factor(n) - expected).abs() < 1e-15, "{shape:?} at {n}");
        }
        for n in 0..=100 {
            assert_eq!(schedule.factor(10 + n), bare.factor(n), "{shape:?} at {n}");
        }
    }
    let too_long = Schedule { shape: Shape::Cosine { final_factor: 0.0 }, warmup: 20, iterations: 10 };
    assert_eq!([9, 19, 20, 21].map(|n| too_long.factor(n)), [0.5, 1.0, 1.0, 0.0]);
}

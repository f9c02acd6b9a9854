//! Lyapunov exponents along a trajectory, and gradient flossing.

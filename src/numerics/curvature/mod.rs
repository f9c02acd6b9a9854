//! Curvature of the true training loss: Hessian-vector products, eigenvalues, trace, flatness, alignment.

#!/usr/bin/env python3
"""Draws the run in this folder: python plot.py [--show]

Reads history.csv, summary.json and snapshot.npz beside it; needs matplotlib. Writes curves.png and curves.svg,
and slice.png and slice.svg where the snapshot has a slice of the loss landscape.
"""

import csv
import json
import math
import os
import sys

import matplotlib

if "--show" not in sys.argv:
    matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm

HERE = os.path.dirname(os.path.abspath(__file__))

# Okabe-Ito colours; dashes tell curves apart without them.
BLACK, ORANGE, SKY, GREEN, BLUE, RED = "#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00"

# Title, scale of y, and the curves: series, label, colour, dashes.
PANELS = [
    ("Loss", "log", [
        ("train_loss", "train", BLUE, "-"),
        ("test_loss", "test", RED, "--"),
        ("flossing_loss", "flossing", GREEN, ":"),
    ]),
    ("Accuracy", "linear", [
        ("train_accuracy", "train", BLUE, "-"),
        ("test_accuracy", "test", RED, "--"),
    ]),
    ("Leading Hessian eigenvalues (sharpness)", "symlog", [
        ("lambda_max", "largest", BLUE, "-"),
        ("lambda_min", "smallest", RED, "--"),
    ]),
    ("Lyapunov exponents (nats per step)", "linear", [
        ("lyapunov_max", "largest", BLUE, "-"),
    ]),
    ("Alignment with the exact gradient", "linear", [
        ("rho", "rho", BLUE, "-"),
        ("cosine", "cosine", RED, "--"),
    ]),
    ("Share in the top eigenvectors", "linear", [
        ("gradient_in_top_subspace", "gradient", BLUE, "-"),
        ("error_in_top_subspace", "error", RED, "--"),
    ]),
    ("Generalization gap", "linear", [("generalization_gap", "gap", BLACK, "-")]),
    ("Power-law exponent", "linear", [("power_law_exponent", "exponent", BLACK, "-")]),
    ("Relative flatness", "symlog", [("relative_flatness", "flatness", BLACK, "-")]),
    ("Norms", "log", [
        ("weight_norm", "weights", BLUE, "-"),
        ("gradient_norm", "gradient", RED, "--"),
    ]),
    ("Learning rate", "log", [("learning_rate", "learning rate", BLACK, "-")]),
]


def read_history():
    series = {}
    with open(os.path.join(HERE, "history.csv"), newline="") as file:
        for row in csv.DictReader(file):
            iterations, values = series.setdefault(row["series"], ([], []))
            iterations.append(int(row["iteration"]))
            values.append(float(row["value"]))
    return series


def read_summary():
    with open(os.path.join(HERE, "summary.json")) as file:
        return json.load(file)


def save(figure, name):
    for ending in ("png", "svg"):
        path = os.path.join(HERE, f"{name}.{ending}")
        figure.savefig(path, dpi=200)
        print(path)


def draw_curves(series, summary):
    panels = [p for p in PANELS if any(name in series for name, *_ in p[2])]
    columns = min(3, max(1, len(panels)))
    rows = max(1, math.ceil(len(panels) / columns))
    figure, axes = plt.subplots(
        rows, columns, figsize=(4.4 * columns, 3.1 * rows), squeeze=False, layout="constrained"
    )
    for axis in axes.flat[len(panels):]:
        axis.set_visible(False)
    for axis, (title, scale, curves) in zip(axes.flat, panels):
        finite = []
        for name, label, colour, dashes in curves:
            if name not in series:
                continue
            iterations, values = np.array(series[name][0]), np.array(series[name][1])
            good = np.isfinite(values)
            if scale == "log":
                good &= values > 0
            marker = "." if good.sum() <= 60 else None
            axis.plot(
                iterations[good], values[good], dashes, color=colour, label=label, linewidth=1, marker=marker
            )
            finite.extend(np.abs(values[good & (values != 0)]))
            if (~good).any():
                axis.plot(
                    iterations[~good], np.zeros((~good).sum()), "x", color=colour, clip_on=False,
                    transform=axis.get_xaxis_transform(), label=f"{label}: cannot be drawn",
                )
        if scale == "symlog" and finite:
            axis.set_yscale("symlog", linthresh=max(1e-12, float(np.median(finite)) / 100))
        elif scale == "log" and finite:
            axis.set_yscale("log")
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("iteration")
        axis.grid(True, linewidth=0.3)
        axis.legend(fontsize=8, frameon=False)
    stop = summary["stop"]
    figure.suptitle(f"{summary['program']} {summary['version']}, {stop['reason']} at iteration {summary['iteration']}")
    save(figure, "curves")


def draw_slice():
    path = os.path.join(HERE, "snapshot.npz")
    if not os.path.exists(path):
        return
    with np.load(path) as snapshot:
        if "slice_loss" not in snapshot or "slice_a" not in snapshot or "slice_b" not in snapshot:
            return
        a, b, loss = snapshot["slice_a"], snapshot["slice_b"], snapshot["slice_loss"]
        path_ab = None
        if "slice_path_a" in snapshot and "slice_path_b" in snapshot:
            path_ab = snapshot["slice_path_a"], snapshot["slice_path_b"]
    good = np.isfinite(loss) & (loss > 0)
    if not good.any():
        return
    shown = np.where(good, loss, np.nan)
    figure, axis = plt.subplots(figsize=(5.4, 4.4), layout="constrained")
    low, high = float(shown[good].min()), float(shown[good].max())
    norm = LogNorm(low, high) if high > low else None
    mesh = axis.pcolormesh(a, b, shown, shading="nearest", cmap="viridis", norm=norm)
    if high > low:
        axis.contour(a, b, shown, levels=np.geomspace(low, high, 12), colors="white", linewidths=0.4)
    if path_ab is not None:
        axis.plot(*path_ab, "-", color=ORANGE, linewidth=1)
        axis.plot(path_ab[0][-1:], path_ab[1][-1:], "o", color=ORANGE, markersize=4)
        axis.set_xlim(a.min(), a.max())
        axis.set_ylim(b.min(), b.max())
    axis.set_xlabel("direction 1")
    axis.set_ylabel("direction 2")
    figure.colorbar(mesh, ax=axis, label="loss")
    save(figure, "slice")


if __name__ == "__main__":
    draw_curves(read_history(), read_summary())
    draw_slice()
    if "--show" in sys.argv:
        plt.show()

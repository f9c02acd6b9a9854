#!/usr/bin/env python3
"""Draws the runs of the csv file of the same name beside this script: python NAME.py [--show]

The file holds run,iteration,series,value (curves of very long runs with the smallest and the largest value of
each stretch). Needs matplotlib. Writes NAME-curves.png and NAME-curves.svg.
"""

import csv
import math
import os
import sys

import matplotlib

if "--show" not in sys.argv:
    matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

NAME = os.path.splitext(os.path.abspath(__file__))[0]

# Okabe-Ito colours and a marker for each run; dashes tell the curves of a run apart.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#1A1A1A", "#56B4E9"]
MARKERS = ["o", "s", "D", "^", "v", "x", "+", "."]

# Title, scale of y, and the curves: series, label, dashes.
PANELS = [
    ("Loss", "log", [("train_loss", "train", "-"), ("test_loss", "test", "--")]),
    ("Accuracy", "linear", [("train_accuracy", "train", "-"), ("test_accuracy", "test", "--")]),
    ("Leading Hessian eigenvalues", "symlog", [("lambda_max", "largest", "-"), ("lambda_min", "smallest", "--")]),
    ("Largest Lyapunov exponent (nats per step)", "linear", [("lyapunov_max", "largest", "-")]),
    ("Alignment with the exact gradient", "linear", [("rho", "rho", "-"), ("cosine", "cosine", "--")]),
    ("Generalization gap", "linear", [("generalization_gap", "gap", "-")]),
]


def read():
    runs = {}
    with open(NAME + ".csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            iterations, values = runs.setdefault(row["run"], {}).setdefault(row["series"], ([], []))
            iterations.append(int(row["iteration"]))
            values.append(float(row["value"]))
    return runs


def main():
    runs = read()
    panels = [p for p in PANELS if any(s in run for s, *_ in p[2] for run in runs.values())]
    columns = min(2, max(1, len(panels)))
    rows = max(1, math.ceil(len(panels) / columns))
    figure, axes = plt.subplots(rows, columns, figsize=(4.6 * columns, 3.1 * rows), squeeze=False,
                                layout="constrained")
    for axis in axes.flat[len(panels):]:
        axis.set_visible(False)
    for axis, (title, scale, curves) in zip(axes.flat, panels):
        magnitudes = []
        for number, (name, run) in enumerate(runs.items()):
            colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
            for series, label, dashes in curves:
                if series not in run:
                    continue
                x, y = np.array(run[series][0]), np.array(run[series][1])
                good = np.isfinite(y) & ((y > 0) if scale == "log" else True)
                text = f"{name}, {label}" if (~good).sum() == 0 else f"{name}, {label} ({(~good).sum()} not drawn)"
                axis.plot(x[good], y[good], dashes, color=colour, label=text, linewidth=1, marker=marker,
                          markersize=4, markevery=max(1, good.sum() // 8))
                magnitudes.extend(np.abs(y[good & (y != 0)]))
        if scale == "symlog" and magnitudes:
            axis.set_yscale("symlog", linthresh=max(1e-12, float(np.median(magnitudes)) / 100))
        elif scale == "log" and magnitudes:
            axis.set_yscale("log")
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("iteration")
        axis.grid(True, linewidth=0.3)
        axis.legend(fontsize=7, frameon=False)
    for ending in ("png", "svg"):
        figure.savefig(f"{NAME}-curves.{ending}", dpi=200)
        print(f"{NAME}-curves.{ending}")
    if "--show" in sys.argv:
        plt.show()


if __name__ == "__main__":
    main()

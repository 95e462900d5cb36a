"""Results, records and predictions of a run in pandas and polars, and one plot.

    python examples/read_results.py OUT base2new-pocket plot.png
"""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import polars as pl

out, run, plot = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

# The tables of the report: a row a dataset, method, seed, shots and class half. Empty fields are missing values.
results = pd.read_csv(out / "reports" / run / "results.csv")
same = pl.read_csv(out / "reports" / run / "results.csv")
assert len(results) == len(same)
print(results.groupby(["method", "variant", "classes"])["accuracy_pct"].agg(["mean", "std", "count"]).round(2))
print(same.group_by("method", "classes").agg(pl.col("accuracy_pct").mean().round(2)).sort("method", "classes"))

# The records behind them: everything that was run, one JSON document a cell.
folder = out / "runs" / run
records = [json.loads(path.read_text()) for path in sorted((folder / "records").glob("*.json"))]
cells = pd.json_normalize(records)[["cell.dataset", "cell.method", "cell.seed", "timing.train_secs"]]
print(cells.groupby("cell.method")["timing.train_secs"].sum().round(2))

# The prediction of every test image: which classes are mixed up most often?
files = [(r["cell"]["method"], e["predictions_path"]) for r in records for e in r["evaluations"]]
predictions = pd.concat([pd.read_csv(folder / path).assign(method=method) for method, path in files if path])
wrong = predictions[predictions.label != predictions.predicted]
print(wrong.groupby(["method", "label", "predicted"]).size().sort_values(ascending=False).head(5))

# Imported results are marked in `data`: hollow points.
halves = results.pivot_table(index=["method", "variant", "data"], columns="classes", values="accuracy_pct")
for (method, variant, data), row in halves.dropna(subset=["base", "new"]).iterrows():
    face = "none" if data == "imported" else None
    plt.scatter(row["base"], row["new"], facecolors=face, edgecolors="black", label=f"{method} ({variant})")
plt.xlabel("base, %")
plt.ylabel("new, %")
plt.legend(fontsize="small")
plt.savefig(plot)
print(plot)

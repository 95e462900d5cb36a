"""A finished run to a tracker: MLflow here, two lines each for W&B and TensorBoard. Nothing is logged while it runs.

    python examples/upload.py OUT/runs/base2new-pocket
"""

import json
import sys
from pathlib import Path

import mlflow

for path in sorted(Path(sys.argv[1], "records").glob("*.json")):
    record = json.loads(path.read_text())
    cell = record["cell"]
    with mlflow.start_run(run_name=f"{cell['dataset']} {cell['method']} seed {cell['seed']}"):
        mlflow.log_params(record["config"] | {name: str(value) for name, value in cell.items()})
        for number, epoch in enumerate((record["training"] or {}).get("epochs", [])):
            mlflow.log_metric("mean_loss", epoch["mean_loss"], step=number)
        for e in record["evaluations"]:
            mlflow.log_metric(f"{e['dataset']}/{e['classes']}_pct", 100 * e["correct"] / max(e["total"], 1))
# W&B:         run = wandb.init(config=record["config"]); run.log({"mean_loss": …}, step=number); run.finish()
# TensorBoard: writer = SummaryWriter(); writer.add_scalar("mean_loss", epoch["mean_loss"], number)

"""A linear probe in torch on rpo-bench's own draw, tested on its own test lists and imported into its tables.

    python examples/torch_probe.py rpo-bench DATA CLIP OUT      # after: rpo-bench suite base2new --data DATA --clip CLIP --out OUT
"""

import csv, json, subprocess, sys
import torch, torch.nn.functional as F

bench, data, clip, out = sys.argv[1:5]
dataset, shots = "eurosat", "16"


def run(*words):
    return subprocess.run([bench, *words], check=True, capture_output=True, text=True).stdout


def features(kind, values):
    found = json.loads(run("model", "features", "--clip", clip, "--" + kind, *values, "--json"))
    return torch.tensor(found[kind + "_features"])


for seed in ("1", "2", "3"):
    draw = ["data", "draw", dataset, "--data", data, "--seed", seed, "--shots", shots, "--json", "--classes"]
    halves = {half: json.loads(run(*draw, half)) for half in ("base", "new")}
    texts = {half: F.normalize(features("text", [f"a photo of a {name}." for name in h["class_names"]]), dim=-1) for half, h in halves.items()}
    train = halves["base"]["train"]
    x, y = features("image", [f"{data}/{row['path']}" for row in train]), torch.tensor([row["label"] for row in train])
    probe = torch.eye(x.shape[1], requires_grad=True)
    adam = torch.optim.Adam([probe], lr=1e-3)
    for _ in range(100):
        adam.zero_grad()
        F.cross_entropy(100 * F.normalize(x @ probe, dim=-1) @ texts["base"].T, y).backward()
        adam.step()
    for half, h in halves.items():
        images = features("image", [f"{data}/{row['path']}" for row in h["test"]])
        p = (100 * F.normalize(images @ probe.detach(), dim=-1) @ texts[half].T).softmax(-1)
        with open(f"{out}/probe-{half}-{seed}.csv", "w", newline="") as file:
            rows = ((r["path"], r["label"], q.argmax().item(), q[r["label"]].item(), q.max().item()) for r, q in zip(h["test"], p))
            csv.writer(file).writerows([("path", "label", "predicted", "p_true", "p_predicted"), *rows])
        print(run("import", "predictions", file.name, "--method", "torch_probe", "--dataset", dataset, "--seed", seed, "--shots", shots, "--classes", half, "--data", data, "--out", out), end="")

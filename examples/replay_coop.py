"""CoOp in plain torch, fed with everything random that rpo-bench wrote down: the same training, step for step.

    rpo-bench data export --pocket DATA --datasets eurosat --lossless
    rpo-bench model export CLIP
    rpo-bench replay --method coop --dataset eurosat --seed 1 --data DATA --clip CLIP --out REPLAY
    python examples/replay_coop.py REPLAY DATA CLIP

Needs torch, numpy and Pillow. Prints the worst differences as one line of JSON.
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


def safetensors(path):
    """All tensors of a safetensors file as f32, by name."""
    raw = Path(path).read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        values = np.frombuffer(raw[begin:end], {"F32": "<f4", "F16": "<f2"}[entry["dtype"]])
        tensors[name] = torch.tensor(values.astype(np.float32)).reshape(entry["shape"])
    return tensors


class Clip:
    """A frozen CLIP under the names of HuggingFace's files."""

    def __init__(self, folder):
        self.w = safetensors(Path(folder) / "model.safetensors")
        self.config = json.loads((Path(folder) / "config.json").read_text())
        self.scale = self.w["logit_scale"].exp()

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.w[name + ".weight"], self.w[name + ".bias"], 1e-5)

    def linear(self, x, name):
        return F.linear(x, self.w[name + ".weight"], self.w.get(name + ".bias"))

    def tower(self, x, kind, causal):
        config = self.config[kind + "_config"]
        heads, gelu = config["num_attention_heads"], config.get("hidden_act", "quick_gelu") == "gelu"
        batch, length, width = x.shape
        for layer in range(config["num_hidden_layers"]):
            name = f"{kind}_model.encoder.layers.{layer}."
            y = self.norm(x, name + "layer_norm1")
            q, k, v = (
                self.linear(y, name + f"self_attn.{p}_proj").reshape(batch, length, heads, -1).transpose(1, 2)
                for p in "qkv"
            )
            y = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
            x = x + self.linear(y.transpose(1, 2).reshape(batch, length, width), name + "self_attn.out_proj")
            y = self.linear(self.norm(x, name + "layer_norm2"), name + "mlp.fc1")
            y = F.gelu(y) if gelu else y * torch.sigmoid(1.702 * y)
            x = x + self.linear(y, name + "mlp.fc2")
        return x

    def images(self, pixels):
        w, name = self.w, "vision_model.embeddings."
        kernel = w[name + "patch_embedding.weight"]
        x = F.conv2d(pixels, kernel, stride=kernel.shape[-1]).flatten(2).transpose(1, 2)
        first = w[name + "class_embedding"].expand(len(x), 1, -1)
        x = torch.cat([first, x], 1) + w[name + "position_embedding.weight"]
        x = self.tower(self.norm(x, "vision_model.pre_layrnorm"), "vision", False)[:, 0]
        return F.normalize(self.linear(self.norm(x, "vision_model.post_layernorm"), "visual_projection"), dim=-1)

    def texts(self, token_ids, ctx):
        """Features of prompts whose words behind SOS are the context's vectors."""
        longest = max(map(len, token_ids))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in token_ids])
        x = self.w["text_model.embeddings.token_embedding.weight"][ids]
        x = torch.cat([x[:, :1], ctx.expand(len(ids), -1, -1), x[:, 1 + len(ctx) :]], 1)
        x = self.tower(x + self.w["text_model.embeddings.position_embedding.weight"][:longest], "text", True)
        x = self.norm(x, "text_model.final_layer_norm")
        x = x[torch.arange(len(ids)), [len(row) - 1 for row in token_ids]]
        return F.normalize(self.linear(x, "text_projection"), dim=-1)


def pixels(image):
    array = torch.tensor(np.asarray(image), dtype=torch.float32).permute(2, 0, 1) / 255
    return (array - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


def view(image, drawn, side):
    """The drawn box, resized as Pillow does, then mirrored where that was drawn."""
    left, top = drawn["left"], drawn["top"]
    image = image.crop((left, top, left + drawn["width"], top + drawn["height"]))
    image = image.resize((side, side), Image.BICUBIC)
    return pixels(image.transpose(Image.FLIP_LEFT_RIGHT) if drawn["flip"] else image)


def centre(image, side):
    (w, h), short = image.size, min(image.size)
    image = image.resize((side * w // short, side * h // short), Image.BICUBIC)
    left, top = round((image.width - side) / 2), round((image.height - side) / 2)
    return pixels(image.crop((left, top, left + side, top + side)))


def main(replay_dir, data, clip_dir):
    replay = json.loads((Path(replay_dir) / "replay.json").read_text())
    clip, side = Clip(clip_dir), replay["image_size"]
    half = replay["train_classes"]
    opened = [Image.open(Path(data) / item["path"]).convert("RGB") for item in replay["items"]]
    labels = torch.tensor([item["label"] for item in replay["items"]])
    with torch.no_grad():
        views = {(v["item"], v["view"]): view(opened[v["item"]], v, side) for v in replay["views"]}
        features = dict(zip(views, clip.images(torch.stack(list(views.values())))))
    ctx = safetensors(Path(replay_dir) / "initial.safetensors")["ctx"].requires_grad_()
    sgd = torch.optim.SGD([ctx], lr=1.0, momentum=0.9, weight_decay=5e-4)
    worst_loss = 0.0
    for step in replay["steps"]:
        sgd.param_groups[0]["lr"] = step["learning_rate"]
        images = torch.stack([features[tuple(pick)] for pick in step["batch"]])
        logits = clip.scale * images @ clip.texts(replay["texts"][half]["token_ids"], ctx).T
        loss = F.cross_entropy(logits, labels[[item for item, _ in step["batch"]]])
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        worst_loss = max(worst_loss, abs(loss.item() - step["loss"]))
    last = safetensors(Path(replay_dir) / "final.safetensors")["ctx"]
    agree = total = 0
    for done in replay["evaluations"]:
        with open(Path(replay_dir) / f"predictions-{done['classes']}.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        with torch.no_grad():
            texts = clip.texts(replay["texts"][done["classes"]]["token_ids"], ctx)
            images = [centre(Image.open(Path(data) / row["path"]).convert("RGB"), side) for row in rows]
            predicted = (clip.images(torch.stack(images)) @ texts.T).argmax(1).tolist()
        agree += sum(int(row["predicted"]) == p for row, p in zip(rows, predicted))
        total += len(rows)
    worst = {"loss": worst_loss, "parameter": (ctx.detach() - last).abs().max().item()}
    print(json.dumps({"steps": len(replay["steps"]), "worst": worst, "agree": agree, "predictions": total}))


if __name__ == "__main__":
    main(*sys.argv[1:4])

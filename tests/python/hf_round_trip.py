"""Does the Python package transformers see the pocket CLIP as rpo-bench does?

    python tests/python/hf_round_trip.py target/release/rpo-bench /tmp/round-trip

Exports the pocket CLIP, opens it with CLIPModel, CLIPTokenizer and CLIPImageProcessor, and compares token ids
of captions and features of pictures and captions with `rpo-bench model features`. Needs torch, transformers and
pillow. Prints one JSON document; exit code 1 when ids differ or a feature differs by more than TOLERANCE.

Pictures come in three kinds. Tiles of 48 pixels are neither resized nor cropped. Sheets are: here by Pillow, as in
rpo-bench; transformers' default processor resizes by torchvision, one 8-bit level off in places, and is reported
beside it. Where the crop's margin is odd, transformers starts half a pixel above the middle and
torchvision, which CLIP and CoOp use and rpo-bench follows, rounds to even: a sheet with such a margin is reported
and not judged.
"""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import PIL
import torch
import transformers
from PIL import Image
from transformers import CLIPImageProcessor, CLIPModel, CLIPTokenizer

# Features have magnitudes up to about 6; float32 kernels of two libraries sum in different orders.
TOLERANCE = 1e-4
SIDE = 48

COLOURS = "red orange yellow green blue purple pink brown black white grey".split()
OBJECTS = ["kite", "striped cat", "biplane", "ice cream", "poppy", "sedan", "guitar", "snowy mountain"]
TEMPLATES = [
    "a photo of a {}.",
    "a photo of a {}, a type of aircraft.",
    "a centered satellite photo of {}.",
    "{} texture.",
    "a drawing of a small {} on a grey dotted background.",
]
ODD = [
    "A PHOTO of a Red KITE.",
    "  many   spaces \t and\nlines  ",
    "it's the dog's 3rd ball, they'll say: 12345!",
    "naïve café, Straße, 東京, привет",
    "kite🪁 & <b>mark-up</b> ... ?!",
    "zyzzyva",
    "a",
]


def captions():
    things = [f"{colour} {thing}" for colour, thing in itertools.product(COLOURS, OBJECTS)]
    return [template.format(thing) for template in TEMPLATES for thing in things] + ODD


def run(program, *arguments):
    done = subprocess.run([program, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def largest_difference(ours, theirs):
    return (torch.tensor(ours) - theirs).abs().max().item()


def pillow_processor(folder):
    """The processor that resizes by Pillow; its name depends on the version of transformers."""
    try:
        from transformers.models.clip import CLIPImageProcessorPil
    except ImportError:
        return CLIPImageProcessor.from_pretrained(folder, use_fast=False)
    return CLIPImageProcessorPil.from_pretrained(folder)


def has_odd_margin(picture):
    """Whether resizing the short side to SIDE leaves an odd margin where torchvision rounds up."""
    long = SIDE * max(picture.size) // min(picture.size)
    return (long - SIDE) % 4 == 3


def features(output):
    """The projected features, which newer versions of transformers wrap."""
    return output if isinstance(output, torch.Tensor) else output.pooler_output


def main():
    program, folder = sys.argv[1], Path(sys.argv[2])
    clip, sheets = str(folder / "clip"), folder / "sheets"
    run(program, "model", "export", clip)
    run(program, "pocket", "preview", str(sheets))
    images = sorted(sheets.glob("*.png"))
    kinds = ["odd_margin" if has_odd_margin(Image.open(path)) else "resized" for path in images]
    for path in list(images):
        tile = folder / f"tile-{path.name}"
        Image.open(path).crop((6, 18, 6 + SIDE, 18 + SIDE)).save(tile)
        images.append(tile)
        kinds.append("own_size")
    texts = captions()
    ours = json.loads(
        run(program, "model", "features", "--clip", clip, "--json", "--image", *map(str, images), "--text", *texts)
    )

    model, loading = CLIPModel.from_pretrained(clip, output_loading_info=True)
    model.eval()
    tokenizer = CLIPTokenizer.from_pretrained(clip)
    processors = {"": pillow_processor(clip), "_default_processor": CLIPImageProcessor.from_pretrained(clip)}
    ids = [tokenizer(text)["input_ids"] for text in texts]
    different = [text for text, a, b in zip(texts, ours["token_ids"], ids) if a != b]
    pictures = [Image.open(path).convert("RGB") for path in images]
    with torch.no_grad():
        encoded = {
            name: features(model.get_image_features(processor(images=pictures, return_tensors="pt")["pixel_values"]))
            for name, processor in processors.items()
        }
        padded = tokenizer(texts, padding=True, return_tensors="pt")
        text = features(model.get_text_features(**padded))
    report = {
        "transformers": transformers.__version__,
        "torch": torch.__version__,
        "pillow": PIL.__version__,
        "missing_keys": sorted(loading["missing_keys"]),
        "unexpected_keys": sorted(loading["unexpected_keys"]),
        "captions": len(texts),
        "captions_with_other_token_ids": different,
        "text_features_max_abs": text.abs().max().item(),
        "text_features_max_abs_diff": largest_difference(ours["text_features"], text),
        "image_features_max_abs": encoded[""].abs().max().item(),
    }
    judged = [report["text_features_max_abs_diff"]]
    for kind in sorted(set(kinds)):
        rows = [k for k, other in enumerate(kinds) if other == kind]
        mine = [ours["image_features"][k] for k in rows]
        report[f"images_{kind}"] = len(rows)
        for name, image in encoded.items():
            report[f"image_features_max_abs_diff_{kind}{name}"] = largest_difference(mine, image[rows])
        if kind != "odd_margin":
            judged.append(report[f"image_features_max_abs_diff_{kind}"])
    good = not different and not report["missing_keys"] and not report["unexpected_keys"]
    good = good and max(judged) <= TOLERANCE
    report["pass"] = good
    print(json.dumps(report, indent=2, ensure_ascii=False))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

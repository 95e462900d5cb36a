"""Pillow's times for what pixels.rs measures, one thread, and the photographs that both read.

Run with Pillow 13.0.0 and NumPy. Without arguments: the photograph beside this file, the fastest of 300 runs in
milliseconds. `--mixed DIR`: every .jpg of a folder, ours and Pillow's side by side in one run (ours before and after;
the fastest counts); an empty DIR is first filled with a mixed set (qualities 75 to 96, 4:4:4, 4:2:2, 4:2:0, grey,
progressive, 300 to 4 000 pixels; noise with a photograph's spectrum). `--make` writes photo_500x375.jpg anew (4:2:0,
quality 90) from a golden picture plus noise, so that its entropy is a photograph's.
"""

import io
import math
import os
import pathlib
import subprocess
import sys
import time

import numpy
from PIL import Image

HERE = pathlib.Path(__file__).parent
PHOTO = HERE / "photo_500x375.jpg"
SOURCE = HERE.parent / "tests/fixtures/protocol/pixels/src3.png"
SIZES = [(300, 225), (500, 375), (640, 480), (1024, 768), (2000, 1500), (4000, 3000)]
# Quality, subsampling (Pillow's number), mode, progressive.
KINDS = [
    (75, 2, "RGB", False),
    (85, 1, "RGB", False),
    (90, 2, "RGB", False),
    (92, 0, "RGB", False),
    (96, 2, "RGB", False),
    (96, 0, "RGB", False),
    (88, 2, "L", False),
    (85, 2, "RGB", True),
    (92, 0, "RGB", True),
]


def make():
    picture = Image.open(SOURCE).convert("RGB").resize((500, 375), Image.BICUBIC)
    noise = numpy.random.default_rng(0).normal(0, 6, (375, 500, 1))
    pixels = numpy.clip(numpy.array(picture) + noise, 0, 255).astype(numpy.uint8)
    Image.fromarray(pixels).save(PHOTO, quality=90)


def photograph(width, height, rng):
    """Noise whose amplitude falls with frequency as a photograph's does; colours vary less than brightness."""
    radius = numpy.hypot(numpy.fft.fftfreq(height)[:, None], numpy.fft.rfftfreq(width)[None])
    radius[0, 0] = 1

    def plane():
        waves = rng.normal(size=radius.shape) + 1j * rng.normal(size=radius.shape)
        values = numpy.fft.irfft2(waves / radius**1.2, (height, width))
        return values / values.std()

    light, first, second = plane() * 50 + 120, plane(), plane()
    pixels = numpy.stack([light + first * 14, light - first * 6 + second * 6, light - second * 16], -1)
    pixels += rng.normal(0, 2, (height, width, 1))
    return Image.fromarray(pixels.clip(0, 255).astype(numpy.uint8))


def make_mixed(folder):
    folder.mkdir(parents=True, exist_ok=True)
    rng = numpy.random.default_rng(0)
    for width, height in SIZES:
        picture = photograph(width, height, rng)
        for quality, sampling, mode, progressive in KINDS:
            kind = f"{'444 422 420'.split()[sampling] if mode == 'RGB' else 'grey'}{'_progressive' if progressive else ''}"
            path = folder / f"{width:04d}_q{quality}_{kind}.jpg"
            image = picture.convert(mode)
            image.save(path, quality=quality, subsampling=sampling, progressive=progressive)


def decode(data):
    return Image.open(io.BytesIO(data)).convert("RGB")


def test_transform(image):
    width, height = image.size
    short = min(width, height)
    width, height = 224 * width // short, 224 * height // short
    left, top = round((width - 224) / 2), round((height - 224) / 2)
    resized = image.resize((width, height), Image.BICUBIC)
    return resized.crop((left, top, left + 224, top + 224))


def train_transform(image):
    return image.crop((60, 40, 410, 340)).resize((224, 224), Image.BICUBIC)


def fastest(function, argument, runs):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        function(argument)
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def ours(folder):
    command = ["cargo", "bench", "--bench", "pixels"]
    environment = {**os.environ, "PIXELS_DIR": str(folder.resolve())}
    lines = subprocess.run(command, env=environment, cwd=HERE.parent, check=True, capture_output=True, text=True).stdout
    fields = [line.split("\t") for line in lines.splitlines() if line.count("\t") == 2]
    return {name: (float(decoding), float(transform)) for name, decoding, transform in fields}


def compare(folder):
    if not any(folder.glob("*.jpg")):
        make_mixed(folder)
    before, sums, logs = ours(folder), [0.0] * 4, []
    theirs = {}
    for path in sorted(folder.glob("*.jpg")):
        data = path.read_bytes()
        image = decode(data)
        runs = max(5, min(40, 4_000_000 // (image.width * image.height)))
        theirs[path.name] = (fastest(decode, data, runs), fastest(test_transform, image, runs))
    after = ours(folder)
    print("| photograph | decode: ours, Pillow | transform: ours, Pillow | both, ours ÷ Pillow |\n|---|---|---|---|")
    for name, pillow in theirs.items():
        own = [min(pair) for pair in zip(before[name], after[name])]
        sums = [total + value for total, value in zip(sums, [*own, *pillow])]
        logs.append(math.log(sum(own) / sum(pillow)))
        print(
            f"| {name} | {own[0]:.2f}, {pillow[0]:.2f} | {own[1]:.2f}, {pillow[1]:.2f} | {sum(own) / sum(pillow):.2f} |"
        )
    print(
        f"\nours ÷ Pillow over all: decode {sums[0] / sums[2]:.2f}, transform {sums[1] / sums[3]:.2f}, "
        f"both {(sums[0] + sums[1]) / (sums[2] + sums[3]):.2f}; "
        f"geometric mean of both {math.exp(sum(logs) / len(logs)):.2f}"
    )


if __name__ == "__main__":
    if "--mixed" in sys.argv:
        compare(pathlib.Path(sys.argv[sys.argv.index("--mixed") + 1]))
        sys.exit()
    if "--make" in sys.argv:
        make()
    photo = PHOTO.read_bytes()
    decoded = decode(photo)
    for name, function, argument in [
        ("decode_jpeg", decode, photo),
        ("test_transform", test_transform, decoded),
        ("train_transform", train_transform, decoded),
        ("decode_and_test_transform", lambda data: test_transform(decode(data)), photo),
    ]:
        print(f"{name}: {fastest(function, argument, 300):.3f} ms")

"""Pillow's times for what pixels.rs measures, one thread, and the photo that both read.

Run with Pillow 13.0.0 and NumPy; `--make` writes photo_500x375.jpg anew (4:2:0, quality 90) from a golden
picture plus noise, so that its entropy is a photograph's. Prints the fastest of 300 runs in milliseconds.
"""

import io
import pathlib
import sys
import time

import numpy
from PIL import Image

HERE = pathlib.Path(__file__).parent
PHOTO = HERE / "photo_500x375.jpg"
SOURCE = HERE.parent / "tests/fixtures/protocol/pixels/src3.png"


def make():
    picture = Image.open(SOURCE).convert("RGB").resize((500, 375), Image.BICUBIC)
    noise = numpy.random.default_rng(0).normal(0, 6, (375, 500, 1))
    pixels = numpy.clip(numpy.array(picture) + noise, 0, 255).astype(numpy.uint8)
    Image.fromarray(pixels).save(PHOTO, quality=90)


def decode(data):
    return Image.open(io.BytesIO(data)).convert("RGB")


def test_transform(image):
    return image.resize((298, 224), Image.BICUBIC).crop((37, 0, 261, 224))


def train_transform(image):
    return image.crop((60, 40, 410, 340)).resize((224, 224), Image.BICUBIC)


def report(name, function, argument):
    times = []
    for _ in range(300):
        start = time.perf_counter()
        function(argument)
        times.append(time.perf_counter() - start)
    print(f"{name}: {1e3 * min(times):.3f} ms")


if __name__ == "__main__":
    if "--make" in sys.argv:
        make()
    photo = PHOTO.read_bytes()
    decoded = decode(photo)
    report("decode_jpeg", decode, photo)
    report("test_transform", test_transform, decoded)
    report("train_transform", train_transform, decoded)
    report("decode_and_test_transform", lambda data: test_transform(decode(data)), photo)

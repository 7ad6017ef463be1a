"""Draws synthetic JPEGs of 500×375 with detail at all scales, about as large as ImageNet photographs: FOLDER COUNT."""

import sys

import numpy
from PIL import Image


def draw(random, width=500, height=375):
    total = numpy.zeros((height, width, 3))
    for scale in (2, 4, 8, 16, 32, 64, 128):
        noise = random.integers(0, 256, (height // scale + 2, width // scale + 2, 3)).astype(numpy.uint8)
        total += numpy.asarray(Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)) * scale**0.7
    total = (total - total.min()) / (total.max() - total.min())
    return Image.fromarray((total * 255).astype(numpy.uint8))


if __name__ == "__main__":
    folder, count = sys.argv[1], int(sys.argv[2])
    for index in range(count):
        draw(numpy.random.default_rng(index)).save(f"{folder}/{index}.jpg", quality=92)

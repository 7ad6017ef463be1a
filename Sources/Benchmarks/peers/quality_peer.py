"""Panoptic quality as panopticapi computes it: its published algorithm, reimplemented with numpy, since PyPI does not
have the package. Images are distributed to processes as in panopticapi."""

import json
import multiprocessing
from collections import defaultdict

import numpy
from PIL import Image
from serve import Variant, serve

VOID, OFFSET = 0, 256**3
PROCESSES = 1
MAPS = {}


def read(path):
    colours = numpy.array(Image.open(path), dtype=numpy.uint32)
    return colours[:, :, 0] + 256 * colours[:, :, 1] + 256 * 256 * colours[:, :, 2]


class Counts:
    def __init__(self):
        self.iou, self.tp, self.fp, self.fn = 0.0, 0, 0, 0


def compare(truth, truth_map, guess, guess_map, counts):
    """Adds the counts of one image: areas, overlaps of pairs of segments, and matches with IoU above one half."""
    truth_segments = {s["id"]: s for s in truth["segments_info"]}
    guess_segments = {s["id"]: dict(s) for s in guess["segments_info"]}
    unseen = set(guess_segments)
    for label, area in zip(*numpy.unique(guess_map, return_counts=True)):
        if label not in guess_segments:
            if label == VOID:
                continue
            raise KeyError(f"segment {label} is in the PNG, but not in the JSON")
        guess_segments[label]["area"] = area
        unseen.remove(label)
    if unseen:
        raise KeyError(f"segments {unseen} are in the JSON, but not in the PNG")

    pairs = truth_map.astype(numpy.uint64) * OFFSET + guess_map.astype(numpy.uint64)
    overlaps = {}
    for label, area in zip(*numpy.unique(pairs, return_counts=True)):
        overlaps[(label // OFFSET, label % OFFSET)] = area

    truth_matched, guess_matched = set(), set()
    for (a, b), area in overlaps.items():
        if a not in truth_segments or b not in guess_segments or truth_segments[a]["iscrowd"] == 1:
            continue
        if truth_segments[a]["category_id"] != guess_segments[b]["category_id"]:
            continue
        union = guess_segments[b]["area"] + truth_segments[a]["area"] - area - overlaps.get((VOID, b), 0)
        iou = area / union
        if iou > 0.5:
            category = counts[truth_segments[a]["category_id"]]
            category.tp += 1
            category.iou += iou
            truth_matched.add(a)
            guess_matched.add(b)

    crowds = {}
    for label, segment in truth_segments.items():
        if label in truth_matched:
            continue
        if segment["iscrowd"] == 1:
            crowds[segment["category_id"]] = label
        else:
            counts[segment["category_id"]].fn += 1
    for label, segment in guess_segments.items():
        if label in guess_matched:
            continue
        ignored = overlaps.get((VOID, label), 0)
        if segment["category_id"] in crowds:
            ignored += overlaps.get((crowds[segment["category_id"]], label), 0)
        if ignored / segment["area"] <= 0.5:
            counts[segment["category_id"]].fp += 1


def job(arguments):
    """The counts of some images, whose maps are read from files or from memory."""
    folder, pairs = arguments
    counts = defaultdict(Counts)
    for truth, guess in pairs:
        if MAPS:
            maps = MAPS[truth["image_id"]]
        else:
            maps = read(f"{folder}/truth/{truth['file_name']}"), read(f"{folder}/guess/{guess['file_name']}")
        compare(truth, maps[0], guess, maps[1], counts)
    return dict(counts)


def quality(parts):
    """The mean PQ over the categories that occur."""
    total = defaultdict(Counts)
    for part in parts:
        for category, counts in part.items():
            for field in ("iou", "tp", "fp", "fn"):
                setattr(total[category], field, getattr(total[category], field) + getattr(counts, field))
    values = [c.iou / (c.tp + 0.5 * c.fp + 0.5 * c.fn) for c in total.values() if c.tp + c.fp + c.fn]
    return sum(values) / len(values)


def variants(case):
    def make():
        folder = case["folder"]
        truth, guess = (json.load(open(f"{folder}/{name}.json"))["annotations"] for name in ("truth", "guess"))
        guess = {g["image_id"]: g for g in guess}
        pairs = [(t, guess[t["image_id"]]) for t in truth]
        MAPS.clear()
        if case["kind"] == "maps":
            for t, g in pairs:
                MAPS[t["image_id"]] = (
                    read(f"{folder}/truth/{t['file_name']}"), read(f"{folder}/guess/{g['file_name']}")
                )  # fmt: skip
        pairs = [pairs[i % len(pairs)] for i in range(case["images"])]
        # Forked after the maps are loaded, so that they are shared.
        pool = multiprocessing.get_context("fork").Pool(PROCESSES)
        parts = [(folder, pairs[i::PROCESSES]) for i in range(PROCESSES)]

        def call():
            return quality(pool.map(job, parts, 1))

        # A float that a call returns would count as its cost.
        variant = Variant(f"{PROCESSES} processes", lambda: call() and None, value=call())
        return variant

    return [make]


def set_processes(count):
    global PROCESSES
    PROCESSES = count


if __name__ == "__main__":
    serve(variants, set_processes)

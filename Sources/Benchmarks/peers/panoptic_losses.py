"""Targets and losses of one image, as docs/method.md defines them.

These differences from our implementation do not change the amount of work: the width of a box is the difference of its
corners (in the published code one pixel more), random draws are torch's, and the targets of the mask head are resampled
by RoIAlign, as in torchvision's Mask R-CNN.
"""

import math

import torch
import torchvision
from panoptic_network import STRIDES
from torch.nn import functional
from torchvision.ops import box_iou, nms, roi_align

SIZES = [32, 64, 128, 256, 512]


def anchors_of(levels):
    """The anchors of every level, ordered by cell, then by aspect ratio."""
    result = []
    for level, stride, size in zip(levels, STRIDES, SIZES):
        h, w = level.shape[2:]
        ratios = torch.tensor([0.5, 1.0, 2.0])
        widths, heights = size / ratios.sqrt(), size * ratios.sqrt()
        base = torch.stack([-widths, -heights, widths, heights], 1) / 2 + stride / 2
        y, x = torch.meshgrid(torch.arange(h) * stride, torch.arange(w) * stride, indexing="ij")
        shifts = torch.stack([x, y, x, y], 2).reshape(-1, 1, 4)
        result.append((shifts + base).reshape(-1, 4))
    return result


def encode(boxes, anchors, weights):
    size, wanted = anchors[:, 2:] - anchors[:, :2], boxes[:, 2:] - boxes[:, :2]
    shift = (boxes[:, :2] + wanted / 2 - anchors[:, :2] - size / 2) / size
    return torch.cat([shift * weights[0], (wanted / size).log() * weights[1]], 1)


def decode(deltas, anchors):
    size = anchors[:, 2:] - anchors[:, :2]
    centre = anchors[:, :2] + size / 2 + deltas[:, :2] * size
    size = size * deltas[:, 2:].clamp(max=math.log(1000 / 16)).exp()
    return torch.cat([centre - size / 2, centre + size / 2], 1)


def sample(labels, count, fraction):
    """Indices of sampled foreground (label 1) and background (label 0)."""
    objects, background = (labels == 1).nonzero()[:, 0], (labels == 0).nonzero()[:, 0]
    objects = objects[torch.randperm(len(objects))[: int(count * fraction)]]
    background = background[torch.randperm(len(background))[: count - len(objects)]]
    return objects, background


def proposal_losses(scores, deltas, anchors, target):
    overlap = box_iou(anchors, target["boxes"])
    best, match = overlap.max(1)
    labels = torch.full((len(anchors),), -1)
    labels[best < 0.3] = 0
    labels[best >= 0.7] = 1
    labels[(overlap == overlap.max(0).values).any(1)] = 1
    size = target["size"]
    inside = (anchors[:, :2] >= 0).all(1) & (anchors[:, 2] <= size[1]) & (anchors[:, 3] <= size[0])
    labels[~inside] = -1
    objects, background = sample(labels, 256, 0.5)
    chosen = torch.cat([objects, background])
    objectness = functional.binary_cross_entropy_with_logits(scores[chosen], labels[chosen].float())
    wanted = encode(target["boxes"][match[objects]], anchors[objects], (1, 1))
    box = functional.smooth_l1_loss(deltas[objects], wanted, beta=1 / 9, reduction="sum") / len(chosen)
    return objectness, box


@torch.no_grad()
def proposals(scores, deltas, anchors, size):
    """The best proposals of every level after NMS, then the best of all levels."""
    boxes, kept_scores = [], []
    for s, d, a in zip(scores, deltas, anchors):
        top = s.topk(min(2000, len(s))).indices
        found = decode(d[top], a[top])
        found = torchvision.ops.clip_boxes_to_image(found, size)
        kept = nms(found, s[top], 0.7)[:2000]
        boxes.append(found[kept])
        kept_scores.append(s[top][kept])
    boxes, kept_scores = torch.cat(boxes), torch.cat(kept_scores)
    return boxes[kept_scores.topk(min(2000, len(boxes))).indices]


def pool(levels, boxes, size):
    """RoIAlign on P2 to P5, with levels assigned by box size; also returns the order of the regions in the result."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    level = (4 + (area.sqrt() / 224 + 1e-6).log2()).floor().clamp(2, 5).long() - 2
    parts, order = [], []
    for i in range(4):
        members = (level == i).nonzero()[:, 0]
        if len(members):
            parts.append(roi_align(levels[i], [boxes[members]], size, 1 / STRIDES[i], sampling_ratio=2))
            order.append(members)
    return torch.cat(parts), torch.cat(order)


def losses(network, images, target, path):
    levels, semantic = network.features(images, path)
    hidden = [functional.relu(network.rpn(level)) for level in levels]
    scores = [network.objectness(h)[0].permute(1, 2, 0).reshape(-1) for h in hidden]
    deltas = [network.deltas(h)[0].permute(1, 2, 0).reshape(-1, 4) for h in hidden]
    anchors = anchors_of(levels)
    objectness, proposal_box = proposal_losses(torch.cat(scores), torch.cat(deltas), torch.cat(anchors), target)

    boxes = torch.cat([proposals(scores, deltas, anchors, target["size"]), target["boxes"]])
    best, match = box_iou(boxes, target["boxes"]).max(1)
    objects, background = sample((best >= 0.5).long(), 512, 0.25)
    chosen = torch.cat([objects, background])
    labels = torch.cat([target["labels"][match[objects]], torch.zeros(len(background), dtype=torch.long)])

    pooled, order = pool(levels, boxes[chosen], 7)
    hidden = network.box_hidden(pooled.flatten(1))
    row_labels = labels[order]
    classification = functional.cross_entropy(network.box_scores(hidden), row_labels)
    rows = row_labels.nonzero()[:, 0]
    box_deltas = network.box_deltas(hidden).reshape(len(order), -1, 4)[rows, row_labels[rows]]
    matched = chosen[order[rows]]
    wanted = encode(target["boxes"][match[matched]], boxes[matched], (10, 5))
    box = functional.smooth_l1_loss(box_deltas, wanted, beta=1.0, reduction="sum") / len(chosen)

    pooled, order = pool(levels, boxes[objects], 14)
    maps = network.masks(pooled, path)
    matched = objects[order]
    rois = torch.cat([match[matched, None].float(), boxes[matched]], 1)
    wanted = roi_align(target["masks"][:, None], rois, maps.shape[2:], 1.0, sampling_ratio=2)[:, 0]
    maps = maps[torch.arange(len(matched)), target["labels"][match[matched]]]
    mask = functional.binary_cross_entropy_with_logits(maps, wanted.round())

    stuff = functional.cross_entropy(semantic, target["semantic"], ignore_index=255)
    return objectness + proposal_box + classification + box + mask + 0.3 * stuff

"""Networks of torch and torchvision with random weights, and what they make of a picture.

    python3 torch_reference.py PICTURE FOLDER        (PyTorch 2.15, torchvision 0.29)

Writes maskrcnn.pth (torchvision's Mask R-CNN with ResNet-50 and a feature pyramid) and body.pth (the published body at
1.3G, built from the specification by Sources/Benchmarks/peers/backbone.py), and for each NAME-outputs.pth: the network's
input, intermediate results computed in binary64, and under 'error/' how far torch's own binary32 is off at most.

Random weights are scaled so that every part has something to say: batch norm statistics are those of the picture,
scores spread enough for detections to pass their thresholds.
"""

import copy
import pathlib
import sys

import torch
import torchvision

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "Sources/Benchmarks/peers"))
from backbone import Backbone  # noqa: E402

PATH = "3202132013133001001023221013122112020230"  # The published COCO body.


def shake(module, *arguments):
    """Random norms, then running statistics of what arrives; no channel is so quiet that its norm shouts."""
    norms = [m for m in module.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        torch.nn.init.uniform_(norm.weight, 0.5, 1.2)
        torch.nn.init.normal_(norm.bias, 0, 0.2)
        norm.momentum = 1.0
    module.train()
    with torch.no_grad():
        module(*arguments)
    module.eval()
    for norm in norms:
        norm.running_var.add_(0.1 * norm.running_var.mean())


def scale(layer, x, deviation):
    """Makes the outputs of a layer spread so far."""
    with torch.no_grad():
        factor = deviation / layer(x).std()
        layer.weight.mul_(factor)
        if layer.bias is not None:
            torch.nn.init.normal_(layer.bias, 0, 0.1 * deviation)


def save(path, compute, network, x):
    """The results in binary64 beside the error of binary32."""
    with torch.no_grad():
        single, double = compute(network, x), compute(copy.deepcopy(network).double(), x.double())
    result = {"input": x}
    for name, value in double.items():
        result[name] = value
        if value.is_floating_point() and value.numel():
            result["error/" + name] = (single[name].double() - value).abs().max()
    torch.save(result, path)


def levels(prefix, tensors):
    return {f"{prefix}{i + 2}": t for i, t in enumerate(tensors)}


def published_body(picture, folder):
    torch.manual_seed(11)
    path = [int(c) for c in PATH]
    network = Backbone(path)
    x = torch.nn.functional.interpolate(picture[None, [2, 1, 0]] * 255, (224, 320), mode="bilinear") - 115
    shake(network, x, path)
    # Blocks are numbered through; stages make names that a map can read.
    state, stage, first = {}, 0, 0
    for i in range(len(path)):
        if i > network.ends[stage]:
            stage, first = stage + 1, i
        for key, value in network.blocks[i].state_dict().items():
            state[f"stage{stage + 1}.{i - first}.{key}"] = value
    state |= {f"stem.{k}": v for k, v in network.stem.state_dict().items()}
    torch.save(state, folder / "body.pth")
    save(folder / "body-outputs.pth", lambda n, x: levels("c", n(x, path)), network, x)


def mask_rcnn(picture, folder):
    torch.manual_seed(7)
    # Sides that 64 divides: else torchvision shifts the anchors of the top level by another stride than its own.
    network = torchvision.models.detection.maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, min_size=256, max_size=512, rpn_post_nms_top_n_test=200,
        box_detections_per_img=20,
    )
    images, _ = network.eval().transform([picture])
    x = images.tensors
    shake(network.backbone, x)
    heads = network.roi_heads
    with torch.no_grad():
        features = network.backbone(x)
        hidden = network.rpn.head.conv(features["1"])
        scale(network.rpn.head.cls_logits, hidden, 1.0)
        scale(network.rpn.head.bbox_pred, hidden, 0.3)
        proposals, _ = network.rpn(images, features)
        hidden = heads.box_head(heads.box_roi_pool(features, proposals, images.image_sizes))
        scale(heads.box_predictor.cls_score, hidden, 2.0)
        scale(heads.box_predictor.bbox_pred, hidden, 1.0)
        proposals, _ = network.rpn(images, features)
        logits, regression = heads.box_predictor(hidden)
        boxes, scores, labels = heads.postprocess_detections(logits, regression, proposals, images.image_sizes)
        hidden = heads.mask_head(heads.mask_roi_pool(features, boxes, images.image_sizes))
        hidden = heads.mask_predictor.relu(heads.mask_predictor.conv5_mask(hidden))
        scale(heads.mask_predictor.mask_fcn_logits, hidden, 2.0)
    torch.save(network.state_dict(), folder / "maskrcnn.pth")
    print(f"{tuple(x.shape)}, {len(proposals[0])} proposals, {len(boxes[0])} detections")

    def compute(network, x):
        """Heads see the boxes that binary32 found, so that a choice on the edge moves nothing behind it."""
        heads = network.roi_heads
        fixed, found = [proposals[0].to(x.dtype)], [boxes[0].to(x.dtype)]
        features = network.backbone(x)
        objectness, deltas = network.rpn.head(list(features.values()))
        pooled = heads.box_roi_pool(features, fixed, images.image_sizes)
        logits, regression = heads.box_predictor(heads.box_head(pooled))
        mask_pooled = heads.mask_roi_pool(features, found, images.image_sizes)
        result = levels("c", network.backbone.body(x).values()) | levels("p", features.values())
        result |= levels("objectness", objectness) | levels("deltas", deltas)
        return result | {
            "pooled": pooled, "scores": logits, "regression": regression, "mask_pooled": mask_pooled,
            "masks": heads.mask_predictor(heads.mask_head(mask_pooled)),
        }

    save(folder / "maskrcnn-outputs.pth", compute, network, x)
    with torch.no_grad():
        anchors = network.rpn.anchor_generator(images, list(features.values()))[0]
    torch.save(
        {
            "size": torch.tensor(images.image_sizes[0]), "anchors": anchors, "proposals": proposals[0],
            "boxes": boxes[0], "scores": scores[0], "labels": labels[0],
        },
        folder / "maskrcnn-boxes.pth",
    )


if __name__ == "__main__":
    picture = torchvision.io.read_image(sys.argv[1], torchvision.io.ImageReadMode.RGB).float() / 255
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    torch.use_deterministic_algorithms(True)
    published_body(picture, folder)
    mask_rcnn(picture, folder)

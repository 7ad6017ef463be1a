"""Reference outputs of torch and torchvision networks with random weights for one image.

    python3 torch_reference.py IMAGE FOLDER        (PyTorch 2.15, torchvision 0.29)

Writes maskrcnn.pth (torchvision's Mask R-CNN with ResNet-50 and a feature pyramid) and body.pth (the published backbone
at 1.3G, built by Sources/Benchmarks/peers/backbone.py), and for each NAME-outputs.pth: the network's input, intermediate
results computed in binary64, and under 'error/' the largest error of torch's own binary32.

Random weights are scaled so that every part contributes: batch norm statistics are those of the image, and scores are
spread enough for detections to pass their thresholds.
"""

import copy
import pathlib
import sys

import torch
import torchvision

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "Sources/Benchmarks/peers"))
from backbone import Backbone  # noqa: E402

PATH = "3202132013133001001023221013122112020230"  # The published COCO backbone.


def randomize_norms(module, *arguments):
    """Sets random norm parameters, then running statistics for these inputs; variances are kept away from zero."""
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
    """Scales the weights of a layer so that its outputs have a standard deviation."""
    with torch.no_grad():
        factor = deviation / layer(x).std()
        layer.weight.mul_(factor)
        if layer.bias is not None:
            torch.nn.init.normal_(layer.bias, 0, 0.1 * deviation)


def save(path, compute, network, x):
    """Saves the results in binary64 and the errors of binary32."""
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


def published_backbone(image, folder):
    torch.manual_seed(11)
    path = [int(c) for c in PATH]
    network = Backbone(path)
    x = torch.nn.functional.interpolate(image[None, [2, 1, 0]] * 255, (224, 320), mode="bilinear") - 115
    randomize_norms(network, x, path)
    # Blocks are numbered consecutively; names by stage are easier to map.
    state, stage, first = {}, 0, 0
    for i in range(len(path)):
        if i > network.ends[stage]:
            stage, first = stage + 1, i
        for key, value in network.blocks[i].state_dict().items():
            state[f"stage{stage + 1}.{i - first}.{key}"] = value
    state |= {f"stem.{k}": v for k, v in network.stem.state_dict().items()}
    torch.save(state, folder / "body.pth")
    save(folder / "body-outputs.pth", lambda n, x: levels("c", n(x, path)), network, x)


def mask_rcnn(image, folder):
    torch.manual_seed(7)
    # Sides divisible by 64: otherwise torchvision shifts the anchors of the top level by another stride.
    network = torchvision.models.detection.maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, min_size=256, max_size=512, rpn_post_nms_top_n_test=200,
        box_detections_per_img=20,
    )
    images, _ = network.eval().transform([image])
    x = images.tensors
    randomize_norms(network.backbone, x)
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
        """Heads get the boxes of the binary32 network, so that close decisions don't change later results."""
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
    image = torchvision.io.read_image(sys.argv[1], torchvision.io.ImageReadMode.RGB).float() / 255
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    torch.use_deterministic_algorithms(True)
    published_backbone(image, folder)
    mask_rcnn(image, folder)

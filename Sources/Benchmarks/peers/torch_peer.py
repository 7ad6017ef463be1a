"""The PyTorch and torchvision peer: networks and operations in eager mode, in both memory layouts."""

import classifier
import convolution
import layers
import panoptic
import product
import torch
from serve import serve

KINDS = {
    "classifier": classifier.variants,
    "convolution": convolution.variants,
    "panoptic": panoptic.variants,
    "product": product.variants,
    "deformable": layers.deformable,
    "batch norm": layers.batch_norm,
    "group norm": layers.group_norm,
    "roi align": layers.roi_align,
}

if __name__ == "__main__":
    torch.manual_seed(1)
    serve(lambda case: KINDS[case["kind"]](case), torch.set_num_threads)

// Panoptic

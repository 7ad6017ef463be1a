extension Architecture {
  /// Found on COCO; 44.8 PQ.
  public static let publishedCOCO = Architecture(
    backbone: [
      3, 2, 0, 2, 1, 3, 2, 0, 1, 3, 1, 3, 3, 0, 0, 1, 0, 0, 1, 0, 2, 3, 2, 2, 1, 0, 1, 3, 1, 2, 2, 1, 1, 2, 0, 2, 0, 2,
      3, 0,
    ],
    head: [4, 1, 2, 3, 2, 3, 0], inter: [2, 0, 0, 0, 1, 1, 1, 2, 0])

  /// Found on ADE20K; 32.4 PQ.
  public static let publishedADE20K = Architecture(
    backbone: [
      1, 2, 3, 1, 1, 2, 1, 2, 0, 3, 2, 2, 1, 3, 1, 3, 1, 3, 3, 2, 1, 0, 0, 2, 1, 3, 2, 0, 1, 1, 0, 3, 0, 3, 0, 3, 3, 1,
      3, 3,
    ],
    head: [2, 0, 3, 3, 3, 2, 3], inter: [2, 0, 1, 1, 0, 0, 1, 0, 2])
}

/// Backbones found by DetNAS, blocks as in `Architecture.backbone`.
public enum DetNASBackbone {
  /// COCO with FPN, for both the 1.3G and the 3.8G width.
  public static let cocoFPN = [
    0, 0, 3, 1, 2, 1, 0, 2, 0, 3, 1, 2, 3, 3, 2, 0, 2, 1, 1, 3, 2, 0, 2, 2, 2, 1, 3, 1, 0, 3, 3, 3, 1, 3, 3, 3, 3, 3, 3,
    3,
  ]
  /// COCO with FPN, 300M width.
  public static let cocoFPN300M = [2, 1, 2, 0, 2, 1, 1, 2, 3, 3, 1, 3, 0, 0, 3, 1, 3, 1, 3, 2]
  /// COCO with RetinaNet, 300M width.
  public static let cocoRetinaNet300M = [2, 3, 1, 1, 3, 2, 1, 3, 3, 1, 1, 1, 3, 3, 2, 0, 3, 3, 3, 3]
}

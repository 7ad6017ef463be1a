import Panoptic
import Vision

/// A picture with its segments, decoded and checked against the index.
public struct PanopticPicture: Sendable {
  public let sample: PanopticDataset.Sample
  public let image: Image
  /// Row-major, image size; 0 is void, `k` is `sample.annotation.segments[k - 1]`.
  public let segmentIndices: [UInt16]

  /// Reads the image and the label PNG of a sample from its tree.
  ///
  /// - Throws: what the tree throws for a file that is gone or changed; `ImageError` for a file that cannot be decoded;
  ///   `PanopticError` where the label PNG has another size than the index says, a segment that the index lacks, or
  ///   lacks one that the index has; `DatasetError` where the image has another size.
  public init(_ sample: PanopticDataset.Sample, categories: CategoryTable) throws {
    let annotations = PanopticAnnotations(
      file: sample.indexFile, images: [], annotations: [], categories: nil)
    let labels = try PanopticSource(annotations: annotations, files: sample.files, folder: sample.part.labels).read(
      sample.annotation, categories: categories, size: (sample.image.width, sample.image.height))
    image = try EncodedImage(sample.imageFile, in: sample.files).decoded()
    guard image.width == sample.image.width, image.height == sample.image.height else {
      throw DatasetError(
        .mismatch, at: sample.imagePath,
        "is \(image.width)×\(image.height) pixels, but \(sample.indexFile) says "
          + "\(sample.image.width)×\(sample.image.height) for image \(sample.id)")
    }
    guard labels.segments.count < 1 << 16 else {
      throw DatasetError(.malformed, at: sample.labelPath, "\(labels.segments.count) segments; at most 65535 fit")
    }
    self.sample = sample
    segmentIndices = PanopticPicture.indices(of: labels)
  }

  /// The label map with the segments' own ids; void where an index is 0.
  public var labelImage: LabelImage {
    let ids = [0] + sample.annotation.segments.map { UInt32($0.id) }
    return LabelImage(width: image.width, height: image.height, ids: segmentIndices.map { ids[Int($0)] })
  }

  /// Bytes of memory.
  var byteCount: Int { image.pixels.count + segmentIndices.count * 2 }

  private static func indices(of labels: PanopticSegmentation) -> [UInt16] {
    var table: [UInt32: UInt16] = [0: 0]
    for (i, s) in labels.segments.enumerated() { table[UInt32(s.id)] = UInt16(i + 1) }
    // Neighbours mostly have one id, so the last answer is worth keeping.
    var last: (id: UInt32, index: UInt16) = (0, 0)
    return labels.map.ids.map { id in
      if id != last.id { last = (id, table[id]!) }
      return last.index
    }
  }
}

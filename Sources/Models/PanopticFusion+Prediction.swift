import Panoptic
import Vision

extension PanopticFusion {
  /// Fuses the predictions of a network into a segmentation at the image's original size (method 9).
  ///
  /// - Parameters:
  ///   - categories: of the data set whose classes are predicted.
  ///   - width, height: the original size.
  public func fuse(
    _ prediction: ImagePrediction, categories: CategoryTable, width: Int, height: Int
  ) -> PanopticSegmentation {
    fuse(
      prediction.instances(aboveScore: scoreThreshold, categories: categories, width: width, height: height),
      stuff: prediction.stuff(categories: categories, width: width, height: height), width: width, height: height)
  }
}

extension ImagePrediction {
  /// The detections that reach a score, their masks pasted into the image.
  func instances(
    aboveScore threshold: Double, categories: CategoryTable, width: Int, height: Int
  ) -> [InstancePrediction] {
    let pasting = MaskPasting()
    let (scaleX, scaleY) = (Float(width) / Float(self.width), Float(height) / Float(self.height))
    return detections.filter { Double($0.score) >= threshold }.map { detection in
      InstancePrediction(
        categoryID: categories.thing(label: detection.label).id, score: Double(detection.score),
        mask: pasting.paste(
          detection.mask, size: maskSize, in: detection.box.scaled(x: scaleX, y: scaleY), width: width, height: height))
    }
  }

  /// One mask for every class of stuff that occurs, in class order; labels at the original size are those of the nearest
  /// pixels.
  func stuff(categories: CategoryTable, width: Int, height: Int) -> [StuffPrediction] {
    let labels = Image(width: self.width, height: self.height, channels: 1, pixels: semantic)
      .resized(width: width, height: height, by: .nearest).pixels
    let present = Set(labels).subtracting([0]).sorted()
    return present.map { label in
      StuffPrediction(
        categoryID: categories.stuff(label: Int(label)).id,
        mask: BinaryMask(width: width, height: height, pixels: labels.map { $0 == label ? 1 : 0 }))
    }
  }
}

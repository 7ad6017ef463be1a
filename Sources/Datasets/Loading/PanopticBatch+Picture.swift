import Panoptic
import Tensors
import Vision

extension PanopticBatch {
  /// A batch of one picture, without ground truth.
  ///
  /// - Parameter image: names the picture, and has its size.
  public init(_ picture: Image, image: PanopticImage, loading: PanopticLoading) {
    precondition(picture.channels == 3 && picture.width > 0 && picture.height > 0, "PanopticBatch: no RGB picture")
    loading.requireSound()
    let (width, height) = loading.resize.size(width: picture.width, height: picture.height)
    func padded(_ size: Int) -> Int {
      (size + loading.sizeMultiple - 1) / loading.sizeMultiple * loading.sizeMultiple
    }
    var images = Tensor(zeros: [1, 3, padded(height), padded(width)])
    images.withMutableElements { planes in
      loading.normalization.write(
        picture, width: width, height: height, isFlipped: false, to: planes, planeHeight: padded(height),
        planeWidth: padded(width))
    }
    self.init(
      images: images, semanticLabels: [],
      examples: [PanopticExample(image: image, width: width, height: height, isFlipped: false, instances: [])])
  }
}

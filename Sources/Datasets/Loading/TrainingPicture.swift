import Determinism
import Tensors
import Vision

/// A picture that a classifier is trained on. Both cases give the same samples.
enum TrainingPicture {
  case decoded(Image)
  /// Decoded as far as the crop needs it.
  case encoded(EncodedImage)

  var size: (width: Int, height: Int) {
    switch self {
    case .decoded(let image): (image.width, image.height)
    case .encoded(let file): (file.width, file.height)
    }
  }

  func part(_ rectangle: PixelRectangle) throws -> Image {
    switch self {
    case .decoded(let image): image.cropped(rectangle)
    case .encoded(let file): try file.decoded(rectangle)
    }
  }
}

extension ClassificationLoading {
  /// Writes a training picture into the planes of one image, `[3, side, side]`.
  func write(
    _ picture: TrainingPicture, to planes: UnsafeMutableBufferPointer<Float>, using random: inout RandomStream
  ) throws {
    let size = picture.size
    let part = try picture.part(crop.rectangle(width: size.width, height: size.height, using: &random))
    let colours = jitter.draw(using: &random)
    let isFlipped = random.chance(flipProbability)
    // Colours change at the final size; without them the resize writes the planes itself.
    let image =
      colours.isEmpty
      ? part : ColourJitter.apply(colours, to: part.resized(width: crop.side, height: crop.side, by: .antialiased))
    normalization.write(
      image, width: crop.side, height: crop.side, isFlipped: isFlipped, to: planes, planeHeight: crop.side,
      planeWidth: crop.side)
  }
}

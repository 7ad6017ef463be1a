import Determinism
import Vision

/// The random resized crop of ImageNet training: a rectangle of random area and proportions, brought to a square.
public struct CropAugmentation: Codable, Hashable, Sendable {
  /// Area of the crop as a share of the picture's, drawn uniformly.
  public var minimumArea: Double
  public var maximumArea: Double
  /// Width over height, drawn uniformly on a logarithmic scale between this and its inverse.
  public var proportion: Double
  /// Side of the result in pixels.
  public var side: Int

  public init(side: Int, minimumArea: Double = 0.08, maximumArea: Double = 1, proportion: Double = 4.0 / 3) {
    self.side = side
    self.minimumArea = minimumArea
    self.maximumArea = maximumArea
    self.proportion = proportion
  }

  /// A crop that lies inside the picture: ten tries, then the largest centred one of allowed proportions.
  func rectangle(width: Int, height: Int, using random: inout RandomStream) -> PixelRectangle {
    let area = Double(width * height)
    let limit = PortableMath.log(proportion)
    for _ in 0..<10 {
      let target = area * random.uniform(minimumArea, maximumArea)
      let ratio = PortableMath.exp(random.uniform(-limit, limit))
      let w = Int((target * ratio).squareRoot().rounded(.toNearestOrEven))
      let h = Int((target / ratio).squareRoot().rounded(.toNearestOrEven))
      if w > 0, h > 0, w <= width, h <= height {
        let y = random.below(height - h + 1)
        return PixelRectangle(x: random.below(width - w + 1), y: y, width: w, height: h)
      }
    }
    var (w, h) = (width, height)
    let ratio = Double(width) / Double(height)
    if ratio < 1 / proportion {
      h = min(height, Int((Double(width) * proportion).rounded(.toNearestOrEven)))
    } else if ratio > proportion {
      w = min(width, Int((Double(height) * proportion).rounded(.toNearestOrEven)))
    }
    return PixelRectangle(x: (width - w) / 2, y: (height - h) / 2, width: w, height: h)
  }
}

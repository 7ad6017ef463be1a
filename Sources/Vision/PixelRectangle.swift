/// A rectangle of whole pixels, its upper left corner at (`x`, `y`).
public struct PixelRectangle: Hashable, Sendable {
  public var x: Int
  public var y: Int
  public var width: Int
  public var height: Int

  public init(x: Int, y: Int, width: Int, height: Int) {
    (self.x, self.y, self.width, self.height) = (x, y, width, height)
  }

  /// Whether it lies in a picture of this size and holds at least one pixel.
  func isInside(width: Int, height: Int) -> Bool {
    x >= 0 && y >= 0 && self.width > 0 && self.height > 0 && self.width <= width - x && self.height <= height - y
  }
}

extension Image {
  /// The part of the picture in a rectangle.
  /// - Precondition: it lies inside the picture.
  public func cropped(_ part: PixelRectangle) -> Image {
    cropped(x: part.x, y: part.y, width: part.width, height: part.height)
  }
}

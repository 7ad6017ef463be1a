import Foundation

/// Decoded pictures kept in memory up to a bound. What is kept never changes what is returned, only how fast.
final class PictureCache<Picture: Sendable>: @unchecked Sendable {
  // Invariant: `kept` and `byteCount` are touched only under `lock`.
  private let lock = NSLock()
  private var kept: [Int: Picture] = [:]
  private var byteCount = 0
  private let maximalBytes: Int

  init(maximalBytes: Int) { self.maximalBytes = maximalBytes }

  /// The picture of a sample, decoded at the first call. Two threads may decode the same one at the same time.
  func picture(_ index: Int, size: (Picture) -> Int, decode: () throws -> Picture) rethrows -> Picture {
    if let picture = self[index] { return picture }
    let picture = try decode()
    keep(picture, index, bytes: size(picture))
    return picture
  }

  /// The picture of a sample, if it is kept.
  subscript(index: Int) -> Picture? { lock.withLock { kept[index] } }

  /// Whether a picture of this size would be kept now.
  func hasRoom(bytes: Int) -> Bool { lock.withLock { byteCount + bytes <= maximalBytes } }

  /// Keeps a picture where there is room.
  func keep(_ picture: Picture, _ index: Int, bytes: Int) {
    lock.withLock {
      if kept[index] == nil, byteCount + bytes <= maximalBytes {
        kept[index] = picture
        byteCount += bytes
      }
    }
  }
}

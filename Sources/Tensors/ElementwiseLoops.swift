import CKernels
import Determinism

/// How elementwise operations and reductions split their work: by shape alone, so the same on every machine.
enum Loops {
  /// Up to this many elements a loop runs on one thread: waking a second one would cost more than it saves.
  static let grain = 1 << 15
  /// Elements per piece of a flat loop: a multiple of the reduction block.
  static let piece = 1 << 14
  /// Elements per block of a sum (numerics 5).
  static let block = 2048

  /// Whether a result of `count` elements and an input of the same size exceed the caches.
  static func isFar(_ count: Int) -> Bool { count >= 1 << 22 }

  /// Calls `body(start, count)` for pieces that cover `0 ..< count`.
  static func elements(_ count: Int, _ body: (Int, Int) -> Void) {
    if count <= grain {
      if count > 0 { body(0, count) }
      return
    }
    Parallel.forEachChunk(count, chunk: piece) { body($0.lowerBound, $0.count) }
  }

  /// Calls `body(plane)` for every plane of `size` elements; `cost` is the relative work per element.
  static func planes(_ count: Int, size: Int, cost: Int = 1, _ body: (Int) -> Void) {
    let work = max(1, size * cost)
    if count * work <= grain {
      for plane in 0..<count { body(plane) }
      return
    }
    Parallel.forEachChunk(count, chunk: max(1, piece / work)) { range in
      for plane in range { body(plane) }
    }
  }
}

extension Backend {
  /// The kernels of this process's instruction set.
  static let maps: ck_maps_table = ck_maps(isa).pointee
}

extension Shape {
  /// Elements of one (image, channel) plane: the product of all dimensions after the second; 1 for `[N, C]`.
  var planeSize: Int {
    var n = 1
    for d in 2..<max(2, rank) { n *= self[d] }
    return n
  }
}

import Determinism
import Models
import Tensors

/// Memory of a training: weights with all that belongs to each, passes side by side, and pictures.
struct TrainingMemory {
  /// Weights that are there, and those that one pass uses.
  var weights = 0.0
  var path = 0.0
  /// Passes that compute side by side, and those whose gradients wait to be added.
  var livePasses = 1
  var heldPasses = 1
  /// Images of a pass.
  var batch = 1
  /// Values that the backward pass needs of an image.
  var keptPerImage = 0.0
  /// Of an image as the network gets it.
  var pixels = 0.0
  /// Bytes of decoded pictures that stay in memory.
  var pictures = 0.0

  /// A quarter more than what is kept: gradients on their way, what operations need for themselves, many objects.
  private static let margin = 1.25

  var bytes: Int {
    // Values, velocities and sums of gradients, and what passes found.
    let parameters = 3 * weights + Double(heldPasses) * path
    let passes = Double(livePasses) * Double(batch) * keptPerImage * TrainingMemory.margin
    // Batches that are made ahead, and those of the passes.
    let batches = Double(TrainingMemory.batchesAhead + livePasses) * Double(batch) * 3 * pixels
    return Int(saturating: 4 * (parameters + passes + batches) + pictures)
  }

  private static let batchesAhead = 4

  /// Bytes of decoded photographs in the cache of a loader.
  static func pictures(_ count: Int, pixels: Double, bytesPerPixel: Double, limit: Int) -> Double {
    min(Double(limit), Double(count) * pixels * bytesPerPixel)
  }
}

extension TrainingMemory {
  /// Of ImageNet pretraining, without weights and activations.
  init(_ recipe: ClassifierRecipe, side: Int, threads: Int) {
    batch = recipe.batch
    livePasses = max(1, min(threads, recipe.replicas))
    heldPasses = recipe.replicas
    pixels = Double(side) * Double(side)
    // Decoded pictures are larger than what is cut from them; the loader keeps 256 MiB at most.
    pictures = Double(256 << 20)
  }

  /// Of a panoptic network, without weights and activations.
  /// - Parameters:
  ///   - passes: of one update.
  ///   - picture: padded, of the largest images.
  init(
    _ recipe: PanopticRecipe, passes: Int, picture: (height: Int, width: Int), data: DataSize, threads: Int
  ) {
    batch = recipe.batch
    pixels = Double(picture.height) * Double(picture.width)
    // Passes over large pictures come one after the other (see `PanopticTraining`).
    let isLarge = TrainingMemory.isLarge(batch: batch, pixels: pixels)
    livePasses = isLarge ? 1 : max(1, min(threads, passes))
    heldPasses = livePasses
    pictures = TrainingMemory.pictures(data.training, pixels: pixels, bytesPerPixel: 5, limit: 512 << 20)
  }

  /// Whether blocks are recomputed, and passes come one after the other.
  static func isLarge(batch: Int, pixels: Double) -> Bool {
    3 * Double(batch) * pixels >= Double(PanopticNetwork.largeInput)
  }
}

import Datasets
import Determinism
import Models
import Pipelines
import Tensors

extension StageContext {
  /// Refuses work before it starts if the least that it needs is more than there is. If a tensor gets no memory later
  /// on, the log of the stage says why.
  ///
  /// - Parameters:
  ///   - values: binary32 values that are alive at once, at least.
  ///   - advice: what to make smaller.
  /// - Throws: `StageError` with code `memory`.
  func requireMemory(values: Double, advice: String) throws {
    TensorMemory.onExhaustion { [self] message in log(message) }
    let available = SystemMemory.available()
    let bytes = available.bytes.addingSaturated(TensorMemory.idle)
    guard 4 * values <= Double(bytes) else {
      throw StageError(
        .memory,
        "this needs \(gibibytes(4 * values)) of memory or more, and \(gibibytes(Double(bytes))) are "
          + "available \(available.reason). Make \(advice) smaller, or run it where there is more memory")
    }
  }

  private func gibibytes(_ bytes: Double) -> String { "\((bytes / 0x1p30).text(digits: 1)) GiB" }
}

/// The least memory that trainings and evaluations need, from their parameters.
enum MemoryNeed {
  /// Values, gradients and velocities of one path; of a supernet the values of all others too.
  private static func weights(all: Double, path: Double) -> Double { all + 2 * path }

  /// The fewest pixels of a padded image: one that is twice as long as high.
  private static func pixels(_ input: PanopticInput) -> Double {
    let side = Double(min(input.resize.shorterSide, input.resize.longestSide))
    return side * side / 2
  }

  static func pretraining(
    _ backbone: BackboneConfiguration, isSupernet: Bool, classes: Int, recipe: ClassifierRecipe,
    input: ClassificationInput,
    images: Int
  ) -> Double {
    let head =
      Double(backbone.classifierChannels) * (Double(backbone.stageChannels.last ?? 0) + Double(classes))
    let pixels = Double(input.side) * Double(input.side)
    // No batch has more images than the data set.
    let batch = Double(min(recipe.batch, images))
    return weights(
      all: backbone.weightFloor(isSupernet: isSupernet) + head, path: backbone.weightFloor(isSupernet: false) + head)
      + batch * (backbone.activationFloor(pixels: pixels) + 3 * pixels * Double(recipe.replicas - 1))
  }

  static func training(
    _ network: NetworkConfiguration, isSupernet: Bool, things: Int, stuff: Int, recipe: PanopticRecipe,
    input: PanopticInput, images: Int
  ) -> Double {
    func floor(_ isSupernet: Bool) -> Double {
      network.weightFloor(isSupernet: isSupernet, thingClasses: things, stuffClasses: stuff)
    }
    let pixels = pixels(input)
    return weights(all: floor(isSupernet), path: floor(false))
      + Double(min(recipe.batch, images))
      * (network.backbone.activationFloor(pixels: pixels) + network.featureFloor(pixels: pixels, stuffClasses: stuff))
  }

  /// - Parameter batch: the largest number of images at a time.
  static func evaluation(_ network: PanopticNetwork, input: PanopticInput, batch: Int) -> Double {
    let pixels = pixels(input)
    let single = network.configuration.featureFloor(pixels: pixels, stuffClasses: network.stuffClasses)
    return 3 * pixels + max(single, 3 * pixels * Double(batch - 1))
  }
}

import Datasets
import Determinism
import Foundation
import NN
import Tensors

/// JPEG files to batches: decoding, random resized crops of 224, flips, normalisation.
func loaderSuite(_ options: Options) -> [Case] {
  let count = 384
  let workers = 2
  let request: CanonicalValue = [
    "kind": "loader", "folder": .string(LoaderImages.folder), "batch": 32, "workers": .integer(workers),
  ]
  let baseline = Baseline(
    name: "torch DataLoader", kind: .script(Script.loader, request),
    row: TargetRow(name: "loader/pictures", target: 1.3))
  let allowance = Baseline(
    name: "1 % of a step", kind: .allowance, row: TargetRow(name: "loader/wait in a training step", target: 1))
  return [
    Case("loader/pictures", "\(count) files to batches of 32×3×224×224", .images(Double(count)), against: [baseline]) {
      try LoaderImages.make(count: count, options)
      let loader = try LoaderImages.loader(batch: 32)
      return Run {
        let batches = loader.training(steps: 0..<count / 32, workers: workers)
        var last: Tensor?
        while let batch = try batches.next() { last = batch.images }
        return .tensor(last!)
      }
    },
    Case("loader/wait", "batches of 8×3×224×224", .calls(1), rounds: 1, against: [allowance]) {
      try LoaderImages.make(count: count, options)
      return try LoaderWait(steps: 6).run
    },
  ]
}

/// A training run that reads its images from files; measures how long its steps wait for them.
private final class LoaderWait {
  private let network = ClassifierRun(batch: 8)
  private let loader: ClassificationLoader
  private let steps: Int
  private var secondsPerStep = 0.0

  init(steps: Int) throws {
    self.steps = steps
    loader = try LoaderImages.loader(batch: 8)
  }

  /// The cost is the mean wait of all steps but the first; the limit is a hundredth of a step.
  var run: Run {
    Run(body: { [self] in try train() }, allowance: { [self] in secondsPerStep / 100 })
  }

  private func train() throws -> Outcome {
    let batches = loader.training(steps: 0..<steps)
    let optimizer = network.optimizer
    var (waits, last): ([Double], Tensor?) = ([], nil)
    let total = try Comparison.time {
      for _ in 0..<steps {
        waits.append(try Comparison.time { last = try batches.next()!.images })
        network.step(optimizer, on: last!)
      }
    }
    secondsPerStep = total / Double(steps)
    return .measured(waits.dropFirst().reduce(0, +) / Double(steps - 1), Outcome.tensor(last!).digest)
  }
}

/// Images for the loaders: photographs of `shared/data` beside the checkout (or `AUTOPANOPTIC_DATA`), else synthetic
/// images drawn by a script.
private enum LoaderImages {
  static let folder = Scratch.folder + "/images"

  /// Fills `folder/train` with `count` files, repeating the photographs.
  static func make(count: Int, _ options: Options) throws {
    let train = try Scratch.make("images/train/class")
    let photographs = photographs()
    for (i, path) in photographs.enumerated() {
      for k in stride(from: i, to: count, by: photographs.count) {
        try FileManager.default.copyItem(atPath: path, toPath: "\(train)/\(k).jpg")
      }
    }
    if !photographs.isEmpty { return }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: options.python)
    process.arguments = ["\(options.peers)/draw_images.py", train, String(count)]
    do { try process.run() } catch {
      throw Comparison.Skip(
        description: "no images: neither shared/data/imagenet beside the checkout nor a Python that can draw some")
    }
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Comparison.Failure(description: "draw_images.py failed") }
  }

  private static func photographs() -> [String] {
    let data = ProcessInfo.processInfo.environment["AUTOPANOPTIC_DATA"] ?? "../shared/data"
    let root = "\(data)/imagenet/samples"
    let names = (FileManager.default.enumerator(atPath: root)?.allObjects as? [String]) ?? []
    return names.filter { $0.hasSuffix(".JPEG") }.sorted().map { "\(root)/\($0)" }
  }

  /// A loader without a cache: every batch is decoded from files.
  static func loader(batch: Int) throws -> ClassificationLoader {
    let normalization = PixelNormalization(
      isBGR: false, mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375])
    let loading = ClassificationLoading(
      batchSize: batch, crop: CropAugmentation(side: 224),
      jitter: ColourJitter(brightness: 0, contrast: 0, saturation: 0), normalization: normalization)
    return try ClassificationLoader(
      ClassificationDataset(part: ClassificationLayout.imageNet.training, in: FolderTree(folder)), loading,
      seeds: Seeds(kind: "benchmark", seed: 1),
      cacheBytes: 0)
  }
}

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
    "kind": "loader", "folder": .string(Pictures.folder), "batch": 32, "workers": .integer(workers),
  ]
  let opponent = Opponent(
    name: "torch DataLoader", kind: .script(Script.loader, request), row: Row(name: "loader/pictures", target: 1.3))
  let allowance = Opponent(
    name: "1 % of a step", kind: .allowance, row: Row(name: "loader/wait in a training step", target: 1))
  return [
    Case("loader/pictures", "\(count) files to batches of 32×3×224×224", .images(Double(count)), against: [opponent]) {
      try Pictures.make(count: count, options)
      let loader = try Pictures.loader(batch: 32)
      return Run {
        let batches = loader.training(steps: 0..<count / 32, workers: workers)
        var last: Tensor?
        while let batch = try batches.next() { last = batch.images }
        return .tensor(last!)
      }
    },
    Case("loader/wait", "batches of 8×3×224×224", .calls(1), rounds: 1, against: [allowance]) {
      try Pictures.make(count: count, options)
      return try WaitingTrainer(steps: 6).run
    },
  ]
}

/// A training that draws its pictures from files, and how long its steps wait for them.
private final class WaitingTrainer {
  private let network = ClassifierRun(batch: 8)
  private let loader: ClassificationLoader
  private let steps: Int
  private var secondsPerStep = 0.0

  init(steps: Int) throws {
    self.steps = steps
    loader = try Pictures.loader(batch: 8)
  }

  /// Costs the mean wait of every step but the first; a hundredth of a step is allowed.
  var run: Run {
    Run(body: { [self] in try train() }, allowance: { [self] in secondsPerStep / 100 })
  }

  private func train() throws -> Outcome {
    let batches = loader.training(steps: 0..<steps)
    let optimizer = network.optimizer
    var (waits, last): ([Double], Tensor?) = ([], nil)
    let total = try Contest.time {
      for _ in 0..<steps {
        waits.append(try Contest.time { last = try batches.next()!.images })
        network.step(optimizer, on: last!)
      }
    }
    secondsPerStep = total / Double(steps)
    return .measured(waits.dropFirst().reduce(0, +) / Double(steps - 1), Outcome.tensor(last!).digest)
  }
}

/// Pictures for the loaders: photographs of `shared/data` beside the checkout (or `AUTOPANOPTIC_DATA`), else pictures
/// that a script draws.
private enum Pictures {
  static let folder = Scratch.folder + "/pictures"

  /// Fills `folder/train` with a number of files, the same photographs in turns.
  static func make(count: Int, _ options: Options) throws {
    let train = try Scratch.make("pictures/train/class")
    let photographs = photographs()
    for (i, path) in photographs.enumerated() {
      for k in stride(from: i, to: count, by: photographs.count) {
        try FileManager.default.copyItem(atPath: path, toPath: "\(train)/\(k).jpg")
      }
    }
    if !photographs.isEmpty { return }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: options.python)
    process.arguments = ["\(options.peers)/draw_pictures.py", train, String(count)]
    do { try process.run() } catch {
      throw Contest.Skip(
        description: "no pictures: neither shared/data/imagenet beside the checkout nor the Python that draws some")
    }
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Contest.Failure(description: "draw_pictures.py failed") }
  }

  private static func photographs() -> [String] {
    let data = ProcessInfo.processInfo.environment["AUTOPANOPTIC_DATA"] ?? "../shared/data"
    let root = "\(data)/imagenet/samples"
    let names = (FileManager.default.enumerator(atPath: root)?.allObjects as? [String]) ?? []
    return names.filter { $0.hasSuffix(".JPEG") }.sorted().map { "\(root)/\($0)" }
  }

  /// Nothing is kept decoded: every batch starts from files.
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

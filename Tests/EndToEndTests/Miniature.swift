import Determinism
import Foundation
import Panoptic
import Testing

/// A small COCO folder, which tests copy and damage, and a pipeline that reads it as user data.
enum Miniature {
  /// From pretraining on one ImageNet image to one update of the supernet on COCO, at the smallest widths.
  static let pipeline = """
    pipeline: own-data
    seed: 1
    let:
      backbone: { stem-channels: 4, stage-channels: [8, 16, 24, 32], classifier-channels: 16 }
    stages:
      imagenet:
        uses: imagenet-miniature
        with: { images: { class-count: 2, train-per-class: 1, validation-per-class: 0 } }
      pretrain:
        uses: pretrain-supernet
        needs: { data: imagenet.data }
        with: { backbone: $backbone, input: { side: 32 }, recipe: { steps: 1, batch: 2 } }
      coco:
        uses: coco-folder
      split:
        uses: draw-search-split
        needs: { data: coco.data }
        with: { validation-images: 1 }
      finetune:
        uses: finetune-supernet
        needs: { data: coco.data, split: split.split, weights: pretrain.weights }
        with:
          network:
            backbone: $backbone
            pyramid-channels: 8
            norm-groups: 4
            anchors: { sizes: [8, 16, 32, 48, 64] }
            proposals: { batch-per-image: 16, pre-nms-train: 32, pre-nms-test: 32, post-nms-train: 64, post-nms-test: 16 }
            box-head: { hidden: 16, norm-groups: 4, batch-per-image: 8, detections-per-image: 8 }
            mask-head: { pooled-size: 4, channels: 8 }
            semantic: { channels: 8 }
            level-rule: { canonical-scale: 56 }
          input: { resize: { shorter-side: 64, longest-side: 64 } }
          recipe: { updates: 1, batch: 1, warmup: 6 }

    """

  /// Writes the pipeline file into a folder.
  /// - Returns: its path.
  static func writePipeline(to folder: String) throws -> String {
    let path = folder + "/own-data.yaml"
    try pipeline.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  /// Writes a COCO folder with the images of the smoke profile, each 64×64: 16 in `train2017`, 4 in `val2017`.
  static func writeCOCO(to folder: String) async throws {
    let store = try await Reference.finished.store
    let tree = try await Smoke.path("data", of: "coco", store: store)
    try FileManager.default.copyItem(atPath: tree + "/files", toPath: folder)
    makeWritable(folder)
  }

  /// A baseline JPEG of 64×64 pixels of one gray, with 16 bytes of entropy-coded data before the end marker.
  static let grayJPEG: [UInt8] = {
    func segment(_ marker: UInt8, _ payload: [UInt8]) -> [UInt8] {
      [0xFF, marker, UInt8((payload.count + 2) >> 8), UInt8((payload.count + 2) & 0xFF)] + payload
    }
    // A Huffman table with one code, 0, one bit long, for symbol 0: difference 0 and end of block.
    func codes(_ table: UInt8) -> [UInt8] { segment(0xC4, [table, 1] + [UInt8](repeating: 0, count: 15) + [0]) }
    return [0xFF, 0xD8] + segment(0xDB, [0] + [UInt8](repeating: 1, count: 64))
      + segment(0xC0, [8, 0, 64, 0, 64, 1, 1, 0x11, 0]) + codes(0x00) + codes(0x10)
      + segment(0xDA, [1, 1, 0, 0, 63, 0]) + [UInt8](repeating: 0, count: 16) + [0xFF, 0xD9]
  }()
}

/// Helpers that change values of JSON files.
extension CanonicalValue {
  /// The value with a member of an object changed.
  func changing(_ name: String, _ change: (CanonicalValue) throws -> CanonicalValue) rethrows -> CanonicalValue {
    var members = objectValue ?? [:]
    members[name] = try change(members[name] ?? .null)
    return .object(members)
  }

  /// The value with its first element changed.
  func changingFirst(_ change: (CanonicalValue) throws -> CanonicalValue) rethrows -> CanonicalValue {
    guard let elements = arrayValue, let first = elements.first else { return self }
    return .array([try change(first)] + elements.dropFirst())
  }
}

/// The parts of a data set in COCO's layout.
enum Coco {
  static let train = PanopticLayout.coco.training
  static let val = PanopticLayout.coco.validation
}

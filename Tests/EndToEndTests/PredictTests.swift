import Determinism
import Foundation
import Panoptic
import Testing
import Vision

extension EndToEndTests {
  @Suite("predict: panoptic segmentation of any images")
  struct PredictTests {
    @Test("predictions for validation images are those of the pipeline, in COCO format, with overlays")
    func validation() async throws {
      let store = try await Reference.finished.store
      let pictures = try await Smoke.path("data", of: "coco", store: store) + "/files/\(Coco.val.images)"
      let expected =
        try await Smoke.path("predictions", of: "predict", store: store)
        + "/files/\(PanopticLayout.coco.predictions.labels)"
      let names = try FileManager.default.contentsOfDirectory(atPath: pictures).sorted()
      try await withTemporaryFolder { folder in
        // Another file with the same name, and one whose name has no ending.
        try FileManager.default.copyItem(atPath: "\(pictures)/\(names[0])", toPath: "\(folder)/\(names[0])")
        try FileManager.default.copyItem(atPath: "\(pictures)/\(names[1])", toPath: "\(folder)/picture")
        let images = names.map { "\(pictures)/\($0)" } + ["\(folder)/\(names[0])", "\(folder)/picture"]
        let outcome = try await Program.run(["predict"] + images + ["--store", store, "-o", folder + "/out"])
        #expect(outcome.code == 0, "\(outcome.everything)")
        #expect(outcome.errors.contains("of stage 'predict'"), "\(outcome.errors)")
        let stem = (names[0] as NSString).deletingPathExtension
        let stems = names.map { ($0 as NSString).deletingPathExtension }
        for (name, original) in zip(stems + ["\(stem)-2", "picture"], stems + [stem, stems[1]]) {
          let found = try ImageFile.readLabelPNG(path: "\(folder)/out/panoptic/\(name).png")
          let truth = try ImageFile.readLabelPNG(path: "\(expected)/\(original).png")
          #expect(try segments(found) == segments(truth), "\(name)")
          let overlay = try ImageFile.read(path: "\(folder)/out/overlays/\(name).png")
          #expect(overlay.width == found.width && overlay.height == found.height)
        }
        let index = try PanopticAnnotations(contentsOf: folder + "/out/panoptic.json", role: .groundTruth)
        #expect(index.images.map(\.id) == (1...images.count).map { .number($0) })
        #expect(index.categories != nil)
        for annotation in index.annotations {
          _ = try PanopticSource(annotations: index, files: FolderTree(folder + "/out/panoptic"), folder: "").read(
            annotation, categories: index.categories)
        }
      }
    }

    /// The map with ids renumbered by first occurrence: equal for maps that differ in ids alone.
    private func segments(_ map: LabelImage) throws -> [Int] {
      var order: [UInt32: Int] = [0: 0]
      return map.ids.map { id in
        if order[id] == nil { order[id] = order.count }
        return order[id]!
      }
    }

    @Test("files that are not images, too large images and files that are not weights are reported by name")
    func mistakes() async throws {
      let store = try await Reference.finished.store
      let pictures = try await Smoke.path("data", of: "coco", store: store) + "/files/\(Coco.val.images)"
      let name = try #require(try FileManager.default.contentsOfDirectory(atPath: pictures).min())
      try await withTemporaryFolder { folder in
        try "no picture".write(toFile: folder + "/text.jpg", atomically: true, encoding: .utf8)
        // The header of a PNG of 8000×6000 pixels.
        let header: [UInt8] = [
          137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 31, 64, 0, 0, 23, 112, 8, 2, 0, 0, 0, 190,
          6, 115, 105, 0, 0, 0, 12, 73, 68, 65, 84, 120, 156, 99, 96, 160, 61, 0, 0, 0, 100, 0, 1, 134, 100, 60, 53,
        ]
        try Data(header).write(to: URL(fileURLWithPath: folder + "/huge.png"))
        let outcome = try await Program.run(
          [
            "predict", folder + "/text.jpg", folder + "/huge.png", folder + "/none.png", "\(pictures)/\(name)",
            "--store", store, "-o", folder + "/out",
          ])
        #expect(outcome.code == 65)
        #expect(outcome.errors.contains("text.jpg: error: neither a JPEG nor a PNG file"), "\(outcome.errors)")
        #expect(outcome.errors.contains("huge.png: error: 8000×6000 pixels; at most 40000000"), "\(outcome.errors)")
        #expect(outcome.errors.contains("none.png: error: No such file"), "\(outcome.errors)")
        // The valid image is segmented nevertheless.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/out/overlays").count == 1)

        for (model, message) in [
          ("split", "is a record of stage kind 'draw-search-split'"),
          ("finetune.weights", "but not the weights of a trained panoptic network"),
          ("nonsense", "neither 4 to 64 hexadecimal digits"),
        ] {
          let outcome = try await Program.run(
            ["predict", "\(pictures)/\(name)", "--model", model, "--store", store, "-o", folder + "/out"])
          #expect(outcome.code == 65 && outcome.errors.contains(message), "\(outcome.errors)")
        }
        let weights = try await Program.run(
          ["predict", "\(pictures)/\(name)", "--model", "retrain.weights", "--store", store, "-o", folder + "/other"])
        #expect(weights.code == 0, "\(weights.everything)")
        let categories = try await Program.run(
          [
            "predict", "\(pictures)/\(name)", "--categories", folder + "/text.jpg", "--store", store, "-o",
            folder + "/other",
          ])
        #expect(categories.code == 65, "\(categories.everything)")
      }
    }
  }
}

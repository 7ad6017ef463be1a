import Determinism
import Foundation
import Testing
import Vision

extension EndToEndTests {
  @Suite("Malformed user data stops a run with exit code 65, its position, and no output")
  struct BadDataTests {
    struct Damage: Sendable, CustomTestStringConvertible {
      let testDescription: String
      /// Parts of the expected message, beginning with the position.
      let says: [String]
      let harm: @Sendable (_ coco: String) throws -> Void

      init(_ name: String, says: [String], _ harm: @escaping @Sendable (String) throws -> Void) {
        testDescription = name
        self.says = says
        self.harm = harm
      }
    }

    static let index = Coco.train.index

    static let pictures = [
      Damage("an image is missing", says: ["\(Coco.train.images)/000000000003.png", "no such file"]) {
        try FileManager.default.removeItem(atPath: $0 + "/\(Coco.train.images)/000000000003.png")
      },
      Damage("a label PNG is missing", says: ["\(Coco.train.labels)/000000000003.png", "no such file"]) {
        try FileManager.default.removeItem(atPath: $0 + "/\(Coco.train.labels)/000000000003.png")
      },
      Damage("the index is missing", says: [index + " is missing"]) {
        try FileManager.default.removeItem(atPath: $0 + "/" + index)
      },
      Damage("the folder of the images is missing", says: ["\(Coco.train.images) is missing"]) {
        try FileManager.default.removeItem(atPath: $0 + "/\(Coco.train.images)")
      },
      Damage("cut JPEGs", says: ["\(Coco.train.images)/0000000000", "error:", "JPEG"]) {
        try overwriteAll($0 + "/\(Coco.train.images)") { _ in Array(Miniature.grayJPEG.dropLast(10)) }
      },
      Damage("JPEGs that are none", says: ["\(Coco.train.images)/0000000000", "error:", "JPEG"]) {
        try overwriteAll($0 + "/\(Coco.train.images)") { _ in [0xFF, 0xD8, 0xFF, 0xE0] + Array("not a picture".utf8) }
      },
      Damage("a text named like a picture", says: ["\(Coco.train.images)/0000000000", "neither a JPEG nor a PNG"]) {
        try overwriteAll($0 + "/\(Coco.train.images)") { _ in Array("hello".utf8) }
      },
      Damage("empty pictures", says: ["\(Coco.train.images)/0000000000", "empty"]) {
        try overwriteAll($0 + "/\(Coco.train.images)") { _ in [] }
      },
      Damage("cut PNGs", says: ["\(Coco.train.images)/0000000000", "error:", "PNG"]) {
        try overwriteAll($0 + "/\(Coco.train.images)") { Array($0.prefix($0.count / 2)) }
      },
      Damage("images of another size", says: ["\(Coco.train.images)/0000000000", "5×7", "64×64"]) {
        try overwriteAll($0 + "/\(Coco.train.images)") { _ in PNGWriter.encode(Image(width: 5, height: 7)) }
      },
      Damage("label PNGs of another size", says: ["\(Coco.train.labels)/0000000000", "5", "64"]) {
        try overwriteAll($0 + "/\(Coco.train.labels)") { _ in PNGWriter.encode(Image(width: 5, height: 7)) }
      },
      Damage("a text named like a label PNG", says: ["\(Coco.train.labels)/0000000000", "PNG"]) {
        try overwriteAll($0 + "/\(Coco.train.labels)") { _ in Array("hello".utf8) }
      },
      Damage("a JPEG named like a label PNG", says: ["\(Coco.train.labels)/0000000000", "PNG"]) {
        try overwriteAll($0 + "/\(Coco.train.labels)") { _ in Miniature.grayJPEG }
      },
    ]

    static let indices = [
      Damage(
        "segments that only the PNG has", says: ["panoptic_\(Coco.train.images)", "does not list in segments_info"]
      ) {
        try editAnnotations($0) { $0.changing("segments_info") { .array(Array($0.arrayValue!.dropFirst())) } }
      },
      Damage("segments that only the JSON has", says: ["panoptic_\(Coco.train.images)", "12345"]) {
        try editAnnotations($0) {
          $0.changing("segments_info") { list in
            .array(list.arrayValue! + [list.arrayValue![0].changing("id") { _ in 12345 }])
          }
        }
      },
      Damage("an unknown category", says: [index, "999"]) {
        try editAnnotations($0) {
          $0.changing("segments_info") { $0.changingFirst { $0.changing("category_id") { _ in 999 } } }
        }
      },
      Damage("two segments with one id", says: [index, "two segments of the image 1 "]) {
        try editAnnotations($0) { $0.changing("segments_info") { .array($0.arrayValue! + [$0.arrayValue![0]]) } }
      },
      Damage("two images with one id", says: [index, "two images have the id 1"]) {
        try edit($0) { $0.changing("images") { .array($0.arrayValue! + [$0.arrayValue![0]]) } }
      },
      Damage("two annotations of one image", says: [index, "two annotations of the image 1"]) {
        try edit($0) { $0.changing("annotations") { .array($0.arrayValue! + [$0.arrayValue![0]]) } }
      },
      Damage("two categories with one id", says: [index, "two categories have the id 1"]) {
        try edit($0) { $0.changing("categories") { .array($0.arrayValue! + [$0.arrayValue![0]]) } }
      },
      Damage("an image without annotation", says: [index, "no annotation"]) {
        try edit($0) { $0.changing("annotations") { .array(Array($0.arrayValue!.dropFirst())) } }
      },
      Damage("an annotation of no image", says: [index, "is not listed in 'images'"]) {
        try edit($0) { $0.changing("images") { .array(Array($0.arrayValue!.dropFirst())) } }
      },
      Damage("no images", says: [index, "no images"]) {
        try edit($0) { $0.changing("images") { _ in [] }.changing("annotations") { _ in [] } }
      },
      Damage("no categories", says: [index, "categories"]) {
        try edit($0) { $0.changing("categories") { _ in [] } }
      },
      Damage("a key is missing", says: [index, "annotations"]) {
        try edit($0) { .object($0.objectValue!.filter { $0.key != "annotations" }) }
      },
      Damage("a text where a number belongs", says: [index, "width"]) {
        try edit($0) { $0.changing("images") { $0.changingFirst { $0.changing("width") { _ in "wide" } } } }
      },
      Damage("a negative size", says: [index, "-64"]) {
        try edit($0) { $0.changing("images") { $0.changingFirst { $0.changing("width") { _ in -64 } } } }
      },
      Damage("NaN", says: [index + ":1:"]) { try editText($0, "\"area\":", "\"area\":NaN,\"x\":") },
      Damage("an infinite number", says: [index]) { try editText($0, "\"area\":", "\"area\":1e999,\"x\":") },
      Damage("cut JSON", says: [index + ":1:"]) { coco in
        try overwrite(coco + "/" + index) { Array($0.prefix($0.count / 2)) }
      },
      Damage("an empty index", says: [index]) { coco in try overwrite(coco + "/" + index) { _ in [] } },
    ]

    @Test("the undamaged folder trains")
    func sound() async throws {
      let outcome = try await Shared.task.value.outcome
      #expect(outcome.code == 0, "\(outcome.errors)")
    }

    @Test("malformed images are refused", arguments: pictures)
    func badPictures(_ damage: Damage) async throws { try await expectRefused(damage) }

    @Test("malformed annotations are refused", arguments: indices)
    func badAnnotations(_ damage: Damage) async throws { try await expectRefused(damage) }

    private func expectRefused(_ damage: Damage) async throws {
      let shared = try await Shared.task.value
      try await withTemporaryFolder { folder in
        let coco = folder + "/coco"
        let store = folder + "/artifacts"
        try FileManager.default.copyItem(atPath: shared.coco, toPath: coco)
        try FileManager.default.copyItem(atPath: shared.store, toPath: store)
        try damage.harm(coco)
        let before = try results(in: store)
        let pipeline = try Miniature.writePipeline(to: folder)
        let outcome = try await Program.run(["run", pipeline, "--store", store], environment: ["COCO": coco])
        #expect(outcome.code == 65, "\(outcome.everything)")
        for words in damage.says {
          #expect(outcome.errors.contains(words), "expected '\(words)': \(outcome.errors)")
        }
        #expect(outcome.root == nil)
        // The data set and its split may be recorded, but no weights are.
        #expect(try results(in: store) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: store + "/tmp").isEmpty)
        let audit = try await Program.run(["audit", "--store", store])
        #expect(audit.code == 0, "\(audit.everything)")
      }
    }

    /// The weights in a store.
    private func results(in store: String) throws -> [String] {
      (FileManager.default.enumerator(atPath: store)?.compactMap { $0 as? String } ?? []).filter {
        $0.hasSuffix(".h5") || $0.hasPrefix("checkpoints/")
      }.sorted()
    }

    /// The undamaged folder, and a store with all its results.
    enum Shared {
      struct Sound: Sendable {
        let coco: String
        let store: String
        let outcome: Program.Outcome
      }

      static let task = Task {
        let folder = try await Reference.finished.store + "/../own-data"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try await Miniature.writeCOCO(to: folder + "/coco")
        let pipeline = try Miniature.writePipeline(to: folder)
        let outcome = try await Program.run(
          ["run", pipeline, "--store", folder + "/artifacts"], environment: ["COCO": folder + "/coco"])
        return Sound(coco: folder + "/coco", store: folder + "/artifacts", outcome: outcome)
      }
    }

    // MARK: Damage

    static func overwrite(_ path: String, _ change: ([UInt8]) throws -> [UInt8]) throws {
      let url = URL(fileURLWithPath: path)
      try Data(try change(Array(Data(contentsOf: url)))).write(to: url)
    }

    /// Overwrites all files: which of them are held out from training is random.
    static func overwriteAll(_ folder: String, _ change: ([UInt8]) throws -> [UInt8]) throws {
      for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
        try overwrite("\(folder)/\(name)", change)
      }
    }

    static func edit(_ coco: String, _ change: (CanonicalValue) throws -> CanonicalValue) throws {
      try overwrite(coco + "/" + index) { try change(CanonicalValue(json: $0)).canonicalBytes }
    }

    /// Changes every annotation.
    static func editAnnotations(_ coco: String, _ change: (CanonicalValue) throws -> CanonicalValue) throws {
      try edit(coco) { try $0.changing("annotations") { .array(try $0.arrayValue!.map(change)) } }
    }

    static func editText(_ coco: String, _ old: String, _ new: String) throws {
      try overwrite(coco + "/" + index) {
        Array(String(decoding: $0, as: UTF8.self).replacing(old, with: new, maxReplacements: 1).utf8)
      }
    }
  }
}

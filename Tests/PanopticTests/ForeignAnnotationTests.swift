import Determinism
import Foundation
import Testing
import Vision

@testable import Panoptic

@Suite("Untrusted and unusual annotations")
struct ForeignAnnotationTests {
  @Test("a byte order mark is skipped")
  func byteOrderMark() throws {
    let plain = try PanopticAnnotations(Array(PanopticFilesTests.valid.utf8), place: "plain")
    let marked = try PanopticAnnotations(TextLines.byteOrderMark + Array(PanopticFilesTests.valid.utf8), place: "plain")
    #expect(plain == marked)
  }

  @Test("areas may be fractions, and any number in predictions")
  func areas() throws {
    let fraction = PanopticFilesTests.valid.replacingOccurrences(of: "2.0", with: "2.5")
    #expect(try PanopticAnnotations(Array(fraction.utf8), place: "f").annotations[0].segments[0].area == 2.5)
    for number in ["-1", "1e300", "9223372036854775807", "0.1"] {
      let text = PanopticFilesTests.valid.replacingOccurrences(of: "2.0", with: number)
      #expect(throws: Never.self) { try PanopticAnnotations(Array(text.utf8), place: "p", role: .prediction) }
    }
  }

  @Test("canonically equivalent names of images, PNGs, ids and categories stay distinct")
  func twins() throws {
    let text = """
      {"images": [{"id": "se\u{F1}or", "file_name": "se\u{F1}or.jpg", "width": 2, "height": 1},
                  {"id": "sen\u{303}or", "file_name": "sen\u{303}or.jpg", "width": 2, "height": 1}],
       "categories": [{"id": 1, "name": "caf\u{E9}", "isthing": 1}, {"id": 2, "name": "cafe\u{301}", "isthing": 1}],
       "annotations": [{"image_id": "sen\u{303}or", "file_name": "sen\u{303}or.png", "segments_info": []},
                       {"image_id": "se\u{F1}or", "file_name": "se\u{F1}or.png", "segments_info": []}]}
      """
    let file = try PanopticAnnotations(Array(text.utf8), place: "twins")
    #expect(file.images.count == 2 && file.images[0].id != file.images[1].id)
    #expect(file.annotations[0].imageID == file.images[1].id && file.annotations[1].imageID == file.images[0].id)
    #expect(Set(try PanopticWriter.names(of: file.images).map { ByteName($0) }).count == 2)
    #expect(file.categories?.count == 2)
  }

  @Test("two images or annotations with the same file are refused")
  func sameFile() throws {
    for (list, old, more) in [
      ("images", "\"images\": [", #"{"id": 6, "file_name": "./a.jpg", "width": 2, "height": 1}, "#),
      ("annotations", "\"annotations\": [", #"{"image_id": 6, "file_name": "a.png", "segments_info": []}, "#),
    ] {
      let text = PanopticFilesTests.valid.replacingOccurrences(of: old, with: old + more)
      let error = try #require(throws: PanopticError.self) {
        try PanopticAnnotations(Array(text.utf8), place: "same", role: .prediction)
      }
      #expect(error.code == .duplicateID || error.code == .missingImage, "\(list): \(error)")
    }
  }

  /// Changes, removes and repeats bytes and replaces numbers by extreme ones, in any combination.
  static func mutant(of text: [UInt8], _ random: inout RandomStream) -> [UInt8] {
    var text = text
    for _ in 0...random.below(3) {
      guard !text.isEmpty else { break }
      let at = random.below(text.count)
      switch random.below(5) {
      case 0: text[at] = UInt8(random.below(256))
      case 1: text.removeSubrange(at..<min(text.count, at + 1 + random.below(12)))
      case 2:
        text.insert(contentsOf: text[at..<min(text.count, at + 1 + random.below(60))], at: random.below(text.count))
      case 3:
        let words = [
          "null", "true", "-1", "0", "1e300", "-1e-300", "9223372036854775807", "9223372036854775807", "1.5", "[]",
          "{}",
          "\"\"", "\"5\"", "16777216", "2147483648", "\"../x\"", "18446744073709551616", "-9223372036854775808",
        ]
        if let colon = text[at...].firstIndex(of: UInt8(ascii: ":")) {
          let end = text[colon...].firstIndex { [UInt8(ascii: ","), UInt8(ascii: "}")].contains($0) } ?? text.count
          text.replaceSubrange(colon + 1..<end, with: Array(words[random.below(words.count)].utf8))
        }
      default: text[at] ^= 1 << UInt8(random.below(8))
      }
    }
    return text
  }

  @Test("mutants of a valid file are read or refused with a position, as ground truth and as prediction")
  func fuzz() {
    var random = Seeds(kind: "fuzz", seed: 1).stream("annotations")
    let sound = Array(PanopticFilesTests.valid.utf8)
    var read = 0
    for _ in 0..<10_000 {
      let text = Self.mutant(of: sound, &random)
      for role in [PanopticAnnotations.Role.groundTruth, .prediction] {
        do {
          let file = try PanopticAnnotations(text, place: "mutant", role: role)
          _ = file.json.canonicalBytes
          read += 1
        } catch {
          #expect((error as? PanopticError)?.place.hasPrefix("mutant") == true, "\(error)")
        }
      }
    }
    #expect(read > 100)
  }

  @Test("stated areas have no effect on quality")
  func statedAreas() throws {
    var random = Seeds(kind: "test", seed: 8).stream("areas")
    let table = sceneCategories
    for _ in 0..<40 {
      let (truth, guess) = (randomScene(&random), randomScene(&random))
      var lying = truth
      for i in lying.segments.indices { lying.segments[i].area = [0, 1, 0.5, 1e9][random.below(4)] }
      let honest = try PanopticQuality(comparing: [(truth, guess)], categories: table)
      let other = try PanopticQuality(comparing: [(lying, guess)], categories: table)
      #expect(honest.images == other.images)
      for c in other.counts { #expect((0...1).contains(c.pq) && (0...1).contains(c.sq) && (0...1).contains(c.rq)) }
    }
  }

  /// The quality of a prediction in memory: one image with one segment, and its own ground truth.
  private func quality(
    stated area: String = "2", predictedID: String = "5", further: [String: [UInt8]] = [:]
  ) throws -> PanopticQuality {
    let png = PNGWriter.encode(LabelImage(width: 2, height: 1, ids: [300, 300]).rgb)
    let files = MemoryTree(["labels/a.png": png].merging(further) { $1 })
    let truth = PanopticFilesTests.valid.replacingOccurrences(of: "2.0", with: area)
    let guess = PanopticFilesTests.valid.replacingOccurrences(
      of: "\"image_id\": 5", with: "\"image_id\": \(predictedID)"
    )
    .replacingOccurrences(of: "\"images\"", with: "\"pictures\"")
    func source(_ text: String, _ role: PanopticAnnotations.Role, _ place: String) throws -> PanopticSource {
      PanopticSource(
        annotations: try PanopticAnnotations(Array(text.utf8), place: place, role: role), files: files, folder: "labels"
      )
    }
    return try PanopticQuality(
      groundTruth: source(truth, .groundTruth, "truth.json"), prediction: source(guess, .prediction, "guess.json"))
  }

  @Test("wrong areas and PNGs without annotation are reported with a count and an example")
  func notes() throws {
    #expect(try quality().notes == [] && quality().all.pq == 1)
    let areas = try quality(stated: "7").notes
    #expect(areas.count == 1 && areas[0].contains("1 of 1 segment") && areas[0].contains("an area of 7.0"))
    let unused = try quality(further: ["labels/b.PNG": [1], "labels/c.png": [2], "labels/readme.txt": [3]]).notes
    #expect(
      unused.count == 2 && unused.allSatisfy { $0.contains("2 PNG files without annotation") && $0.contains("b.PNG") })
  }

  @Test("an image id that is a number in one file and text in the other is refused with its position")
  func idForms() throws {
    let error = try #require(throws: PanopticError.self) { try quality(predictedID: "\"5\"") }
    #expect(
      error.description.hasPrefix("guess.json: annotations[0].image_id: error: the image \"5\" is 5 in truth.json"))
  }

  @Test("PanopticWriter resumes from its saved state with the same files")
  func writerState() throws {
    var random = Seeds(kind: "test", seed: 9).stream("writer")
    let table = sceneCategories
    let images = ["a.jpg", "a.png", "sub/b.jpg", "c"].enumerated().map {
      PanopticImage(id: .number($0), fileName: $1, width: 40, height: 30)
    }
    let names = try PanopticWriter.names(of: images)
    #expect(names == ["a.jpg.png", "a.png.png", "sub/b.png", "c.png"])
    let scenes = images.map { _ in randomScene(&random) }
    let (whole, first, second) = (try TemporaryFolder(), try TemporaryFolder(), try TemporaryFolder())
    var through = try PanopticWriter(folder: whole.path + "/maps")
    for i in images.indices { try through.add(scenes[i], of: images[i], as: names[i]) }
    try through.finish(json: whole.path + "/index.json", categories: table)
    for done in 0...4 {
      var before = try PanopticWriter(folder: first.path + "/\(done)")
      for i in 0..<done { try before.add(scenes[i], of: images[i], as: names[i]) }
      try before.save(to: first.path + "/state")
      var after = try PanopticWriter(folder: second.path + "/\(done)")
      try after.restore(from: first.path + "/state")
      #expect(after.images.count == done)
      for i in done..<images.count { try after.add(scenes[i], of: images[i], as: names[i]) }
      try after.finish(json: second.path + "/\(done).json", categories: table)
      #expect(try FileIO.read(second.path + "/\(done).json") == FileIO.read(whole.path + "/index.json"))
      for name in names {
        #expect(try FileIO.read("\(second.path)/\(done)/\(name)") == FileIO.read("\(whole.path)/maps/\(name)"))
      }
    }
    try FileIO.write([0, 0, 0, 0, 0, 0, 0, 9, 1], to: first.path + "/state")
    var broken = try PanopticWriter(folder: second.path + "/broken")
    #expect(throws: FileFailure.self) { try broken.restore(from: first.path + "/state") }
  }
}

/// A file tree in memory.
struct MemoryTree: FileTree {
  let root = "memory"
  let files: [ByteName: [UInt8]]

  init(_ files: [String: [UInt8]]) { self.files = Dictionary(uniqueKeysWithValues: files.map { (ByteName($0), $1) }) }

  var paths: [String] { files.keys.sorted().map(\.text) }
  func contains(_ path: String) -> Bool { files[ByteName(path)] != nil }
  func read(_ path: String, limit: Int) throws -> [UInt8] {
    guard let bytes = files[ByteName(path)] else { throw FileFailure("read", path, code: 0, reason: "not in the tree") }
    return bytes
  }
}

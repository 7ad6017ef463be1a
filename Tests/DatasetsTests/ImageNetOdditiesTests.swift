import Datasets
import Determinism
import Foundation
import Testing
import Vision

/// ImageNet's files are not all what their names say. The reference is Pillow's `convert("RGB")`, by which the published
/// programs read them: facts about each file are Pillow 13's (`expected_decode.json` of the test data).
@Suite("Oddities of ImageNet")
struct ImageNetOdditiesTests {
  private static let loading = ClassificationLoading(
    batchSize: 1, crop: CropAugmentation(side: 64),
    normalization: .raw)

  /// The three planes of a picture in a training step.
  private func planes(_ path: String) throws -> [[Float]] {
    let data = try ClassificationDataset(files: [path.lastPathComponent], in: path.folderPath)
    let loader = ClassificationLoader(data, Self.loading, seeds: Seeds(kind: "test", seed: 1))
    let images = try loader.trainingBatch(step: 0).images
    #expect(images.shape == [1, 3, 64, 64])
    return (0..<3).map { c in Array(images.array[c * 64 * 64..<(c + 1) * 64 * 64]) }
  }

  @Test(
    "grey pictures have three equal planes", .needs("imagenet"),
    arguments: [
      "samples/n02692877/n02692877_airship.JPEG", "samples/n04532670/n04532670_viaduct.JPEG",
      "zoo/n15075141/n15075141_13104.JPEG",
    ])
  func grey(_ name: String) throws {
    let folder = try #require(sampleData("imagenet"))
    let planes = try planes(folder + "/" + name)
    #expect(planes[0] == planes[1] && planes[1] == planes[2])
    #expect(planes.allSatisfy { $0.allSatisfy { (0...255).contains($0) } })
  }

  @Test("a PNG with transparency that is called JPEG is a picture without transparency", .needs("imagenet"))
  func disguise() throws {
    let folder = try #require(sampleData("imagenet"))
    let path = folder + "/zoo/n99999999/n02105855_2933.JPEG"
    let image = try ImageFile.read(path: path)
    #expect((image.width, image.height, image.channels) == (213, 189, 3))
    // Alpha is dropped, not blended: Pillow's means of the colour samples.
    let means = (0..<3).map { c in
      stride(from: c, to: image.pixels.count, by: 3).reduce(0.0) { $0 + Double(image.pixels[$1]) }
        / Double(image.width * image.height)
    }
    for (mean, expected) in zip(means, [128.52301463099585, 123.21628536652011, 111.10266537496584]) {
      #expect(abs(mean - expected) < 1e-9)
    }
    #expect(try planes(path).count == 3)
  }

  @Test("pictures are not turned by their orientation tag, as the reference does not turn them", .needs("imagenet"))
  func orientation() throws {
    let folder = try #require(sampleData("imagenet"))
    // Orientation 6 would be 294 pixels wide and 392 high.
    let image = try ImageFile.read(path: folder + "/samples/n02951585/n02951585_can_opener.JPEG")
    #expect((image.width, image.height) == (392, 294))
    // Orientation 0 is none.
    let other = try ImageFile.read(path: folder + "/samples/n03337140/n03337140_file.JPEG")
    #expect((other.width, other.height) == (1600, 1200))
  }

  @Test("CMYK, of which ImageNet holds one, becomes RGB as Pillow has it", .needs("jpeg_flavours"))
  func cmyk() throws {
    let folder = try #require(sampleData("jpeg_flavours"))
    let path = folder + "/pil_sample_cmyk.jpg"
    let image = try ImageFile.read(path: path)
    #expect((image.width, image.height, image.channels) == (100, 100, 3))
    #expect(try planes(path).allSatisfy { $0.allSatisfy { (0...255).contains($0) } })
  }

  @Test("a folder of such files is one data set; a file of another format is named", .needs("imagenet"))
  func folder() throws {
    let imagenet = try #require(sampleData("imagenet"))
    let data = try ClassificationDataset(root: imagenet, part: "zoo")
    #expect(data.classes == ["n02110063", "n04370456", "n15075141", "n99999999"])
    #expect(data.samples.count == 8)
    let loader = ClassificationLoader(data, Self.loading, seeds: Seeds(kind: "test", seed: 1))
    let batches = loader.training(steps: 0..<16, workers: 2)
    var labels = Set<Int>()
    while let batch = try batches.next() { labels.formUnion(batch.labels) }
    #expect(labels == [0, 1, 2, 3])

    let temporary = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: temporary.path + "/train/n00000001", withIntermediateDirectories: true)
    let bitmap = temporary.path + "/train/n00000001/bitmap.JPEG"
    try Data("BM".utf8 + [UInt8](repeating: 0, count: 100)).write(to: URL(fileURLWithPath: bitmap))
    let disguised = try ClassificationDataset(root: temporary.path, part: ClassificationLayout.imageNet.training)
    let words = message { _ = try disguised.image(disguised.samples[0]) }
    #expect(words.contains("bitmap.JPEG: error: neither a JPEG nor a PNG file"))
  }
}

import Determinism
import Foundation
import Testing

extension EndToEndTests {
  @Suite("Training on real COCO images")
  struct RealDataTests {
    /// The two sample images of panopticapi as training and validation set: reading, splitting, one update.
    @Test(
      "a COCO folder trains the supernet; its path is not in the key, its images are",
      .needs("coco/panopticapi_sample_data"))
    func train() async throws {
      let sample = try #require(TestData.folder("coco/panopticapi_sample_data"))
      try await withTemporaryFolder { folder in
        let coco = folder + "/coco"
        let manager = FileManager.default
        try manager.createDirectory(atPath: coco + "/annotations", withIntermediateDirectories: true)
        for part in [Coco.train, Coco.val] {
          try manager.copyItem(atPath: sample + "/input_images", toPath: "\(coco)/\(part.images)")
          try manager.copyItem(
            atPath: sample + "/panoptic_examples", toPath: "\(coco)/\(part.labels)")
          try manager.copyItem(
            atPath: sample + "/panoptic_examples.json", toPath: "\(coco)/\(part.index)")
        }
        let pipeline = try Miniature.writePipeline(to: folder)
        let arguments = ["run", pipeline, "--store", folder + "/artifacts"]
        let first = try await Program.run(arguments, environment: ["COCO": coco])
        #expect(first.code == 0, "\(first.everything)")
        let root = try #require(first.root)

        // The folder may be moved: only its content is in the key.
        let elsewhere = folder + "/elsewhere"
        try manager.moveItem(atPath: coco, toPath: elsewhere)
        let moved = try await Program.run(arguments + ["--set", "COCO=\(elsewhere)"])
        #expect(moved.root == root, "\(moved.everything)")
        #expect(moved.errors.contains("0 executed"), "\(moved.errors)")

        // A changed image is another data set.
        let picture = elsewhere + "/\(Coco.train.images)/000000142238.jpg"
        let bytes = try Data(contentsOf: URL(fileURLWithPath: elsewhere + "/\(Coco.train.images)/000000439180.jpg"))
        try bytes.write(to: URL(fileURLWithPath: picture))
        let plan = try await Program.run(
          ["plan", pipeline, "--store", folder + "/artifacts", "--set", "COCO=\(elsewhere)"])
        #expect(!plan.output.contains("nothing to run"), "\(plan.output)")
      }
    }
  }
}

import Foundation
import Testing

extension EndToEndTests {
  @Suite("model describe")
  struct ModelTests {
    @Test("the published architecture has the published size and is drawn")
    func describe() async throws {
      try await withTemporaryFolder { folder in
        let outcome = try await Program.run([
          "model", "describe", "coco", "--width", "1.3G", "--classifier", "--json", "--svg", folder + "/coco.svg",
        ])
        #expect(outcome.code == 0, "\(outcome.everything)")
        #expect(outcome.json["parameters"]?.integerValue == 8_836_952)
        #expect(outcome.json["multiply-adds"]?.integerValue == 1_201_941_088)
        let drawing = try String(contentsOfFile: folder + "/coco.svg", encoding: .utf8)
        #expect(drawing.hasPrefix("<svg ") && drawing.hasSuffix("</svg>\n"))
        #expect(drawing.components(separatedBy: " rx=").count == 41)
      }
    }

    @Test(
      "an unknown architecture or unusable option is refused",
      arguments: [
        (["nothing-of-this-name"], 65), (["cocoo"], 65), (["coco", "--width", "300M"], 64),
        (["coco", "--image", "800"], 64), (["coco", "--data", "cityscapes"], 64),
        (["coco", "--svg", "no-such-folder/coco.svg"], 1),
      ] as [([String], Int32)])
    func refused(_ arguments: [String], code: Int32) async throws {
      let outcome = try await Program.run(["model", "describe"] + arguments)
      #expect(outcome.code == code && outcome.errors.contains(arguments.last!), "\(outcome.everything)")
    }
  }
}

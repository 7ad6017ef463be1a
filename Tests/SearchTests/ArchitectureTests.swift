import Testing

@testable import Search

@Suite("Architecture")
struct ArchitectureTests {
  @Test("the published architectures are valid and round-trip through JSON and Genome")
  func architectures() throws {
    for architecture in [Architecture.publishedCOCO, .publishedADE20K] {
      try architecture.validate()
      #expect(try Architecture(json: architecture.json, place: "file") == architecture)
      #expect(Architecture(architecture.genome) == architecture)
    }
    #expect(Architecture.publishedCOCO.choices(of: .semantic) == [2, 3, 0])
    #expect(Architecture.publishedADE20K.choices(of: .thingsToStuff) == [2, 0, 1, 1])
    #expect(DetNASBackbone.cocoFPN.count == 40 && DetNASBackbone.cocoFPN300M.count == 20)
    // Stage 3 begins with block 16.
    #expect(Array(Architecture.publishedCOCO.backbone[16..<20]) == [0, 0, 1, 0])
  }

  @Test(
    "a malformed architecture is refused with the name of the file and of the list",
    arguments: [
      ("[]", "expected a list"), ("{\"backbone\": [1.5]}", "expected a list"),
      ("[{\"backbone\": [0], \"head\": [], \"inter\": []}]", "backbone: error: 1 choices"),
      ("{\"backbone\": [], \"backbone\": [0], \"head\": [], \"inter\": []}", "has the member 'backbone' twice"),
      ("{\"backbone\": [9223372036854775807], \"head\": [], \"inter\": []}", "backbone: error: 1 choices"),
      ("{\"backbone\": [1e300], \"head\": [], \"inter\": []}", "expected a list"), ("{\"backbone\"", "a.json"),
    ])
  func refused(_ text: String, _ words: String) throws {
    let error = try #require(throws: SearchError.self) { try Architecture(json: Array(text.utf8), place: "a.json") }
    #expect(error.description.hasPrefix("a.json") && error.description.contains(words) && error.isUserData)
  }

  @Test("a choice outside its layer is named with list, layer and range")
  func unknownChoice() throws {
    var architecture = Architecture.publishedCOCO
    architecture.inter[3] = 3
    let error = try #require(throws: SearchError.self) { try architecture.validate() }
    #expect(error.description == "architecture: inter[3]: error: choice 3 is not in 0...2")
  }
}

import Determinism
import Search

/// The search space of a profile compared with the paper's: its table 1, and table 1 of the supplement.
public struct SearchSpaceTables: Sendable {
  /// The search space of a run.
  public struct Settings: Sendable {
    public var space: SearchSpace
    /// Names of the operators of a backbone layer, in the order of the genome.
    public var backbone: [String]
    /// Names of the operators of a head layer, in the order of the genome.
    public var heads: [String]
    /// Reduction ratios of the attention modules.
    public var ratios: [Int]
    /// Output channels of the stem.
    public var stemChannels: Int
    /// Output channels of stages 1 to 4.
    public var stageChannels: [Int]
    /// Numbers of blocks of stages 1 to 4.
    public var stageBlocks: [Int]

    public init(
      space: SearchSpace, backbone: [String], heads: [String], ratios: [Int], stemChannels: Int, stageChannels: [Int],
      stageBlocks: [Int]
    ) {
      (self.space, self.backbone, self.heads, self.ratios) = (space, backbone, heads, ratios)
      (self.stemChannels, self.stageChannels, self.stageBlocks) = (stemChannels, stageChannels, stageBlocks)
    }
  }

  let settings: Settings?

  /// - Parameter settings: the search space of the run; nil leaves its cells empty.
  public init(_ settings: Settings?) { self.settings = settings }

  /// Both tables.
  public var all: [ReportTable] { [choices, backbone] }

  private var choices: ReportTable {
    let space = settings?.space
    func row(_ label: String, _ part: SearchSpace.Part, layers: String, choices: String, run: String?) -> [String] {
      [label, choices, run ?? "", layers, space.map { "\($0.layers(of: part))" } ?? ""]
    }
    return ReportTable(
      id: "table-1", title: "Table 1. Search space", labels: ["component"],
      columns: ["choices per layer reported", "choices this run", "layers reported", "layers this run"],
      rows: [
        row(
          "backbone", .backbone, layers: "40", choices: "shuffle 3x3, shuffle 5x5, shuffle 7x7, xception 3x3",
          run: settings?.backbone.joined(separator: ", ")),
        row(
          "heads", .head, layers: "7", choices: "DW 3x3, DW 5x5, AT 3x3, AT 5x5, DF 3x3, DF 5x5",
          run: settings?.heads.joined(separator: ", ")),
        row(
          "attention", .attention, layers: "9", choices: "ratio 4, 8, 16",
          run: settings.map {
            $0.ratios.isEmpty ? "none" : "ratio " + $0.ratios.map(String.init).joined(separator: ", ")
          }),
        ["architectures", "4^40 x 6^7 x 3^9 = 6.7e33", space.map(SearchSpaceTables.count) ?? "", "", ""],
      ],
      note: "DW: depthwise separable, AT: atrous, DF: deformable convolution. Where the paper says 16, the published "
        + "code computes 6; see docs/fidelity.md.", alignment: .left)
  }

  private var backbone: ReportTable {
    let blocks = ["8", "8", "16", "8"]
    let channels = ["96", "240", "480", "960"]
    let stages = channels.indices.map { i in
      [
        "\(i + 1)", "ShuffleNetV2 block (searched)", channels[i], settings.map { "\($0.stageChannels[i])" } ?? "",
        blocks[i], settings.map { "\($0.stageBlocks[i])" } ?? "",
      ]
    }
    return ReportTable(
      id: "supplement-table-1", title: "Supplement, table 1. The backbone during the search",
      labels: ["stage", "block"],
      columns: ["channels reported", "channels this run", "blocks reported", "blocks this run"],
      rows: [
        ["0", "Conv 3x3, BN, ReLU", "48", settings.map { "\($0.stemChannels)" } ?? "", "1", settings == nil ? "" : "1"]
      ] + stages, note: nil)
  }

  /// `4^40 x 6^7 x 3^9 = 6.7e33`.
  private static func count(_ space: SearchSpace) -> String {
    let powers = SearchSpace.Part.allCases.filter { space.layers(of: $0) > 0 }
      .map { "\(space.choices(of: $0))^\(space.layers(of: $0))" }.joined(separator: " x ")
    let digits = space.size
    let size = digits.count > 6 ? rounded(digits) : digits
    return powers.isEmpty ? size : "\(powers) = \(size)"
  }

  /// A long number rounded to two digits: `6.7e33`.
  private static func rounded(_ digits: String) -> String {
    let text = ((Double(digits.prefix(6)) ?? 0) / 1e5).text(digits: 1)
    return text == "10.0" ? "1.0e\(digits.count)" : "\(text)e\(digits.count - 1)"
  }
}

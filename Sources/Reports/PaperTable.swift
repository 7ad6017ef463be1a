/// Panoptic quality of one run, or its mean over several seeds.
public struct QualityResult: Hashable, Sendable {
  /// Panoptic quality (PQ) over all classes, in [0, 1] as all others.
  public var pq: Double
  /// PQ-Th.
  public var things: Double
  /// PQ-St.
  public var stuff: Double
  /// Segmentation quality.
  public var sq: Double
  /// Recognition quality.
  public var rq: Double

  public init(pq: Double, things: Double, stuff: Double, sq: Double, rq: Double) {
    (self.pq, self.things, self.stuff, self.sq, self.rq) = (pq, things, stuff, sq, rq)
  }
}

/// A row of the paper's tables that a run can reproduce.
public enum PaperResult: String, Hashable, Sendable, CaseIterable {
  case coco, ade20k
  case cocoFPN = "coco-fpn"
  case cocoDeformableFPN = "coco-fpn-deformable"
  case ade20kFPN = "ade20k-fpn"
  case ade20kDeformableFPN = "ade20k-fpn-deformable"
  case random
  case handCrafted = "hand-crafted"
  case plain
  case randomSearch = "random-search"
  case evolution
  /// With the same number of evaluations as the path-priority search.
  case randomSearchEqual = "random-search-equal"
  case evolutionEqual = "evolution-equal"
  case noComponent = "searched-none"
  case backbone = "searched-backbone"
  case heads = "searched-heads"
  case attention = "searched-attention"
  case backboneHeads = "searched-backbone-heads"
  case backboneAttention = "searched-backbone-attention"
  case headsAttention = "searched-heads-attention"
  case cocoToADE20K = "coco-to-ade20k"
  case ade20kToCOCO = "ade20k-to-coco"
  /// Models evaluated with the weights of the supernet, without retraining.
  case supernetPathPriority = "supernet-path-priority"
  case supernetSelected = "supernet-selected"
  case supernetRandom = "supernet-random-search"
  case supernetRandomEqual = "supernet-random-search-equal"
  case supernetEvolution = "supernet-evolution"
  case supernetEvolutionEqual = "supernet-evolution-equal"

  /// Whether the row reports the best of several results.
  public var isBestOfSeveral: Bool {
    switch self {
    case .random, .supernetPathPriority, .supernetRandom, .supernetRandomEqual, .supernetEvolution,
      .supernetEvolutionEqual:
      true
    default: false
    }
  }
}

/// One table of the paper, to be compared with the results of runs.
public struct PaperTable: Sendable {
  /// A row of the table.
  public struct Row: Sendable {
    public var labels: [String]
    /// The values as printed, in percent; nil where the paper reports none. One per metric, or empty.
    public var reported: [String?]
    /// The result of a run that reproduces the row; nil where none does.
    public var result: PaperResult?
  }

  /// A column of the table.
  public enum Metric: String, Sendable {
    case pq = "PQ"
    case things = "PQ-Th"
    case stuff = "PQ-St"
    case sq = "SQ"
    case rq = "RQ"

    public func value(of quality: QualityResult) -> Double {
      switch self {
      case .pq: quality.pq
      case .things: quality.things
      case .stuff: quality.stuff
      case .sq: quality.sq
      case .rq: quality.rq
      }
    }
  }

  /// A short name for files: `table-2`.
  public let id: String
  public let title: String
  /// Headers of the label columns.
  public let labels: [String]
  /// The columns after the labels.
  public let metrics: [Metric]
  public let rows: [Row]
  /// A remark below the table.
  public let note: String?
}

extension PaperTable {
  /// All tables of results, with the numbers that the paper reports.
  public static let all = [quality, algorithm, components, policies, search, transfer]

  static let quality = PaperTable(
    id: "table-2", title: "Table 2. Panoptic quality on the validation images", labels: ["data", "method"],
    metrics: [.pq, .things, .stuff, .sq, .rq],
    rows: [
      row(["COCO", "Panoptic-FPN"], "39.0 45.9 28.7 - -", .cocoFPN),
      row(["COCO", "Panoptic-FPN-D"], "39.9 46.9 29.3 78.4 49.0", .cocoDeformableFPN),
      row(["COCO", "AUNet"], "39.6 49.1 25.2 - -"),
      row(["COCO", "OANet"], "39.0 48.3 26.6 77.1 47.8"),
      row(["COCO", "UPSNet-C"], "41.5 47.5 32.6 79.1 50.9"),
      row(["COCO", "UPSNet"], "42.5 48.5 33.4 78.0 52.5"),
      row(["COCO", "SpatialFlow"], "40.9 46.8 31.9 - -"),
      row(["COCO", "BANet"], "43.0 50.5 31.8 79.0 52.8"),
      row(["COCO", "BGRNet"], "43.2 49.8 33.4 79.1 52.7"),
      row(["COCO", "SOGNet"], "43.7 50.6 33.2 78.7 53.5"),
      row(["COCO", "Auto-Panoptic"], "44.8 51.4 35.0 78.9 54.5", .coco),
      row(["ADE20K", "Panoptic-FPN"], "29.3 32.5 22.9 69.5 36.9", .ade20kFPN),
      row(["ADE20K", "Panoptic-FPN-D"], "30.1 33.1 24.0 69.3 37.5", .ade20kDeformableFPN),
      row(["ADE20K", "BGRNet"], "31.8 34.1 27.3 72.2 39.5"),
      row(["ADE20K", "Auto-Panoptic"], "32.4 33.5 30.2 74.4 40.3", .ade20k),
    ],
    note: "Numbers of other methods are as reported in the paper. The available text does not show which rows use "
      + "deformable convolutions and which one was re-implemented; here -D uses them in the semantic head.")

  static let algorithm = PaperTable(
    id: "table-3", title: "Table 3. Effect of the search, COCO", labels: ["model"], metrics: [.pq],
    rows: [
      row(["Random, best of five"], "41.1", .random),
      row(["Hand-crafted: DetNAS backbone, searched heads"], "43.1", .handCrafted),
      row(["Auto-Panoptic-Plain: heads of 3x3 convolutions"], "42.9", .plain),
      row(["Auto-Panoptic"], "44.8", .coco),
    ], note: nil)

  static let components = PaperTable(
    id: "components", title: "Multi-component ablation, COCO", labels: ["backbone", "heads", "attention"],
    metrics: [.pq],
    rows: [
      row(["ResNet-50", "3x3", "none"], nil, .noComponent),
      row(["searched", "3x3", "none"], nil, .backbone),
      row(["ResNet-50", "searched", "none"], nil, .heads),
      row(["ResNet-50", "3x3", "searched"], nil, .attention),
      row(["searched", "searched", "none"], nil, .backboneHeads),
      row(["searched", "3x3", "searched"], nil, .backboneAttention),
      row(["ResNet-50", "searched", "searched"], nil, .headsAttention),
      row(["searched", "searched", "searched"], nil, .coco),
    ],
    note: "The paper's rows and numbers are not recoverable from the available text. It claims that searching more "
      + "components gives better results.")

  static let policies = PaperTable(
    id: "table-5", title: "Table 5. Search policies on one supernet, COCO", labels: ["policy", "models evaluated"],
    metrics: [.pq],
    rows: [
      row(["Random search", "300"], "42.8", .randomSearch),
      row(["EA", "1000"], "43.8", .evolution),
      row(["Path-priority", "60"], "44.8", .coco),
      row(["Random search", "60, as path-priority"], nil, .randomSearchEqual),
      row(["EA", "60, as path-priority"], nil, .evolutionEqual),
    ],
    note: "The last two rows are not in the paper. Numbers of models are the paper's; smaller profiles evaluate fewer.")

  static let search = PaperTable(
    id: "search", title: "Search policies in the supernet, COCO: the best model that each evaluated",
    labels: ["policy", "models evaluated"], metrics: [.pq],
    rows: [
      row(["Random search", "60"], nil, .supernetRandomEqual),
      row(["EA", "60"], nil, .supernetEvolutionEqual),
      row(["Path-priority", "60"], nil, .supernetPathPriority),
      row(["Path-priority, the model composed of best operators", "60"], nil, .supernetSelected),
      row(["Random search", "300"], nil, .supernetRandom),
      row(["EA", "1000"], nil, .supernetEvolution),
    ],
    note: "The paper plots these models in figure 2b without numbers. They are evaluated on held-out training images, "
      + "with the weights of the supernet; table 5 has the best ones after retraining. Numbers of models are the "
      + "paper's; smaller profiles evaluate fewer.")

  static let transfer = PaperTable(
    id: "transfer", title: "Transfer of architectures", labels: ["searched on", "retrained on"],
    metrics: [.pq, .things, .stuff],
    rows: [
      row(["COCO", "ADE20K"], nil, .cocoToADE20K),
      row(["ADE20K", "ADE20K"], "32.4 33.5 30.2", .ade20k),
      row(["ADE20K", "COCO"], nil, .ade20kToCOCO),
      row(["COCO", "COCO"], "44.8 51.4 35.0", .coco),
    ],
    note: "The paper's numbers for transfer are not recoverable from the available text. It claims that architectures "
      + "transfer well.")

  private static func row(_ labels: [String], _ reported: String?, _ result: PaperResult? = nil) -> Row {
    let numbers = reported?.split(separator: " ").map { $0 == "-" ? nil : String($0) } ?? []
    return Row(labels: labels, reported: numbers, result: result)
  }
}

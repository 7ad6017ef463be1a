import Determinism
import Pipelines
import Reports
import Search

/// Search policies on planted landscapes of several kinds, compared: which one wins where, and where the paper's table 5
/// comes out as printed (method 15.4).
struct CompareLandscapesStage: Stage {
  struct Parameters: StageParameters {
    /// Numbers of evaluations of table 5.
    var pathPriority = 60
    var evolution = 1000
    var random = 300
    init() {}
  }

  static let name = "compare-landscapes"
  static let version = 1
  static let summary = "compares search policies on planted landscapes, and says where table 5 comes out"
  static let inputs = [InputPort("courses", "json", list: true)]
  static let outputs = [OutputPort("summary", "json"), OutputPort("tables", "tree"), OutputPort("figures", "tree")]
  static let highlights = [
    Highlight("% in the order of table 5", of: "summary", at: "ordered", scale: 100),
    Highlight("% as printed", of: "summary", at: "printed", scale: 100),
    Highlight("% in the order of tables 3 and 5", of: "summary", at: "all-ordered", scale: 100),
  ]

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try require(parameters.pathPriority, in: counts, "pathPriority")
    try require(parameters.evolution, in: counts, "evolution")
    try require(parameters.random, in: counts, "random")
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let courses = try context.inputs("courses").map { input in
      let courses = try input.decoded(as: LandscapeCourses.self)
      try courses.check(place: input.path)
      return courses
    }
    guard !courses.isEmpty else { throw StageInputError(description: "'courses' is empty") }
    guard Set(courses.map(\.landscape)).count == courses.count else {
      throw StageInputError(description: "'courses' has landscapes of one kind twice")
    }
    let summary = try LandscapeSummary(courses, parameters)
    try context.write("summary", json: summary)
    try context.write("tables") { folder in
      for (name, table) in summary.tables {
        for (format, suffix) in [(ComparisonFormat.text, "txt"), (.csv, "csv"), (.markdown, "md")] {
          try FileIO.write(Array(table.rendered(as: format).utf8), to: "\(folder)/\(name).\(suffix)")
        }
      }
    }
    try context.write("figures") { folder in
      for (name, svg) in summary.figures { try FileIO.write(Array(svg.utf8), to: "\(folder)/\(name).svg") }
    }
  }
}

extension LandscapeSummary {
  /// - Throws: `StageInputError` where a policy was not judged after the numbers of evaluations that are compared.
  init(_ courses: [LandscapeCourses], _ parameters: CompareLandscapesStage.Parameters) throws {
    let kinds = try courses.map { try Kind($0, parameters) }
    func mean(_ part: KeyPath<Kind, Double>) -> Double {
      kinds.reduce(0) { $0 + $1[keyPath: part] } / Double(kinds.count)
    }
    func share(_ part: KeyPath<Kind, Double>, _ isOwn: (Kind) -> Bool) -> Double? {
      let all = kinds.reduce(0) { $0 + $1[keyPath: part] }
      return all > 0 ? kinds.reduce(0) { isOwn($1) ? $0 + $1[keyPath: part] : $0 } / all : nil
    }
    let shares = LandscapeSummary.factors.flatMap { factor, value in
      var seen = [String]()
      for kind in kinds where !seen.contains(value(kind.landscape)) { seen.append(value(kind.landscape)) }
      return seen.map { name in
        FactorShare(
          factor: factor, value: name, printed: share(\.paper.printed) { value($0.landscape) == name },
          allOrdered: share(\.table5.allOrdered) { value($0.landscape) == name })
      }
    }
    self.init(
      kinds: kinds, ordered: mean(\.paper.ordered), printed: mean(\.paper.printed),
      allOrdered: mean(\.table5.allOrdered), likelihood: shares)
  }

  private static let factors: [(String, @Sendable (LandscapeDescription) -> String)] = [
    ("effects", { $0.effects.rawValue }), ("epistasis", { $0.epistasis.text(digits: 2) }),
    ("noise", { $0.noise.text(digits: 2) }),
  ]
}

extension LandscapeSummary.Kind {
  fileprivate init(_ courses: LandscapeCourses, _ parameters: CompareLandscapesStage.Parameters) throws {
    func regrets(_ policy: String, _ evaluations: Int) throws -> [Double] {
      guard let found = courses.regrets(policy, evaluations) else {
        throw StageInputError(
          description:
            "'courses' does not say what '\(policy)' finds after \(evaluations) evaluations; add \(evaluations) to "
            + "'evaluations' of the stages that search")
      }
      return found
    }
    let numbers = (parameters.pathPriority, parameters.evolution, parameters.random)
    let own = try regrets("path-priority", numbers.0)
    let reach = MeanInterval.reach(of: own.count)
    landscape = courses.landscape
    landscapes = own.count
    policies = courses.courses.map { course in
      LandscapeSummary.Policy(
        policy: course.policy, evaluations: course.evaluations,
        regret: course.regret.map { MeanInterval($0, reach: reach) },
        behind: zip(course.evaluations, course.regret).map { count, regret in
          guard course.policy != "path-priority", let base = courses.regrets("path-priority", count) else {
            return nil
          }
          return MeanInterval(zip(regret, base).map { $0 - $1 }, reach: reach)
        })
    }
    paper = PolicyOrder(
      evaluations: [numbers.0, numbers.1, numbers.2],
      regrets: [own, try regrets("evolution", numbers.1), try regrets("random", numbers.2)], reach: reach)
    equal = PolicyOrder(
      evaluations: [numbers.0, numbers.0, numbers.0],
      regrets: [own, try regrets("evolution-small", numbers.0), try regrets("random", numbers.0)], reach: reach)
    table5 = PrintedPlace(
      regrets: [
        try regrets("best-of-five", 5), try regrets("random", numbers.2), try regrets("evolution", numbers.1), own,
      ])
  }
}

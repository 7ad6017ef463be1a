import Markup

/// A part of a report, with a heading of its own.
public struct ReportSection: Sendable {
  /// Where it stands; those of one place in the order in which they are given.
  public enum Place: Int, Sendable {
    case results, graph, metrics, curves, figures, model, parameters, stages, data, audit, check, execution
  }

  public var place: Place
  /// Unique in the report: letters, digits and hyphens.
  public var id: String
  public var title: String
  public var content: [MarkupNode]

  public init(_ place: Place, id: String, title: String, _ content: [MarkupNode]) {
    (self.place, self.id, self.title, self.content) = (place, id, title, content)
  }
}

/// Makes sections from what it knows of certain stages, such as the numbers that a paper reports.
public protocol ReportSectionProvider: Sendable {
  func sections(of subject: ReportSubject) throws -> [ReportSection]
}

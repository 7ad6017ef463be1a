import Determinism
import Markup
import PipelineModel
import PipelineRunner
import Provenance

/// One file that shows what a pipeline gave and where that came from: HTML that needs no network, no script and no other
/// file.
///
/// Equal stores give equal files, bit for bit, except for the block "This execution", which `isReproducible` leaves out.
/// Whatever comes from the store is text, escaped where it is written, or a picture of bounded size.
public struct Report {
  let subject: ReportSubject
  let options: ReportOptions
  let providers: [any ReportSectionProvider]

  public init(_ subject: ReportSubject, options: ReportOptions, providers: [any ReportSectionProvider] = []) {
    (self.subject, self.options, self.providers) = (subject, options, providers)
  }

  /// The file's text.
  public func html() throws -> String {
    let page = ReportPage(
      title: subject.plan.pipeline, head: OverviewSection(subject: subject, options: options).nodes,
      sections: try sections(), program: options.program)
    return page.text
  }

  func sections() throws -> [ReportSection] {
    var sections = [ReportSection]()
    sections.append(GraphSection(subject: subject).section)
    sections += MetricsSection(subject: subject).sections
    sections += CurvesSection(subject: subject).sections
    sections += FiguresSection(subject: subject, limit: options.pictureLimit).sections
    sections.append(ParametersSection(subject: subject, options: options).section)
    sections.append(StagesSection(subject: subject).section)
    sections.append(DataSection(subject: subject).section)
    sections += EnvironmentsSection(subject: subject).sections
    sections.append(AuditSection(subject: subject, options: options).section)
    sections.append(CheckSection(subject: subject, options: options).section)
    if !options.isReproducible { sections.append(ExecutionSection(subject: subject).section) }
    for provider in providers { sections += try provider.sections(of: subject) }
    return sections.enumerated().sorted {
      ($0.element.place.rawValue, $0.offset) < ($1.element.place.rawValue, $1.offset)
    }.map(\.element)
  }
}

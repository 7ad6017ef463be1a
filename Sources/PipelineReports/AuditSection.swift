import Determinism
import Markup
import Provenance

/// Whether what the store holds is what was recorded.
struct AuditSection {
  let subject: ReportSubject
  let options: ReportOptions

  private static let mostFindings = 100

  var section: ReportSection { ReportSection(.audit, id: "audit", title: "Audit", nodes) }

  private var nodes: [MarkupNode] {
    guard let audit = options.audit else {
      let command = options.command("audit")
      return [
        HTML.paragraph([HTML.badge("not made", "open"), " This report was made without an audit. It is made by"]),
        HTML.block(command, label: "Command"),
      ]
    }
    // That stages have no results is said at the top.
    let findings = audit.findings.filter { $0.isProblem && !$0.path.hasSameBytes(as: subject.plan.pipeline) }
    let (records, objects) = (AuditSection.count(audit.records, "record"), AuditSection.count(audit.objects, "object"))
    let checked = "\(records) and \(objects) behind this pipeline were read"
    guard !findings.isEmpty else {
      let text =
        " \(checked): every object has the SHA-256 it was stored with, every record is as it was written, "
        + "and every input was made by a record."
      return [HTML.paragraph([HTML.badge("sound", "good"), HTML.text(text)])]
    }
    var table = DataTable("Findings", columns: [.init("finding"), .init("file"), .init("what is wrong")])
    for finding in findings.prefix(AuditSection.mostFindings) {
      table.add([finding.kind.rawValue, subject.impersonal(finding.path), subject.impersonal(finding.message)])
    }
    table.omitted = max(0, findings.count - AuditSection.mostFindings)
    let count = AuditSection.count(findings.count, "problem")
    return [HTML.paragraph([HTML.badge(count, "bad"), HTML.text(" \(checked).")]), table.node]
  }

  private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}

import Determinism
import Pipelines
import Slurm

/// Jobs of a cluster as text.
enum JobPrinter {
  /// More lines hide the stages above them.
  private static let limit = 20

  static func print(_ list: JobList) {
    if !list.complaint.isEmpty { Output.line("Slurm does not say how jobs are: \(list.complaint)") }
    guard !list.jobs.isEmpty else { return }
    let counts = Dictionary(grouping: list.jobs) { $0.state ?? "unknown" }.map { "\($0.value.count) \($0.key)" }
    Output.line("jobs: \(counts.sorted().joined(separator: ", "))")
    let width = Units.width(list.jobs.map { $0.id ?? "?" })
    // Running ones first, since they have something to tell.
    let order = list.jobs.enumerated().sorted { a, b in
      let (x, y) = (a.element.state == "RUNNING" ? 0 : 1, b.element.state == "RUNNING" ? 0 : 1)
      return (x, a.offset) < (y, b.offset)
    }.map(\.element)
    for job in order.prefix(limit) {
      Output.line("  \(Units.pad(job.id ?? "?", width))  \(text(job))")
    }
    if list.jobs.count > limit { Output.line("  ... and \(list.jobs.count - limit) more") }
  }

  private static func text(_ job: JobList.Job) -> String {
    var parts = [job.stages.count == 1 ? job.stages[0] : "\(job.stages[0]) and \(job.stages.count - 1) more"]
    if let state = job.state { parts.append(state) }
    if let reason = job.reason, !reason.isEmpty, reason != "None" { parts.append(reason) }
    if job.state == "RUNNING", let node = job.node { parts.append("on \(node)") }
    if let position = job.position, position.of > 0, job.state == nil || job.state == "RUNNING" {
      parts.append("\(position.stage) \(position.step)/\(position.of) \(position.unit) \(position.detail)")
    }
    return parts.joined(separator: "  ") + "  \(job.log)"
  }
}

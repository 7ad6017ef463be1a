import ArtifactStore
import Determinism
import PipelineModel

extension RunComparison {
  /// A row for each run. Of a fanned-out stage it has the least, the mean and the largest number of all instances.
  package static func ofRuns(_ runs: [MeasuredRun]) throws -> RunComparison {
    let changed = changedStages(runs)
    return RunComparison(rows: try runs.map { try row(of: $0, changed: changed) })
  }

  /// - Parameter changed: stages whose parameters are looked at.
  private static func row(of run: MeasuredRun, changed: Set<String>) throws -> Row {
    var records = [Digest: Record]()
    var row = Row(title: run.title, run: run.run.id, parameters: try run.ownParameters(&records), metrics: [:])
    var instances = [String: [CanonicalValue]]()
    var described = Set<String>()
    for (name, key) in run.keys.sorted(by: { ($0.key.utf8.count, $0.key) < ($1.key.utf8.count, $1.key) }) {
      let stage = MeasuredRun.stage(ofInstance: name)
      // Records of trainings are large: most need no look.
      guard let entry = run.entry(key) else { continue }
      let (isNew, measures) = (changed.contains(stage) && !described.contains(stage), run.measures(entry))
      guard isNew || measures, let record = try run.record(key, &records) else { continue }
      if isNew {
        described.insert(stage)
        for (parameter, value) in record.settings where row.parameters[parameter] != value || parameter != "seed" {
          row.parameters["\(stage).\(parameter)"] = value
        }
      }
      guard measures else { continue }
      for (metric, value) in try record.metrics(in: run.store) {
        if stage.utf8.count < name.utf8.count {
          instances["\(stage).\(metric)", default: []].append(value)
        } else {
          row.metrics["\(stage).\(metric)"] = value
        }
      }
    }
    for (metric, values) in instances {
      let numbers = values.compactMap(\.numberValue)
      guard let least = numbers.min(), let most = numbers.max(), let mean = MetricSummary(values).mean else { continue }
      row.metrics["\(metric) least"] = .measure(least)
      row.metrics["\(metric) mean"] = .measure(mean)
      row.metrics["\(metric) most"] = .measure(most)
    }
    return row
  }

  /// Stages of which some run has an instance that another run has not.
  private static func changedStages(_ runs: [MeasuredRun]) -> Set<String> {
    guard var shared = runs.first.map({ Set($0.keys.values) }), runs.count > 1 else { return [] }
    for run in runs.dropFirst() { shared.formIntersection(run.keys.values) }
    return Set(
      runs.flatMap { run in
        run.keys.filter { !shared.contains($0.value) }.map { MeasuredRun.stage(ofInstance: $0.key) }
      })
  }

  /// A row for each element of each run: what the instances of that element measured.
  /// - Parameter whole: rows of the runs themselves, whose parameters hold for all their elements.
  package static func ofElements(_ runs: [MeasuredRun], _ whole: RunComparison) throws -> RunComparison {
    var rows = [Row]()
    for (run, whole) in zip(runs, whole.rows) {
      var reader = ElementReader(run)
      let own = whole.parameters
      var byElement = [[String: CanonicalValue]: Row]()
      for (name, key) in run.keys.sorted(by: { $0.key < $1.key }) {
        guard let entry = run.entry(key), run.measures(entry), let record = try run.record(key, &reader.records) else {
          continue
        }
        let element = try reader.element(of: name)
        guard !element.isEmpty else { continue }
        let stage = MeasuredRun.stage(ofInstance: name)
        let title = element.keys.sortedByBytes().map { "\($0)=\(MetricSummary.text(element[$0]!))" }
        var row =
          byElement[element]
          ?? Row(
            title: title.joined(separator: ", "), run: run.run.id,
            parameters: own.merging(element) { _, inner in inner }, metrics: [:])
        for (metric, value) in try record.metrics(in: run.store) { row.metrics["\(stage).\(metric)"] = value }
        byElement[element] = row
      }
      rows += byElement.values.sorted { $0.title.precedesInBytes($1.title) }
    }
    return RunComparison(rows: rows)
  }
}

/// Finds the element of an array that an instance is for: its own input, or that of what it was made from.
struct ElementReader {
  let run: MeasuredRun
  var records: [Digest: Record] = [:]
  /// Instances that made an artifact: equal results of several are one artifact.
  private var makers: [Digest: [String]] = [:]
  private var known: [String: [String: CanonicalValue]] = [:]

  init(_ run: MeasuredRun) {
    self.run = run
    for (name, key) in run.keys.sorted(by: { $0.key < $1.key }) {
      for artifact in run.entry(key)?.outputs.values.map({ $0 }) ?? [] {
        makers[artifact.digest, default: []].append(name)
      }
    }
  }

  /// Members of an element that is an object, else the element under the name of its input.
  mutating func element(of name: String) throws -> [String: CanonicalValue] {
    if let known = known[name] { return known }
    let named = ElementReader.values(inName: name)
    known[name] = named
    if !named.isEmpty { return named }
    guard let key = run.keys[name], let record = try run.record(key, &records) else { return [:] }
    var found = [String: CanonicalValue]()
    for (port, input) in record.identity.inputs.sorted(by: { $0.key < $1.key }) {
      guard case .single(let digest) = input else { continue }
      if let origin = record.elements[port] {
        found.merge(try members(digest, origin, port)) { old, _ in old }
      } else if let maker = maker(of: digest, for: name) {
        found.merge(try element(of: maker)) { own, _ in own }
      }
    }
    known[name] = found
    return found
  }

  /// Of an instance of a matrix, `train[seed=2,rate=0.1]`: what its name says.
  static func values(inName name: String) -> [String: CanonicalValue] {
    guard let open = name.utf8.firstIndex(of: UInt8(ascii: "[")), name.utf8.last == UInt8(ascii: "]") else {
      return [:]
    }
    var values = [String: CanonicalValue]()
    for part in name[name.utf8.index(after: open)...].dropLast().splitBytes(at: UInt8(ascii: ",")) {
      let words = part.splitBytes(at: UInt8(ascii: "="))
      guard words.count == 2 else { continue }
      values[words[0]] = (try? CanonicalValue(json: Array(words[1].utf8))) ?? .string(words[1])
    }
    return values
  }

  private func members(
    _ digest: Digest, _ origin: Record.Element, _ port: String
  ) throws -> [String: CanonicalValue] {
    guard origin.kind == JSONFormat.name else { return [port: .string(digest.short)] }
    let value = try run.store.value(of: Artifact(kind: origin.kind, digest: digest))
    return value.objectValue ?? [port: value]
  }

  /// Of several instances with equal results the one of the same element, by its number.
  private func maker(of digest: Digest, for name: String) -> String? {
    let candidates = (makers[digest] ?? []).filter { $0 != name }
    let number = name.utf8.firstIndex(of: UInt8(ascii: "[")).map { name[$0...] } ?? ""
    return candidates.first { !number.isEmpty && $0.hasSuffix(number) } ?? candidates.first
  }
}

import Determinism
import PipelineModel

/// Compares what a virtual environment holds with the lock file beside it. What is installed counts: a lock file that
/// says something else is worth a notice.
enum LockFile {
  static func notices(_ environment: ResolvedEnvironment, _ host: StageHost) -> [String] {
    guard case .venv(_, let lock?) = environment.description.origin else { return [] }
    let name = environment.description.name
    guard let bytes = try? Files.read(lock, limit: 1 << 26) else {
      return ["environment '\(name)': its lock file \(lock) can't be read"]
    }
    let packages = environment.contents["packages"]?.objectValue ?? [:]
    let pinned = lock.hasSuffix(".lock") ? versionsOfUv(bytes) : versionsOfPip(bytes)
    let wrong = pinned.sorted { $0.key.precedesInBytes($1.key) }.compactMap { package, version -> String? in
      // A lock file may name packages of other systems.
      guard let installed = packages[package]?["version"]?.stringValue, installed != version else { return nil }
      return "\(package) is \(installed), not \(version)"
    }
    guard !wrong.isEmpty else { return [] }
    let shown = wrong.prefix(3).joined(separator: "; ") + (wrong.count > 3 ? "; and \(wrong.count - 3) more" : "")
    return [
      "environment '\(name)' is not as \(RelativePath.name(lock)) says: \(shown). What is installed is used, and is in the key"
    ]
  }

  /// Lines such as `scipy==1.15.0`.
  private static func versionsOfPip(_ bytes: [UInt8]) -> [String: String] {
    var out = [String: String]()
    for line in TextLines.split(bytes) {
      let text = String(decoding: line, as: UTF8.self).prefix { $0 != ";" && $0 != "#" && $0 != " " && $0 != "\\" }
      guard let range = text.firstRange(of: "=="), !text.hasPrefix("-") else { continue }
      let name = text[..<range.lowerBound].prefix { $0 != "[" }
      out[PythonPackages.normalised(String(name))] = String(text[range.upperBound...])
    }
    return out
  }

  /// Of `[[package]]` the lines `name = "scipy"` and `version = "1.15.0"`.
  private static func versionsOfUv(_ bytes: [UInt8]) -> [String: String] {
    var out = [String: String]()
    var name: String?
    func value(_ key: String, _ line: String) -> String? {
      guard line.hasPrefix("\(key) = \""), line.hasSuffix("\"") else { return nil }
      return String(line.dropFirst(key.count + 4).dropLast())
    }
    for line in TextLines.split(bytes).map({ String(decoding: $0, as: UTF8.self) }) {
      if line == "[[package]]" { name = nil }
      if let found = value("name", line) { name = found }
      if let name, let version = value("version", line) { out[PythonPackages.normalised(name)] = version }
    }
    return out
  }
}

extension EnvironmentDescription.Origin {
  var hasLock: Bool { if case .venv(_, .some) = self { true } else { false } }
}

import Determinism

/// What differs between the contents of two environments, in a form that people read.
package enum EnvironmentDifference {
  /// `scikit-learn 1.9.1 -> 1.7.2; scipy added (1.15.0)`.
  /// - Parameter most: changes named at most.
  package static func text(from old: CanonicalValue, to new: CanonicalValue, most: Int = 6) -> String {
    var all = [String]()
    let (before, after) = (old["interpreter"]?["version"]?.stringValue, new["interpreter"]?["version"]?.stringValue)
    if before != after {
      all.append("Python \(before ?? "none") -> \(after ?? "none")")
    } else if old["interpreter"] != new["interpreter"] {
      all.append("another interpreter of version \(after ?? "unknown")")
    }
    all += packages(old["packages"]?.objectValue ?? [:], new["packages"]?.objectValue ?? [:])
    let (oldVariables, newVariables) = (old["variables"]?.objectValue ?? [:], new["variables"]?.objectValue ?? [:])
    for name in Set(oldVariables.keys).union(newVariables.keys).sortedByBytes()
    where oldVariables[name] != newVariables[name] {
      let (was, now) = (oldVariables[name]?.stringValue ?? "unset", newVariables[name]?.stringValue ?? "unset")
      all.append("\(name) \(was) -> \(now)")
    }
    let named: Set = ["interpreter", "packages", "variables"]
    let (a, b) = (old.objectValue ?? [:], new.objectValue ?? [:])
    for name in Set(a.keys).union(b.keys).subtracting(named).sortedByBytes() where a[name] != b[name] {
      all.append(name == "kind" ? "another kind of environment" : "\(name.replacing("-", with: " ")) changed")
    }
    let shown = all.prefix(most).joined(separator: "; ")
    return all.count > most ? "\(shown); and \(all.count - most) more" : shown
  }

  private static func packages(_ old: [String: CanonicalValue], _ new: [String: CanonicalValue]) -> [String] {
    Set(old.keys).union(new.keys).sortedByBytes().compactMap { name in
      guard old[name] != new[name] else { return nil }
      let (was, now) = (old[name]?["version"]?.stringValue, new[name]?["version"]?.stringValue)
      return switch (was, now) {
      case (nil, let now?): "\(name) \(now) added"
      case (let was?, nil): "\(name) \(was) removed"
      case (let was?, let now?) where was != now: "\(name) \(was) -> \(now)"
      default: "\(name) \(now ?? ""): its files were changed"
      }
    }
  }
}

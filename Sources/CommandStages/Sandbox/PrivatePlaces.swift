import Determinism
import Foundation
import Glibc
import PipelineModel

/// Folders of people that a pipeline file may not have shown to its commands unless somebody allows it: the file may be
/// somebody else's.
enum PrivatePlaces {
  /// Names folders that are allowed, with colons between them.
  static let variable = "AUTOPANOPTIC_ALLOW"

  /// - Parameters:
  ///   - folder: an absolute path.
  ///   - checkout: what lies there belongs to the pipeline.
  /// - Returns: why it is refused, and what to do; nil where it may be shown.
  static func refusal(_ folder: String, checkout: [String]) -> String? {
    let end = PathTrail(folder)?.end ?? folder
    let (homes, checkout) = (homes.map(real), checkout.map(real))
    let holdsMore = (homes + checkout + ["/usr", "/etc", "/var", "/tmp"]).contains { RelativePath.contains(end, $0) }
    let isPrivate = isBelow(homes, end) && !isBelow(checkout, end)
    if holdsMore { return "\(folder) holds more than what belongs together: name a folder in it" }
    let allowed = (ProcessInfo.processInfo.environment[variable] ?? "").splitBytes(at: UInt8(ascii: ":"))
    guard isPrivate, !isBelow(allowed.filter { $0.utf8.first == UInt8(ascii: "/") }.map(real), end) else { return nil }
    return
      "\(folder) is in a home, and outside of the pipeline's own folder. A pipeline file may be somebody else's, so its "
      + "commands see such a folder only where you allow it: \(variable)=\(end)"
  }

  private static func real(_ path: String) -> String { PathTrail(path)?.end ?? path }

  private static func isBelow(_ places: [String], _ path: String) -> Bool {
    places.contains { RelativePath.contains($0, path) }
  }

  private static let homes: [String] = {
    var homes = ["/home", "/root"]
    if let home = getenv("HOME").map({ String(cString: $0) }), home.utf8.count > 1 { homes.append(home) }
    if let home = getpwuid(getuid())?.pointee.pw_dir { homes.append(String(cString: home)) }
    return homes
  }()
}

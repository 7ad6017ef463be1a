import Determinism
import PipelineModel

extension ResolvedEnvironment {
  /// The path on this machine of a program of the environment: by its name, or by its own path; nil where it is none.
  func program(_ name: String) -> String? {
    guard root == nil else { return nil }
    if name.utf8.first == UInt8(ascii: "/") {
      let isInside = mounts.contains { RelativePath.contains($0.source, name) }
      return isInside && ToolFinder(searchPath: "").find(name) != nil ? name : nil
    }
    return ToolFinder(searchPath: programFolders.joined(separator: ":")).find(name)
  }

  /// Its folders with programs, as a sandbox shows them.
  var placesOfPrograms: [String] { programFolders.map(place(of:)) }
}

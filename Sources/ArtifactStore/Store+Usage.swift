import Determinism
import PipelineModel

/// The disk usage of a store.
public struct StoreUsage: Sendable, Equatable {
  public var objects = 0
  public var bytes = 0
}

extension Store {
  /// Counts the objects and their bytes; records, journals and checkpoints are left out.
  public func usage() throws -> StoreUsage {
    var usage = StoreUsage()
    for folder in try Files.list(path + "/objects") {
      for name in try Files.list("\(path)/objects/\(folder)") where !name.hasSuffix(".sha256") {
        usage.objects += 1
        usage.bytes = usage.bytes.addingSaturated(try objectSize("\(path)/objects/\(folder)/\(name)"))
      }
    }
    return usage
  }

  /// Bytes of an object: of a stored tree those of its files, as its manifest tells.
  package func objectSize(_ path: String) throws -> Int {
    let status = try Files.status(path)
    guard status.isFolder else { return status.size }
    return (try? TreeFormat.manifest(of: path).totalSize) ?? 0
  }
}

import Glibc
import PipelineModel

/// A folder held open, in which names are looked up without walking the path to it: a plan of ten thousand cached
/// stages looks up thirty thousand files.
final class OpenFolder: Sendable {
  private let path: String
  /// Negative where the folder was not there.
  private let descriptor: Int32

  init(_ path: String) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Whether something of this name, relative to the folder, is there.
  func holds(_ name: String) -> Bool {
    // The folder may have been made, or replaced, since it was opened.
    descriptor >= 0 && faccessat(descriptor, name, F_OK, 0) == 0 || Files.exists("\(path)/\(name)")
  }
}

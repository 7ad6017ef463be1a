import Determinism
import Glibc
import PipelineModel

/// What a program needs beside its file, as a sandbox has to show it.
///
/// Programs in the system's folders have all of these. Of any other program that is
/// 1. below `/opt` its package, `/opt/NAME`;
/// 2. in `PREFIX/bin` (or `sbin`, `libexec`) with a `lib`, `lib64` or `libexec` beside it, `PREFIX`; where its name
///    begins
///    with a dot, as `~/.local`, only the folders with programs and libraries in it;
/// 3. else its file alone.
/// A folder that holds the checkout, the store or a home, or lies in a checkout or store, is never shown: then 3 holds.
/// The same is done for the interpreter that the first line of a script names.
struct Installation {
  /// Links outside of the system's folders that lead to programs.
  private(set) var links: [(place: String, target: String)] = []
  /// Folders and files.
  private(set) var shown: [String] = []

  /// - Parameters:
  ///   - programs: absolute paths.
  ///   - hidden: folders that must not be shown, at every place they are seen at.
  init(of programs: [String], hidden: [String]) {
    let hidden = Hidden(folders: hidden)
    for program in programs { add(program, hidden, depth: 0) }
    for file in programs.compactMap({ PathTrail($0)?.end }) where !isShown(file) { shown.append(file) }
    shown.sort { $0.precedesInBytes($1) }
    links = links.filter { !isShown($0.place) }
  }

  /// Of what is shown, the folders.
  var folders: [String] { shown.filter(Installation.isFolder) }

  private func isShown(_ path: String) -> Bool {
    (SystemFolders.all + shown).contains { RelativePath.contains($0, path) }
  }

  private mutating func add(_ program: String, _ hidden: Hidden, depth: Int) {
    guard depth < 3, let trail = PathTrail(program) else { return }
    for link in trail.links where !SystemFolders.contain(link.place) {
      if !links.contains(where: { $0.place.hasSameBytes(as: link.place) }) { links.append(link) }
      show(Installation.folders(of: link.place, hidden))
    }
    guard !SystemFolders.contain(trail.end) else { return }
    show(Installation.folders(of: trail.end, hidden))
    if let interpreter = Installation.interpreter(of: trail.end) {
      add(interpreter, hidden, depth: depth + 1)
      if let end = PathTrail(interpreter)?.end, !isShown(end) { shown.append(end) }
    }
  }

  private mutating func show(_ folders: [String]) {
    for folder in folders where !isShown(folder) {
      shown.removeAll { RelativePath.contains(folder, $0) }
      shown.append(folder)
    }
  }

  private static let programFolders = ["bin", "sbin", "libexec"]
  private static let libraryFolders = ["lib", "lib32", "lib64", "libexec"]

  /// The folders that a file's installation consists of; none where it is no installation, or must not be shown.
  private static func folders(of file: String, _ hidden: Hidden) -> [String] {
    let parts = file.splitBytes(at: UInt8(ascii: "/")).dropFirst()
    if parts.count >= 3, parts.first!.hasSameBytes(as: "opt") {
      let package = "/opt/" + parts.dropFirst().first!
      return hidden.allow(package) ? [package] : []
    }
    guard let folder = RelativePath.parent(file), let prefix = RelativePath.parent(folder),
      programFolders.contains(where: { $0.hasSameBytes(as: RelativePath.name(folder)) }),
      parts.count >= 4, hidden.allow(prefix)
    else { return [] }
    let libraries = libraryFolders.map { "\(prefix)/\($0)" }.filter { isFolder($0) }
    if libraries.isEmpty { return [] }
    guard RelativePath.name(prefix).utf8.first == UInt8(ascii: ".") else { return [prefix] }
    let programs = programFolders.prefix(2).map { "\(prefix)/\($0)" }.filter { isFolder($0) }
    let mark = "\(prefix)/pyvenv.cfg"
    return programs + libraries + (access(mark, F_OK) == 0 ? [mark] : [])
  }

  private static func isFolder(_ path: String) -> Bool {
    var s = stat()
    return lstat(path, &s) == 0 && s.st_mode & S_IFMT == S_IFDIR
  }

  /// The program that the first line of a script names: `#!/path arguments`.
  private static func interpreter(of file: String) -> String? {
    guard let head = try? Files.head(of: file, bytes: 256), head.starts(with: Array("#!".utf8)) else { return nil }
    let line = head.dropFirst(2).prefix { $0 != 0x0A }.drop { $0 == 0x20 || $0 == 0x09 }
    let word = line.prefix { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }
    guard word.first == UInt8(ascii: "/"), !word.contains(0) else { return nil }
    return String(validating: word, as: UTF8.self)
  }

  private struct Hidden {
    let folders: [String]
    /// Folders that belong to everybody, and homes.
    private static let common: [String] = {
      var common = ["/", "/boot", "/dev", "/etc", "/home", "/mnt", "/opt", "/proc", "/root", "/run", "/srv", "/sys"]
      common += ["/tmp", "/usr", "/var", "/var/tmp"]
      if let home = getenv("HOME").map({ String(cString: $0) }), !home.isEmpty { common.append(home) }
      if let home = getpwuid(getuid())?.pointee.pw_dir { common.append(String(cString: home)) }
      return common.flatMap { [$0, PathTrail($0)?.end ?? $0] }
    }()

    func allow(_ folder: String) -> Bool {
      !Self.common.contains { RelativePath.contains(folder, $0) }
        && !["/etc", "/proc", "/sys", "/dev/pts"].contains { RelativePath.contains($0, folder) }
        && !folders.contains { RelativePath.contains(folder, $0) || RelativePath.contains($0, folder) }
    }
  }
}

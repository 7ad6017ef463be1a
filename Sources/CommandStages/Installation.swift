import Determinism
import Glibc
import PipelineModel

/// How a path is found: the links on its way, and where it ends.
struct Trail {
  var links: [(place: String, target: String)] = []
  /// Absolute, without links.
  var end: String

  /// - Returns: nil where nothing is there, or links lead in a circle.
  init?(_ path: String) {
    var rest = Array(path.splitBytes(at: UInt8(ascii: "/")).reversed())
    end = ""
    while let name = rest.popLast() {
      if name.isEmpty || name.hasSameBytes(as: ".") { continue }
      if name.hasSameBytes(as: "..") {
        end = RelativePath.parent(end) ?? ""
        if end.hasSameBytes(as: "/") { end = "" }
        continue
      }
      let place = "\(end)/\(name)"
      guard let target = Trail.target(of: place) else {
        guard Glibc.access(place, F_OK) == 0 else { return nil }
        end = place
        continue
      }
      links.append((place, target))
      guard links.count <= 40 else { return nil }
      if target.utf8.first == UInt8(ascii: "/") { end = "" }
      rest += target.splitBytes(at: UInt8(ascii: "/")).reversed()
    }
    if end.isEmpty { end = "/" }
  }

  /// What a symbolic link says; nil for anything else.
  private static func target(of path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let n = buffer.withUnsafeMutableBytes {
      readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    guard n > 0 else { return nil }
    return String(validating: buffer[..<n], as: UTF8.self)
  }
}

/// What a program needs beside its file, as a sandbox has to show it.
///
/// Programs in the system's folders have all of these. Of any other program that is
/// 1. below `/opt` its package, `/opt/NAME`;
/// 2. in `PREFIX/bin` (or `sbin`, `libexec`) with a `lib`, `lib64` or `libexec` beside it, `PREFIX`; where its name begins
///    with a dot, as `~/.local`, only the folders with programs and libraries in it;
/// 3. else its file alone.
/// A folder that holds the checkout, the store or a home, or lies in a checkout or store, is never shown: then 3 holds. The
/// same is done for the interpreter that the first line of a script names.
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
    for file in programs.compactMap({ Trail($0)?.end }) where !isShown(file) { shown.append(file) }
    shown.sort { $0.precedesInBytes($1) }
    links = links.filter { !isShown($0.place) }
  }

  private func isShown(_ path: String) -> Bool {
    (SystemFolders.all + shown).contains { RelativePath.contains($0, path) }
  }

  private mutating func add(_ program: String, _ hidden: Hidden, depth: Int) {
    guard depth < 3, let trail = Trail(program) else { return }
    for link in trail.links where !SystemFolders.contain(link.place) {
      if !links.contains(where: { $0.place.hasSameBytes(as: link.place) }) { links.append(link) }
      show(Installation.folders(of: link.place, hidden))
    }
    guard !SystemFolders.contain(trail.end) else { return }
    show(Installation.folders(of: trail.end, hidden))
    if let interpreter = Installation.interpreter(of: trail.end) {
      add(interpreter, hidden, depth: depth + 1)
      if let end = Trail(interpreter)?.end, !isShown(end) { shown.append(end) }
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
      return common.flatMap { [$0, Trail($0)?.end ?? $0] }
    }()

    func allow(_ folder: String) -> Bool {
      !Self.common.contains { RelativePath.contains(folder, $0) }
        && !["/etc", "/proc", "/sys", "/dev/pts"].contains { RelativePath.contains($0, folder) }
        && !folders.contains { RelativePath.contains(folder, $0) || RelativePath.contains($0, folder) }
    }
  }
}

/// Folders that hold the programs and libraries of the system, and nobody's files.
enum SystemFolders {
  enum Kind { case folder, link(String) }

  static let found: [(path: String, kind: Kind)] = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store",
  ].compactMap { path in
    var s = stat()
    guard lstat(path, &s) == 0 else { return nil }
    if s.st_mode & S_IFMT == S_IFDIR { return (path, .folder) }
    // On merged systems `/bin` is a link to `usr/bin`.
    guard s.st_mode & S_IFMT == S_IFLNK, let link = Trail(path)?.links.first else { return nil }
    return (path, .link(link.target))
  }

  static let all = found.map(\.path)

  /// What programs read below `/etc`, where it is there: no secrets, nothing of the user.
  static let settings: [String] = {
    let plain = [
      "alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "locale.alias", "localtime", "magic",
      "magic.mime", "matplotlibrc", "mime.types", "OpenCL", "papersize", "protocols", "R", "services", "texmf",
      "timezone",
    ]
    let families = ["ImageMagick", "java-", "octave"]
    let names = (try? Files.list("/etc")) ?? []
    return names.filter { name in
      plain.contains { $0.hasSameBytes(as: name) } || families.contains { name.startsWithBytes(of: $0) }
    }.map { "/etc/" + $0 }
  }()

  /// The small files among them, with what they hold: handing them over is cheaper than mounting them.
  static let smallSettings: [(path: String, bytes: [UInt8])] = settings.compactMap { path in
    guard let bytes = try? FileIO.read(path, limit: 1 << 17), !path.hasSameBytes(as: "/etc/ld.so.cache") else {
      return nil
    }
    return (path, bytes)
  }

  static func contain(_ path: String) -> Bool {
    (all + settings).contains { RelativePath.contains($0, path) }
  }
}

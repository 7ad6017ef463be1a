import Determinism
import Glibc

/// The folder that a command works in: empty but for its inputs.
struct WorkingFolder {
  let path: String
  /// Folders and files that the sandbox shows at places of the working folder, read-only.
  private(set) var bindings: [(source: String, place: String)] = []

  /// More mounts than these take longer than copies.
  private static let mostBindings = 64

  init(path: String) throws {
    self.path = path
    try Files.makeFolder(path)
  }

  /// Lays an input out at a place: an artifact as a file or folder, a list as a folder of them, numbered.
  /// - Parameter canBind: whether a sandbox can show files where they are; else they are copied.
  mutating func lay(
    _ artifacts: [InputArtifact], isList: Bool, at place: String, extensions: [String: String], canBind: Bool
  )
    throws
  {
    guard isList else { return try lay(artifacts[0], at: place, canBind: canBind) }
    try Files.makeFolder("\(path)/\(place)")
    let width = String(max(0, artifacts.count - 1)).count
    for (i, artifact) in artifacts.enumerated() {
      let number = String(repeating: "0", count: width - String(i).count) + String(i)
      let ending = extensions[artifact.kind].map { ".\($0)" } ?? ""
      try lay(
        artifact, at: "\(place)/\(number)\(ending)", canBind: canBind && artifacts.count <= WorkingFolder.mostBindings)
    }
  }

  private mutating func lay(_ artifact: InputArtifact, at place: String, canBind: Bool) throws {
    let target = "\(path)/\(place)"
    if let slash = target.lastIndex(of: "/") { try Files.makeFolder(String(target[..<slash])) }
    // A folder of the user may hold more than belongs to the artifact.
    if canBind, try artifact.files == nil || Set(Files.walk(artifact.path)) == Set(artifact.files!) {
      bindings.append((artifact.path, place))
      return
    }
    guard let files = artifact.files else { return try Files.copy(artifact.path, to: target) }
    try Files.makeFolder(target)
    for file in files {
      if let slash = file.lastIndex(of: "/") { try Files.makeFolder("\(target)/\(file[..<slash])") }
      try Files.copy("\(artifact.path)/\(file)", to: "\(target)/\(file)")
    }
  }

  /// Takes an output out of the folder.
  /// - Parameter destination: nothing is there yet.
  /// - Throws: `PipelineError` where it is not there, or is not what was declared; links are never followed.
  func take(_ output: Command.Output, to destination: String, stage: String) throws {
    func bad(_ why: String) -> PipelineError {
      PipelineError(.badStage, "'\(stage)': its output '\(output.name)', \(output.path), \(why)")
    }
    var walked = path
    for part in output.path.split(separator: "/") {
      walked += "/\(part)"
      guard let type = try Files.type(walked) else {
        throw bad("was not written; the command left \(try leftovers())")
      }
      if type == .link { throw bad("goes through a symbolic link") }
    }
    let isTree = output.kind == TreeFormat.name
    switch try Files.type(walked) {
    case .folder where isTree:
      if let odd = try Files.firstOddity(below: walked) { throw bad("holds \(odd): neither a file nor a folder") }
    case .file where !isTree: break
    case .folder: throw bad("is a folder; declare it as '\(output.path)/'")
    default: throw bad(isTree ? "is not a folder" : "is not a file")
    }
    try Files.rename(walked, to: destination)
  }

  /// What was written, in a few words.
  private func leftovers() throws -> String {
    let names = try Files.list(path).filter { name in
      !bindings.contains { $0.place == name || $0.place.hasPrefix(name + "/") }
    }
    if names.isEmpty { return "nothing" }
    return names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ..." : "")
  }
}

extension Files {
  enum FileType: Equatable { case file, folder, link, other }

  /// What lies at a path itself, links not followed; nil for nothing.
  static func type(_ path: String) throws -> FileType? {
    var s = stat()
    guard lstat(path, &s) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw failure("read", path)
    }
    return switch s.st_mode & S_IFMT {
    case S_IFREG: .file
    case S_IFDIR: .folder
    case S_IFLNK: .link
    default: .other
    }
  }

  /// The first thing below a folder that is neither a file nor a folder, by relative path.
  static func firstOddity(below root: String, _ prefix: String = "") throws -> String? {
    for name in try list(root + prefix) {
      let path = "\(prefix)/\(name)"
      switch try type(root + path) {
      case .folder: if let odd = try firstOddity(below: root, path) { return odd }
      case .file, nil: break
      case .link, .other: return String(path.dropFirst())
      }
    }
    return nil
  }

  /// Copies a file, read-only, executable if it was; where the file system can, without moving the bytes.
  static func copy(_ from: String, to: String) throws {
    let source = open(from, O_RDONLY | O_CLOEXEC)
    guard source >= 0 else { throw failure("read", from) }
    defer { close(source) }
    var s = stat()
    guard fstat(source, &s) == 0 else { throw failure("read", from) }
    let target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, s.st_mode & S_IXUSR != 0 ? 0o555 : 0o444)
    guard target >= 0 else { throw failure("write", to) }
    defer { close(target) }
    // FICLONE of linux/fs.h, a macro that Swift doesn't see: both share the bytes until one is written.
    if ioctl(target, 0x4004_9409, source) == 0 { return }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let n = Glibc.read(source, buffer.baseAddress!, buffer.count)
      if n < 0 && errno == EINTR { continue }
      guard n >= 0 else { throw failure("read", from) }
      if n == 0 { return }
      var done = 0
      while done < n {
        let m = Glibc.write(target, buffer.baseAddress! + done, n - done)
        if m < 0 && errno == EINTR { continue }
        guard m >= 0 else { throw failure("write \(n - done) more bytes", to) }
        done += m
      }
    }
  }
}

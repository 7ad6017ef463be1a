import CProcesses
import Determinism
import Glibc
import PipelineModel

/// The folder that a command works in: empty but for its inputs.
struct WorkingFolder {
  struct Binding {
    let source: String
    let place: String
    /// Of a folder of the user: the files that it may hold.
    let files: [String]?
  }

  let path: String
  let stage: String
  /// Folders and files that the sandbox shows at places of the working folder, read-only.
  private(set) var bindings: [Binding] = []

  /// Of a list. More mounts than these take longer than copies.
  private static let mostBindings = 64
  /// Of a command; bubblewrap takes 9,000 words.
  private static let mostBindingsInAll = 512

  init(path: String, stage: String) throws {
    self.path = path
    self.stage = stage
    try Files.makeFolder(path)
    // Nobody else on this machine sees or starts what a stranger's program leaves.
    guard chmod(path, 0o700) == 0 else { throw Files.failure("protect", path) }
  }

  /// Lays an input out at a place: an artifact as a file or folder, a list as a folder of them, numbered.
  /// - Parameters:
  ///   - canBind: whether a sandbox can show files where they are; else they are copied.
  ///   - store: the folder whose trees hold nothing but their files.
  mutating func lay(
    _ artifacts: [InputArtifact], isList: Bool, at place: String, extensions: [String: String], canBind: Bool,
    store: String
  ) throws {
    guard isList else { return try lay(artifacts[0], at: place, canBind: canBind, store: store) }
    try Files.makeFolder("\(path)/\(place)")
    for (artifact, name) in zip(artifacts, WorkingFolder.listNames(of: artifacts, extensions: extensions)) {
      try lay(
        artifact, at: "\(place)/\(name)", canBind: canBind && artifacts.count <= WorkingFolder.mostBindings,
        store: store)
    }
  }

  /// The names of the artifacts of a list in its folder: numbers of equal width with the ending of their kind.
  static func listNames(of artifacts: [InputArtifact], extensions: [String: String]) -> [String] {
    let width = String(max(0, artifacts.count - 1)).utf8.count
    return artifacts.enumerated().map { i, artifact in
      let digits = String(i)
      let number = String(repeating: "0", count: width - digits.utf8.count) + digits
      return number + (extensions[artifact.kind].map { ".\($0)" } ?? "")
    }
  }

  private mutating func lay(_ artifact: InputArtifact, at place: String, canBind: Bool, store: String) throws {
    let target = "\(path)/\(place)"
    if let parent = RelativePath.parent(target) { try Files.makeFolder(parent) }
    if canBind, bindings.count < WorkingFolder.mostBindingsInAll {
      // The trees of the store hold what was verified; a folder of the user may hold more, or links that lead
      // elsewhere.
      let files = RelativePath.contains(store, artifact.path) ? nil : artifact.files
      if try files.map({ try WorkingFolder.holds(artifact.path, exactly: $0) }) ?? true {
        bindings.append(Binding(source: artifact.path, place: place, files: files))
        return
      }
    }
    guard let manifest = artifact.manifest else {
      let isBytes = artifact.kind == FileFormat.name
      return try Files.copy(artifact.path, to: target, expecting: isBytes ? artifact.digest : nil)
    }
    try Files.makeFolder(target)
    for entry in manifest.entries {
      let file = "\(target)/\(entry.path)"
      if let parent = RelativePath.parent(file) { try Files.makeFolder(parent) }
      try Files.copy("\(artifact.path)/\(entry.path)", to: file, expecting: entry.sha256)
    }
  }

  /// Where a file lies before the sandbox shows it in the working folder; nil where there is none.
  func source(of place: String) -> String? {
    for binding in bindings where RelativePath.contains(binding.place, place) {
      let rest = place.utf8.dropFirst(binding.place.utf8.count)
      let file = binding.source + String(decoding: rest, as: UTF8.self)
      return Files.exists(file) ? file : nil
    }
    let file = "\(path)/\(place)"
    return Files.exists(file) ? file : nil
  }

  /// A single file has no mode in the store; the one that is the program may be executed where its first line names an
  /// interpreter.
  mutating func makeExecutable(_ place: String) throws {
    let target = "\(path)/\(place)"
    if let i = bindings.firstIndex(where: { $0.place.hasSameBytes(as: place) }) {
      guard try Files.type(bindings[i].source) == .file,
        try Files.head(of: bindings[i].source, bytes: 2).elementsEqual("#!".utf8)
      else { return }
      let source = bindings.remove(at: i).source
      try Files.copy(source, to: target, followsLinks: false)
    } else if try Files.type(target) != .file || Files.head(of: target, bytes: 2).elementsEqual("#!".utf8) == false {
      return
    }
    guard chmod(target, 0o555) == 0 else { throw Files.failure("protect", target) }
  }

  /// Makes the folders that outputs lie in.
  func makeParents(of command: Command) throws {
    for path in command.outputs.map(\.path) + (command.stdout.map { [$0] } ?? []) {
      if let parent = RelativePath.parent(path) { try Files.makeFolder("\(self.path)/\(parent)") }
    }
  }

  /// Removes what a command left that failed; its inputs stay.
  func clear(keeping command: Command) throws {
    let inputs = command.places.values
    for name in try FileIO.list(path) where !inputs.contains(where: { RelativePath.contains(name, $0) }) {
      try removeTree("\(path)/\(name)")
    }
    try makeParents(of: command)
  }

  /// Whether a folder holds these files, plain ones, and no others.
  private static func holds(_ root: String, exactly files: [String]) throws -> Bool {
    var missing = Set(files.map { ByteName($0) })
    var folders = [""]
    while let folder = folders.popLast() {
      // What is no text is not one of them.
      guard let names = try? FileIO.list(folder.isEmpty ? root : "\(root)/\(folder)") else { return false }
      for name in names {
        let path = folder.isEmpty ? name : "\(folder)/\(name)"
        switch try Files.type("\(root)/\(path)") {
        case .folder: folders.append(path)
        case .file: if missing.remove(ByteName(path)) == nil { return false }
        default: return false
        }
      }
    }
    return missing.isEmpty
  }

  /// - Throws: where a folder of the user that the command saw holds other files by now.
  func requireUnchanged() throws {
    for binding in bindings {
      guard let files = binding.files, try !WorkingFolder.holds(binding.source, exactly: files) else { continue }
      throw PipelineError(
        .badArtifact,
        "\(binding.source) got or lost files while '\(stage)' was reading it; nothing was stored. Run again")
    }
  }

  /// Takes an output out of the folder. Nobody has it open any more, or can change it: a file is moved where it has
  /// this one name and all processes are gone, else copied.
  /// - Parameters:
  ///   - destination: nothing is there yet.
  ///   - canMove: whether all processes that could have a file open are known to be gone.
  /// - Throws: `PipelineError` where it is not there, or is not what was declared; links are never followed.
  func take(_ output: Command.Output, to destination: String, canMove: Bool) throws {
    func bad(_ why: String) -> PipelineError {
      PipelineError(.badStage, "'\(stage)': its output '\(output.name)', \(output.path), \(why)")
    }
    var walked = path
    for part in output.path.splitBytes(at: UInt8(ascii: "/")) {
      walked += "/\(part)"
      guard let type = try Files.type(walked) else {
        throw bad("was not written; the command left \(leftovers())")
      }
      if type == .link { throw bad("goes through a symbolic link") }
    }
    let isTree = output.kind == TreeFormat.name
    switch try Files.type(walked) {
    case .folder where isTree: try takeTree(walked, to: destination, canMove: canMove, bad)
    case .file where !isTree: try takeFile(walked, to: destination, canMove: canMove, bad)
    case .folder: throw bad("is a folder; declare it as '\(output.path)/'")
    default: throw bad(isTree ? "is not a folder" : "is not a file")
    }
  }

  /// A file with more holes than these may be many times larger than the disk.
  private static let holeLimit = 1 << 30

  private func takeFile(
    _ file: String, to destination: String, canMove: Bool, _ bad: (String) -> PipelineError
  ) throws {
    var s = stat()
    guard lstat(file, &s) == 0 else { throw Files.failure("read", file) }
    if s.st_mode & S_IRUSR == 0 { _ = chmod(file, s.st_mode | S_IRUSR) }
    if s.st_size > WorkingFolder.holeLimit {
      let source = try Descriptor.open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, "read")
      let exceeds = cp_holes_exceed(source.number, off_t(WorkingFolder.holeLimit))
      guard exceeds >= 0 else { throw Files.failure("read", file) }
      if exceeds > 0 {
        throw bad(
          "is sparse: \(s.st_size) bytes, of which \(Int(s.st_blocks).multipliedSaturated(by: 512)) are written")
      }
    }
    if canMove, s.st_nlink == 1 {
      // Nobody but its owner writes to it from here on.
      guard chmod(file, s.st_mode & S_IXUSR != 0 ? 0o755 : 0o644) == 0 else { throw Files.failure("protect", file) }
      return try Files.rename(file, to: destination)
    }
    try Files.copy(file, to: destination, followsLinks: false)
  }

  private func takeTree(
    _ root: String, to destination: String, canMove: Bool, _ bad: (String) -> PipelineError
  ) throws {
    try Files.makeFolder(destination)
    var folders = [(path: "", depth: 0)]
    while let (folder, depth) = folders.popLast() {
      let place = folder.isEmpty ? root : "\(root)/\(folder)"
      guard depth < 64, place.utf8.count < 3000 else { throw bad("has folders that are too deep") }
      _ = chmod(place, 0o755)
      let names: [String]
      do { names = try FileIO.list(place) } catch { throw bad("can't be listed: \(error)") }
      for name in names {
        let path = folder.isEmpty ? name : "\(folder)/\(name)"
        switch try Files.type("\(root)/\(path)") {
        case .folder:
          try Files.makeFolder("\(destination)/\(path)")
          folders.append((path, depth + 1))
        case .file: try takeFile("\(root)/\(path)", to: "\(destination)/\(path)", canMove: canMove, bad)
        case nil: break
        case .link, .other: throw bad("holds \(path): neither a file nor a folder")
        }
      }
    }
  }

  /// What a command wrote; nil for nothing.
  func leftFiles(of command: Command) -> String? {
    let left = leftovers(besides: command.places.values.map { String($0.prefix { $0 != "/" }) })
    return left == "nothing" ? nil : left
  }

  /// What was written, in a few words, whatever its names are.
  private func leftovers(besides inputs: [String] = []) -> String {
    guard let folder = opendir(path) else { return "what can't be listed" }
    defer { closedir(folder) }
    var names = [String]()
    while let entry = readdir(folder) {
      let bytes = FileIO.name(of: entry)
      if let name = String(validating: bytes, as: UTF8.self) {
        let isInput = bindings.contains { RelativePath.contains(name, $0.place) }
        if name != ".", name != "..", !isInput, !inputs.contains(name) { names.append(Printable.line(name)) }
      } else {
        names.append(
          bytes.map { (0x20...0x7E).contains($0) ? String(Unicode.Scalar($0)) : Printable.escape($0) }.joined())
      }
    }
    if names.isEmpty { return "nothing" }
    return names.sortedByBytes().prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ... (\(names.count))" : "")
  }
}

import Determinism
import PipelineModel

/// A virtual environment of Python on this machine.
struct PythonEnvironment {
  let folder: String
  let name: String
  /// The file that links called `python` lead to.
  let interpreter: String
  let version: String
  /// Folders with packages, relative to `folder`.
  let sites: [String]
  /// Folders with packages of the interpreter itself, where the environment shows them.
  let systemSites: [String]

  /// - Throws: code `missingTool` where there is no environment.
  init(at folder: String, name: String) throws {
    (self.folder, self.name) = (folder, name)
    func missing(_ why: String) -> PipelineError {
      PipelineError(
        .missingTool,
        "environment '\(name)': \(why); make it with 'python3 -m venv \(RelativePath.name(folder))' and 'pip install', or "
          + "with 'uv sync'")
    }
    guard Files.exists(folder) else { throw missing("there is no folder \(folder)") }
    guard Files.exists("\(folder)/pyvenv.cfg") else {
      throw missing("\(folder) is no virtual environment of Python: it holds no pyvenv.cfg")
    }
    let settings = try PythonEnvironment.settings("\(folder)/pyvenv.cfg")
    guard
      let interpreter = ["python", "python3"].lazy.compactMap({ PathTrail("\(folder)/bin/\($0)")?.end }).first
    else { throw missing("the interpreter of \(folder) is gone") }
    self.interpreter = interpreter
    version = settings["version"] ?? settings["version_info"] ?? "unknown"
    sites = try PythonEnvironment.sites(in: folder)
    // Python takes its own modules from there.
    if let home = settings["home"], let place = PathTrail(home)?.end, place != RelativePath.parent(interpreter) {
      throw missing(
        "its pyvenv.cfg says that Python is in \(Printable.line(home)), but its bin/python leads to \(interpreter)")
    }
    let isOpen = settings["include-system-site-packages"]?.lowercased() == "true"
    systemSites = isOpen ? try PythonEnvironment.systemSites(of: interpreter) : []
  }

  /// Of every version: what `pyvenv.cfg` says of its own may be wrong.
  private static func systemSites(of interpreter: String) throws -> [String] {
    let prefix = RelativePath.parent(interpreter).flatMap(RelativePath.parent) ?? "/usr"
    return try Set([prefix, "/usr", "/usr/local"].map { $0 + "/lib" }).sorted().flatMap { library in
      try ((try? FileIO.list(library)) ?? []).filter { $0.startsWithBytes(of: "python3") }.flatMap { name in
        try ["site-packages", "dist-packages"].map { "\(library)/\(name)/\($0)" }.filter {
          try Files.optionalStatus($0)?.isFolder == true
        }
      }
    }
  }

  private static func sites(in folder: String) throws -> [String] {
    var sites = [String]()
    for library in ["lib", "lib64"] where (try? Files.type("\(folder)/\(library)")) == .folder {
      for name in try FileIO.list("\(folder)/\(library)") where name.startsWithBytes(of: "python") {
        let site = "\(library)/\(name)/site-packages"
        if Files.exists("\(folder)/\(site)") { sites.append(site) }
      }
    }
    return sites
  }

  /// Lines such as `version = 3.11.2`.
  private static func settings(_ file: String) throws -> [String: String] {
    var out = [String: String]()
    // Python ends a line at every carriage return as well.
    for line in try Files.read(file, limit: 1 << 20).split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
      let parts = String(decoding: line, as: UTF8.self).split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else { continue }
      out[parts[0].trimmed.lowercased()] = parts[1].trimmed
    }
    return out
  }

  /// The folder that the interpreter is installed in, where that is none of the system's.
  /// - Throws: where it is no installation of Python: it would be shown to the program.
  func interpreterPrefix() throws -> String? {
    guard !SystemFolders.contain(interpreter) else { return nil }
    guard let prefix = RelativePath.parent(interpreter).flatMap(RelativePath.parent),
      let library = try? FileIO.list(prefix + "/lib"),
      library.contains(where: { $0.startsWithBytes(of: "python") && Files.exists("\(prefix)/lib/\($0)/os.py") })
    else {
      throw PipelineError(
        .missingTool,
        "environment '\(name)': its interpreter \(interpreter) belongs to no installation of Python; make the environment "
          + "again with 'python3 -m venv'")
    }
    return prefix
  }

  /// The files of that installation, without the packages in it that the environment does not show.
  func interpreterSnapshot(_ prefix: String) throws -> FolderSnapshot {
    try FolderSnapshot(of: prefix) { name in
      PythonEnvironment.isSkipped(name) || name == "site-packages" || name == "dist-packages"
    }
  }

  /// What Python compiles for itself is not looked at.
  static func isSkipped(_ name: String) -> Bool { name == "__pycache__" }

  /// What is in the key.
  func contents(
    _ snapshot: FolderSnapshot, _ installation: (prefix: String, snapshot: FolderSnapshot)?, on host: StageHost
  ) throws -> [String: CanonicalValue] {
    let files = try InstalledFiles(of: folder, on: host)
    let own = try PythonPackages(
      in: folder, sites: sites, entries: snapshot.entries, files: files, environment: name)
    try files.remember()
    var members: [String: CanonicalValue] = [
      "kind": "python", "packages": .object(own.packages),
      "interpreter": ["version": .string(version), "sha256": .string(try interpreterDigest(host).hex)],
    ]
    if let (prefix, snapshot) = installation {
      let files = try InstalledFiles(of: prefix, on: host)
      members["installation-of-Python"] = .string(try files.digest(of: snapshot.entries, as: .placeless).hex)
      try files.remember()
    }
    if let others = own.others { members["other-files"] = .string(others.hex) }
    var sites = [(path: String, digest: Digest)]()
    for site in systemSites {
      let files = try InstalledFiles(of: site, on: host)
      let entries = try FolderSnapshot(of: site, skipping: PythonEnvironment.isSkipped).entries
      sites.append((site, try files.digest(of: entries, as: .bytes)))
      try files.remember()
    }
    if !sites.isEmpty { members["system-packages"] = .string(InstalledFiles.digest(sites).hex) }
    return members
  }

  private func interpreterDigest(_ host: StageHost) throws -> Digest {
    let place = RelativePath.parent(interpreter)!
    let files = try InstalledFiles(of: place, on: host)
    guard let status = try Files.linkStatus(interpreter) else { throw Files.failure("read", interpreter, 2) }
    let entry = FolderSnapshot.Entry(path: RelativePath.name(interpreter), status: status, target: nil)
    let digest = try files.digest(of: entry, as: .bytes)
    try files.remember()
    return digest
  }
}

extension Substring {
  fileprivate var trimmed: String {
    let head = drop { $0.isWhitespace }
    return String(head.reversed().drop { $0.isWhitespace }.reversed())
  }
}

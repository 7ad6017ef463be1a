import Determinism
import PipelineModel

/// The packages of folders such as `lib/python3.11/site-packages`, from the metadata that installers leave there.
///
/// A package is its name, its version and the digest of its files as they are, not as its `RECORD` says they were: an
/// edited file shows. Files that no package owns have a digest of their own.
struct PythonPackages {
  /// By normalised name: `{ version, files }`.
  private(set) var packages: [String: CanonicalValue] = [:]
  /// Of files that no package owns; nil where there are none.
  private(set) var others: Digest?

  private struct Owner {
    let name: String
    let version: String
    var files: [(path: String, digest: Digest)] = []
  }

  /// - Parameters:
  ///   - root: the installation.
  ///   - sites: its folders with packages, relative to `root`.
  ///   - entries: all files of the installation that count.
  init(
    in root: String, sites: [String], entries: [FolderSnapshot.Entry], files: InstalledFiles, environment: String
  ) throws {
    var owners = [Owner]()
    var ownerOf = [ByteName: Int]()
    for entry in entries where entry.path.hasSuffix(".dist-info/METADATA") || entry.path.hasSuffix(".egg-info/PKG-INFO")
    {
      guard let info = RelativePath.parent(entry.path), let site = RelativePath.parent(info),
        sites.contains(where: { $0.hasSameBytes(as: site) })
      else { continue }
      try PythonPackages.refuseEditable("\(root)/\(info)", environment)
      let (name, version) = try PythonPackages.nameAndVersion("\(root)/\(entry.path)")
      owners.append(Owner(name: name, version: version))
      for path in try PythonPackages.recorded("\(root)/\(info)/RECORD") {
        if let place = PythonPackages.normal("\(site)/\(path)") { ownerOf[ByteName(place)] = owners.count - 1 }
      }
    }
    var strangers = [(path: String, digest: Digest)]()
    for entry in entries where !PythonPackages.isAboutPlaces(entry) {
      if let target = entry.target { try PythonPackages.refuseLink(entry.path, to: target, root, environment) }
      if entry.path.hasSuffix(".pth") { try PythonPackages.refuseOutside(entry.path, root, environment) }
      // Installers write the folder's path into programs, and into scripts that shells read.
      let digest = try files.digest(of: entry, as: entry.path.startsWithBytes(of: "bin/") ? .placeless : .bytes)
      if let owner = ownerOf[ByteName(entry.path)] {
        owners[owner].files.append((entry.path, digest))
      } else {
        strangers.append((entry.path, digest))
      }
    }
    for owner in owners {
      // An installation that failed may leave two descriptions of one package.
      var name = owner.name
      while packages[name] != nil { name += " (again)" }
      packages[name] = [
        "version": .string(owner.version), "files": .string(InstalledFiles.digest(owner.files).hex),
      ]
    }
    if !strangers.isEmpty { others = InstalledFiles.digest(strangers) }
  }

  /// Files that say where, when and by what something was installed. What `pyvenv.cfg` says, and where links called
  /// `python` lead, is told apart.
  private static func isAboutPlaces(_ entry: FolderSnapshot.Entry) -> Bool {
    let name = RelativePath.name(entry.path)
    switch RelativePath.parent(entry.path) {
    case nil: return ["pyvenv.cfg", ".lock", ".gitignore", "CACHEDIR.TAG"].contains(name)
    case "bin"?: return entry.target != nil && name.startsWithBytes(of: "python")
    case let folder? where folder.hasSuffix(".dist-info"):
      return ["RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"].contains(name)
    default: return false
    }
  }

  /// What a link leads to must be part of the environment, or of the system.
  private static func refuseLink(_ path: String, to target: String, _ root: String, _ environment: String) throws {
    guard let end = PathTrail("\(root)/\(path)")?.end, let inside = PathTrail(root)?.end,
      !RelativePath.contains(inside, end), !SystemFolders.contain(end)
    else { return }
    throw PipelineError(
      .missingTool,
      "environment '\(environment)': \(root)/\(path) is a link to \(Printable.line(target)), which is not part of the "
        + "environment. Install the package with copies of its files (with uv: --link-mode copy)")
  }

  /// Relative to the folder with packages.
  private static func recorded(_ file: String) throws -> [String] {
    guard Files.exists(file) else { return [] }
    return TextLines.split(try Files.read(file, limit: 1 << 26)).compactMap { line in
      guard let first = line.first else { return nil }
      // Names with commas or quotes are quoted, quotes doubled.
      let quote = UInt8(ascii: "\"")
      guard first == quote else { return String(validating: line.prefix { $0 != UInt8(ascii: ",") }, as: UTF8.self) }
      var path = [UInt8]()
      var rest = line.dropFirst()
      while let byte = rest.popFirst() {
        if byte == quote {
          guard rest.first == quote else { break }
          rest.removeFirst()
        }
        path.append(byte)
      }
      return String(validating: path, as: UTF8.self)
    }
  }

  /// Without `.` and `..`; nil where it leads out of the installation.
  private static func normal(_ path: String) -> String? {
    var parts = [String]()
    for part in path.splitBytes(at: UInt8(ascii: "/")) {
      if part.isEmpty || part == "." { continue }
      if part != ".." {
        parts.append(part)
      } else if parts.popLast() == nil {
        return nil
      }
    }
    return parts.joined(separator: "/")
  }

  private static func nameAndVersion(_ file: String) throws -> (name: String, version: String) {
    var (name, version) = ("", "")
    for line in TextLines.split(try Files.read(file, limit: 1 << 26)) {
      // The headers end with an empty line.
      guard !line.isEmpty else { break }
      let text = String(decoding: line, as: UTF8.self)
      if let value = PythonPackages.value(of: "Name", text) { name = value }
      if let value = PythonPackages.value(of: "Version", text) { version = value }
    }
    guard !name.isEmpty, !version.isEmpty else {
      throw PipelineError(.badArtifact, "\(file): names no package and version; install the package again")
    }
    return (normalised(name), version)
  }

  private static func value(of header: String, _ line: String) -> String? {
    guard line.startsWithBytes(of: "\(header):") else { return nil }
    return String(line.dropFirst(header.count + 1)).trimmingPrefix { $0 == " " }.description
  }

  /// In lower case, with one `-` for every run of `-`, `_` and `.`.
  static func normalised(_ name: String) -> String {
    name.lowercased().split { $0 == "-" || $0 == "_" || $0 == "." }.joined(separator: "-")
  }

  /// The code of a package in editable mode lies elsewhere.
  private static func refuseEditable(_ info: String, _ environment: String) throws {
    let file = "\(info)/direct_url.json"
    guard Files.exists(file), let value = try? CanonicalValue(json: Files.read(file, limit: 1 << 20)),
      value["dir_info"]?["editable"]?.boolValue == true
    else { return }
    let place = value["url"]?.stringValue ?? "another folder"
    let name = RelativePath.name(info).split(separator: "-").first.map(String.init) ?? info
    throw PipelineError(
      .missingTool,
      "environment '\(environment)': the package '\(name)' is installed in editable mode from \(Printable.line(place)), so "
        + "its code is not part of the environment. Install it without -e (with uv: uv sync --no-editable), or leave it "
        + "out (uv sync --no-install-project) and take its folder as an input")
  }

  /// A `.pth` file adds folders to Python's search path.
  private static func refuseOutside(_ path: String, _ root: String, _ environment: String) throws {
    for (i, line) in TextLines.split(try Files.read("\(root)/\(path)", limit: 1 << 20)).enumerated() {
      guard !line.isEmpty, line.first != UInt8(ascii: "#"), !line.starts(with: Array("import".utf8)),
        let folder = String(validating: line, as: UTF8.self)
      else { continue }
      let place =
        folder.utf8.first == UInt8(ascii: "/") ? folder : "\(root)/\(RelativePath.parent(path) ?? "")/\(folder)"
      guard let end = PathTrail(place)?.end, let inside = PathTrail(root)?.end, !RelativePath.contains(inside, end),
        !SystemFolders.contain(end)
      else { continue }
      throw PipelineError(
        .missingTool,
        "environment '\(environment)': \(root)/\(path):\(i + 1) takes packages from \(Printable.line(folder)), which is not "
          + "part of the environment. Install them into it (pip install without -e), or take that folder as an input")
    }
  }
}

import Determinism
import PipelineModel

/// An environment of conda: one that exists, or one made from an explicit list of packages.
struct CondaEnvironment {
  private let lock: String?
  private let prefix: String?
  private let name: String

  init(lock: String?, prefix: String?, _ name: String) {
    (self.lock, self.prefix, self.name) = (lock, prefix, name)
  }

  private static let programs = ["micromamba", "mamba", "conda"]

  func folder(on host: StageHost) throws -> String {
    if let prefix { return prefix }
    guard let lock, Files.exists(lock) else {
      throw PipelineError(
        .missingTool,
        "environment '\(name)': there is no file \(lock ?? "named"); 'conda list --explicit --sha256' writes one")
    }
    guard TextLines.split(try Files.read(lock, limit: 1 << 26)).contains(where: { $0.elementsEqual("@EXPLICIT".utf8) })
    else {
      throw PipelineError(
        .missingTool,
        "environment '\(name)': \(lock) is no explicit list of packages, which has a line '@EXPLICIT': write one with "
          + "'conda list --explicit --sha256 > environment.lock'")
    }
    let made = MadeEnvironment(kind: "conda", name: name, source: try Files.sha256(lock), host: host)
    return try made.made { folder in
      // Packages may bring scripts that the installer executes.
      guard host.policy != .required else {
        throw PipelineError(
          .missingTool,
          "environment '\(name)': conda executes scripts of packages outside of any sandbox, and --sandbox required allows "
            + "none. Make it yourself, and name its folder: { conda: ..., prefix: FOLDER }")
      }
      let finder = ToolFinder(searchPath: host.searchPath ?? ToolFinder.standardPath)
      let program = CondaEnvironment.programs.first { finder.find($0) != nil } ?? CondaEnvironment.programs[0]
      try made.run(
        [program, "create", "--yes", "--quiet", "--prefix", folder, "--file", lock], variables: [:],
        in: RelativePath.parent(lock) ?? "/")
    }
  }
}

/// The packages of an environment of conda, from the metadata in `conda-meta`.
struct CondaPackages {
  let members: [String: CanonicalValue]

  init(in root: String, _ snapshot: FolderSnapshot, _ files: InstalledFiles, _ environment: String) throws {
    var packages = [String: CanonicalValue]()
    var owned = [ByteName: (package: String, isAdapted: Bool)]()
    let metadata = snapshot.entries.filter {
      $0.path.startsWithBytes(of: "conda-meta/") && $0.path.hasSuffix(".json")
    }
    guard !metadata.isEmpty else {
      throw PipelineError(
        .missingTool, "environment '\(environment)': \(root) is no environment of conda: it has no conda-meta")
    }
    for entry in metadata {
      guard let value = try? CanonicalValue(json: Files.read("\(root)/\(entry.path)", limit: 1 << 28)),
        let name = value["name"]?.stringValue, let version = value["version"]?.stringValue
      else {
        throw PipelineError(.badArtifact, "\(root)/\(entry.path): not the metadata of a package of conda")
      }
      packages[name] = ["version": .string(version), "build": .string(value["build"]?.stringValue ?? "")]
      for path in value["paths_data"]?["paths"]?.arrayValue ?? [] {
        guard let place = path["_path"]?.stringValue else { continue }
        // Such a file has the folder's path in it.
        owned[ByteName(place)] = (name, path["prefix_placeholder"] != nil)
      }
    }
    var contents = [String: [(path: String, digest: Digest)]]()
    for entry in snapshot.entries where !entry.path.startsWithBytes(of: "conda-meta/") {
      let owner = owned[ByteName(entry.path)]
      let namesPlace = owner?.isAdapted == true || entry.path.startsWithBytes(of: "bin/")
      let digest = try files.digest(of: entry, as: namesPlace ? .placeless : .bytes)
      contents[owner?.package ?? "", default: []].append((entry.path, digest))
    }
    for (name, list) in contents where !name.isEmpty {
      guard case .object(var package)? = packages[name] else { continue }
      package["files"] = .string(InstalledFiles.digest(list).hex)
      packages[name] = .object(package)
    }
    var members: [String: CanonicalValue] = ["kind": "conda", "packages": .object(packages)]
    if let others = contents[""] { members["other-files"] = .string(InstalledFiles.digest(others).hex) }
    self.members = members
  }
}

import Determinism
import Glibc
import PipelineModel

/// An image of a file system: the SquashFS of an Apptainer image, or a bare one. It is unpacked into the store once, and
/// takes the place of the system's folders in the sandbox: nothing of Apptainer is needed.
struct ImageEnvironment {
  private let file: String
  private let name: String

  /// - Throws: code `missingTool` where there is no file.
  init(_ file: String, _ name: String) throws {
    (self.file, self.name) = (file, name)
    guard try Files.optionalStatus(file)?.isRegular == true else {
      throw PipelineError(.missingTool, "environment '\(name)': there is no image \(file)")
    }
  }

  func digest(on host: StageHost) throws -> Digest {
    let files = try InstalledFiles(of: RelativePath.parent(file) ?? "/", on: host)
    guard let status = try Files.optionalStatus(file) else { throw Files.failure("read", file, ENOENT) }
    let digest = try files.digest(
      of: FolderSnapshot.Entry(path: RelativePath.name(file), status: status, target: nil), as: .bytes)
    try files.remember()
    return digest
  }

  /// The folder with the unpacked files.
  func folder(_ digest: Digest, on host: StageHost) throws -> String {
    let made = MadeEnvironment(kind: "image", name: name, source: digest, host: host)
    return try made.made(isSealed: true) { folder in
      let offset = try offset()
      guard let program = ToolFinder(searchPath: ToolFinder.standardPath).find("unsquashfs") else {
        throw PipelineError(
          .missingTool,
          "environment '\(name)': images are unpacked by 'unsquashfs', which is not installed (Debian: apt-get install "
            + "squashfs-tools)")
      }
      try Files.makeFolder(folder)
      let words = ["unsquashfs", "-no-progress", "-no-xattrs", "-force", "-offset", String(offset), "-dest"]
      var process = ChildProcess(
        executable: program, arguments: words + [folder, file], environment: [:], folder: "/")
      // It reads what a stranger wrote.
      if case .bubblewrap(let wrapper, _, let filters) = try Sandbox.find(.automatic) {
        var confinement = Confinement(programs: [program], hidden: [], variables: [:], filters: filters)
        confinement.show(folder, at: "/tmp/root", writable: true)
        confinement.show(file, at: "/tmp/image")
        process = try confinement.process(
          wrapper: wrapper, program: program, words: words + ["/tmp/root", "/tmp/image"], folder: "/tmp")
      }
      let (ending, text) = try process.capture(bytes: 1 << 20, limit: 3600, interruption: Interruption())
      // 2 says that something could not be set, such as an owner or a device.
      guard ending == .exited(0) || ending == .exited(2), Files.exists("\(folder)/usr") || Files.exists("\(folder)/bin")
      else {
        let last = TextLines.split(text).last { !$0.isEmpty }.map { String(decoding: $0, as: UTF8.self) } ?? ""
        throw PipelineError(
          .missingTool,
          "environment '\(name)': \(file) can't be unpacked: unsquashfs \(ending): \(Printable.line(last))")
      }
    }
  }

  /// Where the file system begins: images are aligned to pages.
  private func offset() throws -> Int {
    let source = try Descriptor.open(file, O_RDONLY, "read")
    let size = try Files.status(file).size
    var block = [UInt8](repeating: 0, count: 32)
    for offset in stride(from: 0, to: size, by: 4096) {
      guard FileIO.retrying({ pread(source.number, &block, 32, off_t(offset)) }) == 32 else { break }
      // The magic number, and version 4.0 at byte 28.
      if block.starts(with: Array("hsqs".utf8)), block[28...31].elementsEqual([4, 0, 0, 0]) { return offset }
    }
    throw PipelineError(
      .missingTool, "environment '\(name)': \(file) holds no SquashFS; expected an image of Apptainer (.sif)")
  }
}

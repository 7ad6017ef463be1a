import Determinism
import Foundation
import Testing

@Suite("FileIO, FileStream and FolderTree")
struct FileIOTests {
  /// Calls `body` with the path of a new folder, and removes it at the end.
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.path + "/file-io-\(UInt64.random(in: 0 ... .max))"
    try FileIO.makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  @Test("publish replaces a regular file, and refuses folders and devices")
  func publishing() throws {
    try withFolder { folder in
      try FileIO.makeFolder(folder + "/inner")
      try FileIO.publish([1, 2], to: folder + "/a")
      try FileIO.publish([3], to: folder + "/a")
      #expect(try FileIO.read(folder + "/a") == [3])
      #expect(throws: FileFailure.self) { try FileIO.publish([1], to: folder + "/inner") }
      #expect(throws: FileFailure.self) { try FileIO.publish([1], to: "/dev/null") }
      // No temporary file is left.
      #expect(try FileIO.list(folder) == ["a", "inner"])
    }
  }

  @Test("read refuses devices and files beyond its limit")
  func reading() throws {
    try withFolder { folder in
      try FileIO.write([3], to: folder + "/a")
      #expect(throws: FileFailure.self) { try FileIO.read("/dev/zero") }
      #expect(throws: FileFailure.self) { try FileIO.read(folder + "/a", limit: 0) }
      #expect(throws: FileFailure.self) { try FileIO.makeFolder(folder + "/a/b") }
    }
  }

  @Test("kind distinguishes files, folders and everything else")
  func kinds() throws {
    try withFolder { folder in
      try FileIO.write([], to: folder + "/a")
      #expect(FileIO.kind(folder) == .folder && FileIO.kind(folder + "/a") == .file)
      #expect(FileIO.kind("/dev/null") == .other && FileIO.kind(folder + "/b") == nil)
    }
  }

  @Test("FileStream writes a file piece by piece, and truncates an existing one")
  func stream() throws {
    try withFolder { folder in
      try FileIO.write([9, 9, 9, 9, 9], to: folder + "/a")
      let stream = try FileStream(folder + "/a")
      try stream.write([1, 2])
      try stream.write([3])
      try stream.close()
      #expect(try FileIO.read(folder + "/a") == [1, 2, 3])
      #expect(throws: FileFailure.self) { try FileStream(folder) }
    }
  }

  @Test("FolderTree lists files in byte order and leaves out names that begin with a dot")
  func tree() throws {
    try withFolder { folder in
      try FileIO.makeFolder(folder + "/inner/deep")
      for path in ["a", "inner/x", "inner/deep/y", ".hidden"] { try FileIO.write([1], to: "\(folder)/\(path)") }
      let tree = try FolderTree(folder)
      #expect(tree.paths == ["a", "inner/deep/y", "inner/x"])
      #expect(tree.folders(in: "") == ["inner"] && tree.folders(in: "inner") == ["deep"])
      #expect(tree.paths(below: "inner") == ["deep/y", "x"])
      #expect(tree.hasFolder("inner") && !tree.hasFolder("inn") && !tree.contains("inner"))
      #expect(tree.contains("inner/x") && tree.place("inner/x") == folder + "/inner/x")
      #expect(try FolderTree(folder, folders: ["inner/deep"]).paths == ["inner/deep/y"])
    }
  }

  @Test("FolderTree refuses a dangling link")
  func danglingLink() throws {
    try withFolder { folder in
      try FileManager.default.createSymbolicLink(atPath: folder + "/a", withDestinationPath: "missing")
      let error = #expect(throws: FileFailure.self) { try FolderTree(folder) }
      #expect(error?.description.contains("a dangling link") == true)
    }
  }

  @Test("FileFailure says what failed and what to do, and whether the disk or the given path is at fault")
  func failures() {
    let full = FileFailure("write 3 bytes", "/x/y", code: ENOSPC)
    #expect(full.description.hasPrefix("/x/y: cannot write 3 bytes: ") && full.description.contains("Free some space"))
    #expect(full.isDiskFull && !full.isUserData)
    #expect(FileFailure("write", "x", code: EDQUOT).isDiskFull && FileFailure("write", "x", code: EFBIG).isDiskFull)
    #expect(FileFailure("read", "x", code: ENOENT).isUserData && !FileFailure("read", "x", code: EIO).isUserData)
    #expect(FileFailure("read", "x", code: 0, reason: "too large").description == "x: cannot read: too large")
  }
}

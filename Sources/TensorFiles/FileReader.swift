import CCodecs
import Determinism

/// Reads an open HDF5 file.
final class FileReader {
  let outline: Outline
  private let file: cc_h5
  private let storage: FileStorage
  private let place: String

  init(_ storage: FileStorage, place: String) throws(TensorFileError) {
    let file = try HDF5.locked { () throws(TensorFileError) in
      let file = cc_h5_open(storage.handle)
      try HDF5.check(file, .unreadable, place, "cannot be opened as HDF5")
      return file
    }
    self.file = file
    self.storage = storage
    self.place = place
    do {
      outline = try HDF5.locked { () throws(TensorFileError) in try Outline(file, place: place) }
    } catch {
      try? HDF5.locked { () throws(TensorFileError) in _ = cc_h5_close_file(file) }
      throw error
    }
  }

  deinit { try? HDF5.locked { [file] () throws(TensorFileError) in _ = cc_h5_close_file(file) } }

  /// Bytes that the data sets of this file may have in total.
  func budget(_ limits: ReadingLimits = ReadingLimits(totalBytes: .max)) -> Int {
    limits.total(fileSize: storage.size)
  }

  /// Opens a data set.
  /// - Parameter remaining: how many bytes may still be read; the size of the data set is subtracted.
  func reader(
    of dataset: Outline.Dataset, limits: ReadingLimits, remaining: inout Int
  ) throws(TensorFileError) -> DatasetReader {
    try HDF5.locked { () throws(TensorFileError) in
      try DatasetReader(
        file, storage, name: dataset.path, place: Outline.place(dataset.path, in: place), limits: limits,
        remaining: &remaining)
    }
  }

  /// Makes all calls of the library that reading makes, without the data of chunks in our own format.
  func survey() throws(TensorFileError) {
    let limits = ReadingLimits(totalBytes: .max)
    var remaining = budget()
    var seen = Set<UInt64>()
    for dataset in outline.datasets where seen.insert(dataset.address).inserted {
      try reader(of: dataset, limits: limits, remaining: &remaining).survey()
    }
  }

  /// Reads everything into memory.
  func read(limits: ReadingLimits) throws(TensorFileError) -> TensorFile {
    var entries = [TensorFile.Entry]()
    var remaining = budget(limits)
    for dataset in outline.datasets {
      let tensor = try reader(of: dataset, limits: limits, remaining: &remaining).read()
      entries.append(TensorFile.Entry(name: dataset.path, tensor: tensor))
    }
    entries.sort { precedes($0.name, $1.name) }
    return TensorFile(sorted: entries, attributes: outline.attributes, foreign: outline.foreign)
  }

  /// The logical digest, in some 100 MiB of memory for tensors of any size. Data with several names is read once.
  func digest(limits: ReadingLimits) throws(TensorFileError) -> Digest {
    var known = [UInt64: TensorDigest.Line]()
    var lines = [TensorDigest.Line]()
    var remaining = budget(limits)
    for dataset in outline.datasets {
      let line: TensorDigest.Line
      if let same = known[dataset.address] {
        line = same.named(dataset.path)
      } else {
        let reader = try reader(of: dataset, limits: limits, remaining: &remaining)
        line = TensorDigest.Line(
          name: dataset.path, elementType: reader.type, shape: reader.shape, digest: try reader.digest())
        known[dataset.address] = line
      }
      lines.append(line)
    }
    return TensorDigest.manifest(lines, attributes: outline.attributes, foreign: outline.foreign).digest
  }

  /// The tensors without their elements, sorted by name.
  func headers() throws(TensorFileError) -> [TensorFile.Header] {
    var headers = [TensorFile.Header]()
    for dataset in outline.datasets {
      var remaining = budget()
      let reader = try reader(of: dataset, limits: ReadingLimits(totalBytes: .max), remaining: &remaining)
      headers.append(TensorFile.Header(name: dataset.path, elementType: reader.type, shape: reader.shape))
    }
    return headers.sorted { precedes($0.name, $1.name) }
  }
}

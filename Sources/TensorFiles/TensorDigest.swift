import Determinism

/// The logical digest: of names, types, shapes, elements and attributes, not of the file that contains them.
/// `FORMAT.md` in this folder defines it; `Tests/Reference/digest.py` computes it independently.
public enum TensorDigest {
  /// Elements are hashed in pieces of this many bytes, on all threads.
  public static let pieceBytes = 1 << 20
  /// The version of the manifest.
  public static let format = 1

  /// SHA-256 over the SHA-256 values of the 1 MiB pieces of raw little-endian data.
  public static func of(elements: UnsafeRawBufferPointer) -> Digest {
    var builder = Builder()
    builder.update(elements)
    return builder.finalize()
  }

  /// Computes the digest of elements incrementally.
  struct Builder {
    private var whole = DigestBuilder()
    /// The current piece, and its length so far.
    private var piece = DigestBuilder()
    private var begun = 0

    mutating func update(_ elements: UnsafeRawBufferPointer) {
      var rest = elements
      if begun > 0 {
        let missing = min(pieceBytes - begun, rest.count)
        piece.update(UnsafeRawBufferPointer(rebasing: rest[..<missing]))
        begun += missing
        rest = UnsafeRawBufferPointer(rebasing: rest[missing...])
        if begun == pieceBytes { endPiece() }
      }
      let base = SendableRaw(rest)
      let pieces = Parallel.map(rest.count / pieceBytes) { i in
        Digest(of: UnsafeRawBufferPointer(rebasing: base.bytes[i * pieceBytes..<(i + 1) * pieceBytes]))
      }
      for piece in pieces { whole.update(piece) }
      let tail = UnsafeRawBufferPointer(rebasing: rest[(pieces.count * pieceBytes)...])
      guard tail.count > 0 else { return }
      piece.update(tail)
      begun = tail.count
    }

    private mutating func endPiece() {
      whole.update(piece.finalize())
      piece = DigestBuilder()
      begun = 0
    }

    mutating func finalize() -> Digest {
      if begun > 0 { endPiece() }
      return whole.finalize()
    }
  }

  /// The digest of the elements of one tensor.
  public static func of(_ tensor: NamedTensor) -> Digest {
    tensor.withUnsafeBytes { of(elements: $0) }
  }

  /// The entry of a tensor in the manifest.
  public struct Line: Hashable, Sendable {
    public let name: String
    public let elementType: ElementType
    public let shape: [Int]
    public let digest: Digest

    /// The entry of a tensor, whose digest is computed.
    public init(name: String, tensor: NamedTensor) {
      self.init(
        name: name, elementType: tensor.elementType, shape: tensor.shape, digest: TensorDigest.of(tensor))
    }

    /// The entry of a tensor with a known digest.
    public init(name: String, elementType: ElementType, shape: [Int], digest: Digest) {
      self.name = name
      self.elementType = elementType
      self.shape = shape
      self.digest = digest
    }

    /// The same data under another name.
    func named(_ name: String) -> Line {
      Line(name: name, elementType: elementType, shape: shape, digest: digest)
    }

    var canonical: CanonicalValue {
      .object([
        "digest": .string(digest.hex), "name": .string(name), "shape": .array(shape.map { .integer($0) }),
        "type": .string(elementType.rawValue),
      ])
    }
  }

  /// The manifest; the digest is that of its canonical bytes.
  /// - Parameter attributes: those of the root group.
  static func manifest(
    _ lines: [Line], attributes: [String: CanonicalValue], foreign: ForeignContent = ForeignContent()
  ) -> CanonicalValue {
    var all = foreign.attributes
    all[""] = attributes
    var members: [String: CanonicalValue] = [
      "attributes": .object(all.filter { !$0.value.isEmpty }.mapValues { .object($0) }),
      "format": .integer(format),
      "tensors": .array(lines.sorted { precedes($0.name, $1.name) }.map(\.canonical)),
    ]
    members.merge(foreign.members) { known, _ in known }
    return .object(members)
  }

  /// The digest of tensors in memory, without a file: equal to the digest of the file that `TensorFile.write` makes.
  public static func of(
    tensors: [(name: String, tensor: NamedTensor)], attributes: [String: CanonicalValue] = [:]
  ) -> Digest {
    manifest(tensors.map { Line(name: $0.name, tensor: $0.tensor) }, attributes: attributes).digest
  }

  private struct SendableRaw: @unchecked Sendable {
    // Invariant: only read, while the caller keeps the memory alive.
    let bytes: UnsafeRawBufferPointer
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }
  }
}

extension TensorFile {
  /// The manifest entry of every tensor, sorted by name.
  public var digestLines: [TensorDigest.Line] {
    entries.map { TensorDigest.Line(name: $0.name, tensor: $0.tensor) }
  }

  /// The canonical manifest.
  public var manifest: CanonicalValue {
    TensorDigest.manifest(digestLines, attributes: attributes, foreign: foreign)
  }

  /// The logical digest, which identifies an artifact.
  public var digest: Digest { manifest.digest }

  /// The logical digest of a file, ours or any other HDF5 with tensors of supported types.
  ///
  /// Reads the file in this process; use `ForeignFile` for untrusted files. Takes some 100 MiB of memory for tensors of
  /// any size.
  public static func digest(
    ofFileAt path: String, limits: ReadingLimits = ReadingLimits(totalBytes: .max)
  ) throws(TensorFileError) -> Digest {
    try FileReader(try FileStorage(reading: path), place: path).digest(limits: limits)
  }
}

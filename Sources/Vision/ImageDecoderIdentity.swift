import Determinism

extension ImageFile {
  /// The digest of what this machine's decoders make of six built-in pictures.
  ///
  /// JPEG leaves decoders some freedom. A stage that decodes puts this value into its key, so that results of machines
  /// whose libraries decode differently never pass for each other's. It speaks of whole pictures. Parts are cut out of
  /// whole pictures too, unless `decodesPartsExactly`, so no result depends on how a part was made, nor on whether the
  /// whole picture was kept in memory.
  public static let decoderIdentity: Digest = {
    var builder = DigestBuilder()
    for (i, bytes) in ImageDecoderSamples.all.enumerated() {
      do {
        builder.update(Digest(of: try decode(bytes, place: "built-in picture \(i)").pixels))
      } catch {
        // A library without one of the modes still has an identity: another one.
        builder.update(Digest(of: "failed: \(i)"))
      }
    }
    return builder.finalize()
  }()

  /// Whether this machine's JPEG decoder, asked for a part of a picture, gives the samples of the whole picture: tried
  /// on ten built-in pictures. Where it does not, parts are cut out of whole pictures.
  static let decodesPartsExactly: Bool = {
    (ImageDecoderSamples.all + PartialDecodingSamples.all).allSatisfy { bytes in
      guard let file = try? EncodedImage(bytes, place: "built-in picture"), file.isJPEG else { return true }
      // What the decoder can't decode as a whole it will not be asked for in parts.
      guard let whole = try? file.decoded() else { return true }
      return probes(width: whole.width, height: whole.height).allSatisfy { part in
        (try? file.decodedJPEG(part)) == whole.cropped(part)
      }
    }
  }()

  /// Parts that begin and end at, before and behind edges of blocks, and in the last rows and columns.
  private static func probes(width: Int, height: Int) -> [PixelRectangle] {
    func ranges(_ size: Int) -> [Range<Int>] {
      [0..<1, 0..<size, 5..<19, 7..<9, 16..<17, 17..<size, size / 2..<size - 3, size - 1..<size].filter {
        $0.upperBound <= size
      }
    }
    return ranges(height).flatMap { rows in
      ranges(width).map { PixelRectangle(x: $0.lowerBound, y: rows.lowerBound, width: $0.count, height: rows.count) }
    }
  }
}

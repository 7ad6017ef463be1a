import Determinism
import Foundation

/// Reads pictures. The format is told by the first bytes, not by the name: data sets hold PNGs called `.JPEG`.
///
/// Orientation tags, gamma and colour profiles are ignored, alpha is dropped, 16-bit samples keep their upper byte,
/// CMYK becomes RGB as Pillow does it: what `PIL.Image.open(path).convert("RGB")` gives, which is what the published
/// models were trained on. JPEG decoding is fixed to the integer slow DCT, fancy upsampling, no block smoothing;
/// `decoderIdentity` names its result on this machine. Whatever a decoder would only warn of is an error here: it warns
/// before it makes samples up.
public enum ImageFile {
  /// The largest picture read: 100 megapixels.
  public static let maximalPixels = 100_000_000
  /// The largest file read: 512 MiB.
  public static let maximalBytes = 512 << 20

  /// Reads a JPEG or PNG file as RGB.
  /// - Throws: `ImageError`, with the path.
  public static func read(path: String) throws -> Image { try EncodedImage(path: path).decoded() }

  /// Reads a PNG with one channel, gray levels or palette indices just as stored: a map of class numbers.
  /// - Throws: `ImageError`; colour pictures and 16-bit samples are `unsupported`.
  public static func readIndices(path: String) throws -> Image { try EncodedImage(path: path).indices() }

  /// Reads a panoptic PNG: the id of a pixel is `R + 256 G + 65536 B`.
  /// - Throws: `ImageError`; gray, palette and 16-bit pictures are `unsupported`, since their values are no ids.
  public static func readLabelPNG(path: String) throws -> LabelImage {
    try EncodedImage(path: path).labels()
  }

  /// Decodes a JPEG or PNG in memory as RGB.
  /// - Parameter place: names the bytes in errors.
  public static func decode(_ data: [UInt8], place: String) throws -> Image {
    try EncodedImage(data, place: place).decoded()
  }

  enum Format { case jpeg, png }

  static func format(of data: [UInt8]) -> Format? {
    if data.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
    if data.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
    return nil
  }

  /// The content of a plain file. A pipe or a device, which could block for ever, is refused.
  static func bytes(ofFileAt path: String) throws -> [UInt8] {
    do {
      return try FileIO.read(path, limit: maximalBytes)
    } catch  where [EIO, EMFILE, ENFILE, ENOMEM].contains(error.code) {
      throw error
    } catch {
      throw ImageError(.unreadable, at: path, error.reason ?? String(cString: strerror(error.code)))
    }
  }
}

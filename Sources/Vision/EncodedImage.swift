import CCodecs
import Determinism
import Tensors

/// A JPEG or PNG in memory whose header has been read: its size is known, its samples are still to be decoded.
///
/// A loader learns the size, draws a crop, and decodes what the crop needs.
public struct EncodedImage: Sendable {
  public let width: Int
  public let height: Int
  private let format: ImageFile.Format
  private let data: [UInt8]
  /// Names the bytes in errors.
  private let place: String
  private let header: cc_image

  /// Reads a file.
  /// - Throws: `ImageError`, with the path.
  public init(path: String) throws { try self.init(ImageFile.bytes(ofFileAt: path), place: path) }

  /// Reads a file of a tree.
  /// - Throws: `ImageError`, with the place; what the tree throws for a file that it does not name or that changed.
  public init(_ path: String, in files: any FileTree) throws {
    try self.init(files.read(path, limit: ImageFile.maximalBytes), place: files.place(path))
  }

  /// - Throws: `ImageError` for bytes that are neither JPEG nor PNG, and for a header that is damaged or asks for too
  ///   much.
  public init(_ data: [UInt8], place: String) throws {
    guard let format = ImageFile.format(of: data) else {
      throw ImageError(
        .unknownFormat, at: place, data.isEmpty ? "the file is empty" : "neither a JPEG nor a PNG file")
    }
    var header = cc_image()
    let limit = Int64(ImageFile.maximalPixels)
    let status =
      switch format {
      case .jpeg: cc_jpeg_open(data, data.count, limit, &header)
      case .png: cc_png_open(data, data.count, limit, &header)
      }
    try EncodedImage.check(status, header, format, place: place)
    (self.data, self.place, self.format, self.header) = (data, place, format, header)
    (width, height) = (Int(header.width), Int(header.height))
  }

  var isJPEG: Bool { format == .jpeg }

  /// Bytes that the decoded picture takes.
  public var byteCount: Int { width * height * 3 }

  /// The picture as RGB.
  /// - Throws: `ImageError` for damaged or unsupported data.
  public func decoded() throws -> Image {
    switch format {
    case .jpeg: try decodedJPEG(PixelRectangle(x: 0, y: 0, width: width, height: height))
    case .png: try decodedPNG(CC_RGB)
    }
  }

  /// A part of the picture as RGB: the same samples, and the same errors, as those of the whole picture, sooner where
  /// the decoder was seen to give them so (`ImageFile.decodesPartsExactly`).
  /// - Precondition: the rectangle lies inside the picture and is not empty.
  public func decoded(_ part: PixelRectangle) throws -> Image {
    precondition(part.isInside(width: width, height: height), "decoded: \(part) of \(width)×\(height)")
    guard format == .jpeg, ImageFile.decodesPartsExactly else { return try decoded().cropped(part) }
    return try decodedJPEG(part)
  }

  /// What the decoder makes of a part alone.
  func decodedJPEG(_ part: PixelRectangle) throws -> Image {
    precondition(format == .jpeg, "decodedJPEG: not a JPEG")
    var result = header
    let region = cc_region(
      x: Int32(part.x), y: Int32(part.y), width: Int32(part.width), height: Int32(part.height))
    let count = part.width * part.height * 3
    let pixels = try [UInt8](unsafeUninitializedCapacity: count) { pixels, initialized in
      let status = cc_jpeg_decode(data, data.count, region, pixels.baseAddress!, &result)
      try EncodedImage.check(status, result, format, place: place)
      initialized = count
    }
    return Image(width: part.width, height: part.height, channels: 3, pixels: pixels)
  }

  /// One channel of gray levels or palette indices just as stored.
  /// - Throws: `ImageError`; anything but a PNG of one channel of 8 bits or less is refused.
  public func indices() throws -> Image {
    guard format == .png else { throw ImageError(.unknownFormat, at: place, "not a PNG file") }
    return try decodedPNG(CC_INDICES)
  }

  /// The ids of a panoptic PNG.
  /// - Throws: `ImageError`; gray, palette and 16-bit pictures are `unsupported`, since their values are no ids.
  public func labels() throws -> LabelImage {
    var map = LabelImage(width: 0, height: 0, ids: [])
    try map.decode(self)
    return map
  }

  /// Writes the ids of a panoptic PNG, `width × height`.
  /// - Throws: as `labels`.
  func decodeLabels(to ids: UnsafeMutableBufferPointer<UInt32>) throws {
    precondition(ids.count == width * height, "decodeLabels: \(ids.count) ids for \(width)×\(height)")
    guard format == .png else { throw ImageError(.unknownFormat, at: place, "not a PNG file") }
    guard header.source_channels == 3, header.source_depth == 8 else {
      let kind =
        header.source_channels == 3 ? "a 16-bit" : header.has_palette != 0 ? "a palette" : "a gray"
      throw ImageError(
        .unsupported, at: place, "a panoptic PNG holds its ids in 8-bit RGB; this is \(kind) picture")
    }
    try decodePNG(CC_IDS, to: UnsafeMutableRawPointer(ids.baseAddress!))
  }

  private func decodedPNG(_ layout: cc_layout) throws -> Image {
    let channels = layout == CC_RGB ? 3 : 1
    let count = width * height * channels
    let pixels = try [UInt8](unsafeUninitializedCapacity: count) { pixels, initialized in
      try decodePNG(layout, to: UnsafeMutableRawPointer(pixels.baseAddress!))
      initialized = count
    }
    return Image(width: width, height: height, channels: channels, pixels: pixels)
  }

  private func decodePNG(_ layout: cc_layout, to pixels: UnsafeMutableRawPointer) throws {
    var result = header
    let status = cc_png_decode(Backend.instructionSet.codecs, data, data.count, layout, pixels, &result)
    try EncodedImage.check(status, result, format, place: place)
  }

  private static func check(
    _ status: cc_status, _ result: cc_image, _ format: ImageFile.Format, place: String
  ) throws {
    if status == CC_OK { return }
    let kind = format == .jpeg ? "JPEG" : "PNG"
    let reason = withUnsafeBytes(of: result.message) { raw in
      String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
    }
    let (code, words): (ImageError.Code, String) =
      switch status {
      case CC_UNSUPPORTED: (.unsupported, "this kind of \(kind) is not supported")
      case CC_TOO_LARGE: (.tooLarge, "a \(kind) larger than allowed")
      case CC_NO_MEMORY: (.tooLarge, "no memory for this \(kind)")
      default: (.corrupt, "a damaged \(kind)")
      }
    throw ImageError(code, at: place, "\(words): \(reason)")
  }
}

extension Backend.InstructionSet {
  /// Its name in the C of pictures.
  var codecs: cc_isa {
    switch self {
    case .scalar: CC_SCALAR
    case .avx2: CC_AVX2
    case .avx512: CC_AVX512
    }
  }
}

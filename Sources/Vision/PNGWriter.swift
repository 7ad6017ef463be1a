import Determinism

/// Writes PNG files whose bytes depend on the samples alone: no library takes part, so no version of one can change
/// them. Flat label maps become small; photographs about as large as their samples.
public enum PNGWriter {
  /// The PNG file of a picture: 8-bit gray or RGB, one `IDAT`, no other chunks.
  ///
  /// Rows use filter 2 (difference to the row above) or 0, whichever leaves more zero bytes in the row.
  /// - Precondition: the picture is not empty; PNG has no pictures without pixels.
  public static func encode(_ image: Image) -> [UInt8] {
    precondition(image.width > 0 && image.height > 0, "PNGWriter: \(image.width)×\(image.height) picture")
    var out: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    var header = bigEndian(UInt32(image.width)) + bigEndian(UInt32(image.height))
    header += [8, image.channels == 3 ? 2 : 0, 0, 0, 0]
    appendChunk("IHDR", header, to: &out)
    appendChunk("IDAT", PNGDeflate.zlibStream(of: filteredRows(of: image)), to: &out)
    appendChunk("IEND", [], to: &out)
    return out
  }

  /// Writes the PNG file of a picture, replacing what is there.
  public static func write(_ image: Image, to path: String) throws(FileFailure) {
    try FileIO.write(encode(image), to: path)
  }

  /// Writes segment ids as COCO panoptic files have them.
  public static func write(_ labels: LabelImage, to path: String) throws(FileFailure) {
    try write(labels.rgb, to: path)
  }

  /// Each row with its filter byte in front.
  private static func filteredRows(of image: Image) -> [UInt8] {
    let stride = image.width * image.channels
    return [UInt8](unsafeUninitializedCapacity: (stride + 1) * image.height) { out, count in
      image.pixels.withUnsafeBufferPointer { pixels in
        for y in 0..<image.height {
          let row = UnsafeBufferPointer(rebasing: pixels[y * stride..<(y + 1) * stride])
          let target = UnsafeMutableBufferPointer(rebasing: out[y * (stride + 1) + 1..<(y + 1) * (stride + 1)])
          var same = 0
          var zero = 0
          if y > 0 {
            let above = UnsafeBufferPointer(rebasing: pixels[(y - 1) * stride..<y * stride])
            for i in 0..<stride {
              target[i] = row[i] &- above[i]
              same += target[i] == 0 ? 1 : 0
              zero += row[i] == 0 ? 1 : 0
            }
          }
          let useDifference = y > 0 && same >= zero
          out[y * (stride + 1)] = useDifference ? 2 : 0
          if !useDifference { for i in 0..<stride { target[i] = row[i] } }
        }
      }
      count = (stride + 1) * image.height
    }
  }

  private static func appendChunk(_ name: String, _ content: [UInt8], to out: inout [UInt8]) {
    out += bigEndian(UInt32(content.count))
    let start = out.count
    out += Array(name.utf8)
    out += content
    out += bigEndian(PNGChecksum.crc32(out[start...]))
  }

  private static func bigEndian(_ v: UInt32) -> [UInt8] {
    [UInt8(v >> 24), UInt8(v >> 16 & 255), UInt8(v >> 8 & 255), UInt8(v & 255)]
  }
}

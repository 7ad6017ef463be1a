import CCodecs

/// The versions of the libraries that read and write artifacts and images.
public enum LibraryVersions {
  /// One line, such as `HDF5 1.10.8, LZ4 1.9.4, libpng 1.6.39, libjpeg API 62`.
  public static var description: String {
    var text = [CChar](repeating: 0, count: 256)
    cc_library_versions(&text, text.count)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

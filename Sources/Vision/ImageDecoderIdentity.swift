import Determinism

extension ImageFile {
  /// The digest of what this machine's decoders make of six built-in pictures.
  ///
  /// JPEG leaves decoders some freedom. A stage that decodes puts this value into its key, so that results of machines
  /// whose libraries decode differently never pass for each other's.
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
}

import Determinism

/// The parameters of a stage; see `HasFormerNames` for members that were renamed. The values of a new instance are the
/// defaults of the pipeline file.
///
/// The canonical form of the complete set is in the key, so a default that changes changes the key. Members are
/// spelt `iouThreshold` here and `iou-threshold` in pipeline files. `uses`, `seed` and `repeat` may be no members.
public protocol StageParameters: Codable, Sendable {
  init()
}

/// The parameters of a stage that has none.
public struct NoParameters: StageParameters {
  public init() {}
}

extension StageParameters {
  /// The names of all parameters, as pipeline files spell them.
  package static var names: [String] {
    ParameterDecoder.names(of: Self.self, defaults: (try? CanonicalValue(encoding: Self())) ?? [:])
  }

  /// What a user wrote, completed by the defaults.
  /// - Throws: `PipelineError` with the place of a mistake.
  package static func parsed(from value: LocatedValue, defaults: CanonicalValue) throws -> Self {
    try ParameterDecoder.decode(Self.self, from: value, defaults: defaults)
  }
}

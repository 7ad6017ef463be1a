import Determinism
import Models

/// What this machine was found to do, each network measured once.
final class MachineMeasures {
  /// Of a panoptic network in training and testing, and of its backbone alone.
  typealias Panoptic = (training: Calibration.Measure, testing: Calibration.Measure, backbone: Calibration.Measure)

  private var calibration = Calibration()
  /// By canonical parameters.
  private var classifiers: [String: Calibration.Measure] = [:]
  private var networks: [String: Panoptic] = [:]

  /// Spent on measuring.
  var seconds: Double { calibration.seconds }

  /// - Parameter stage: for errors.
  /// - Throws: `PipelineError` for a network that no machine could measure.
  func classifierTraining(
    _ backbone: BackboneConfiguration, content: BackboneChoices, side: Int, stage: String
  ) throws -> Calibration.Measure {
    try NetworkBulk(backbone).check(stage: stage)
    let identity = MachineMeasures.identity(backbone, isSupernet: content == .supernet)
    if let known = classifiers[identity] { return known }
    let measured = calibration.classifierTraining(backbone, content: content, side: side)
    classifiers[identity] = measured
    return measured
  }

  /// - Parameters:
  ///   - picture: its padded size.
  ///   - stage: for errors.
  /// - Throws: `PipelineError` for a network that no machine could measure.
  func panoptic(
    _ network: NetworkConfiguration, content: NetworkContent, data: DataSize, picture: (height: Int, width: Int),
    stage: String
  ) throws -> Panoptic {
    try NetworkBulk(network).check(stage: stage)
    let identity = MachineMeasures.identity(network, isSupernet: content == .supernet)
    if let known = networks[identity] { return known }
    let measured = calibration.panoptic(
      network, content: content, data: data, height: picture.height, width: picture.width)
    networks[identity] = measured
    return measured
  }

  private static func identity(_ configuration: some Encodable, isSupernet: Bool) -> String {
    let text = (try? CanonicalValue(encoding: configuration).canonicalText) ?? ""
    return isSupernet ? text + " supernet" : text
  }
}

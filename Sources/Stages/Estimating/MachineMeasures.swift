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
  private var loaders: [String: Double] = [:]
  private var indexSeconds: Double?

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

  /// Seconds of one thread to make an image of a batch, of a panoptic data set.
  func loading(_ input: PanopticInput, data: DataSize) throws -> Double {
    try loading("\(input) \(data.width)x\(data.height)") { try LoadingMeasure.panoptic(input, data) }
  }

  /// Seconds of one thread to make an image of a batch of a classifier.
  func loading(_ input: ClassificationInput, data: DataSize) throws -> Double {
    try loading("\(input) \(data.width)x\(data.height)") { try LoadingMeasure.classification(input, data) }
  }

  private func loading(_ identity: String, measure: () throws -> LoadingMeasure) throws -> Double {
    if let known = loaders[identity] { return known }
    let measure = try measure()
    let images = measure.images
    let seconds = calibration.least { measure.run() }.seconds / images
    loaders[identity] = seconds
    return seconds
  }

  /// Seconds to read the index of so many images of a panoptic data set.
  func indexing(_ images: Int) throws -> Double {
    let known =
      try indexSeconds
      ?? {
        let text = try LoadingMeasure.index(images: 500)
        return calibration.least { LoadingMeasure.read(text) }.seconds / 500
      }()
    indexSeconds = known
    return known * Double(images)
  }

  private static func identity(_ configuration: some Encodable, isSupernet: Bool) -> String {
    let text = (try? CanonicalValue(encoding: configuration).canonicalText) ?? ""
    return isSupernet ? text + " supernet" : text
  }
}

import Models

/// A stage or source that says what a run of it would take.
///
/// `estimate` lists kinds that don't conform as not estimated.
public protocol WorkEstimating {
  /// What later stages ask for.
  /// - Throws: where the parameters describe something that cannot be estimated.
  func facts(at site: EstimationSite) throws -> StageFacts
  /// Bytes that an instance takes, about, told in no time; nil where it isn't much or not known.
  func claimedMemory(at site: EstimationSite) -> Int?
  /// - Parameter site: the stage's place in a pipeline, and the machine.
  /// - Throws: where the parameters describe something that cannot be estimated.
  func estimatedWork(at site: EstimationSite) throws -> EstimatedWork
}

extension WorkEstimating {
  public func facts(at site: EstimationSite) -> StageFacts { StageFacts() }
  public func claimedMemory(at site: EstimationSite) -> Int? { nil }
}

/// A stage that computes no network: it takes seconds, or as long as the disk.
protocol NegligibleWork: WorkEstimating {}

extension NegligibleWork {
  public func estimatedWork(at site: EstimationSite) -> EstimatedWork { EstimatedWork() }
}

/// What an instance of a stage takes, or several of them.
public struct EstimatedWork: Sendable {
  /// Steps of one instance, and what they are called.
  public var steps: (count: Int, unit: String)?
  public var images = 0
  public var multiplyAdds = 0.0
  /// How its time comes about; nil for stages that compute no network, or say how long they take.
  public var course: WorkCourse?
  /// Its time on any machine, of a stage that says no more.
  public var seconds: Double?
  /// Bytes, the most at any time.
  public var memory = 0
  /// Of the results; checkpoints of a training, which are removed at its end, come on top.
  public var bytesWritten = 0
  public var checkpointBytes = 0
  /// GPU-hours that the paper states for the same work, and how.
  public var paper: (hours: Double, text: String)?

  public init() {}

  /// Of so many instances. Steps and memory stay those of one.
  func times(_ instances: Int) -> EstimatedWork {
    var work = self
    work.images = images.multipliedSaturated(by: instances)
    work.multiplyAdds *= Double(instances)
    work.bytesWritten = bytesWritten.multipliedSaturated(by: instances)
    work.course?.instances = instances
    work.seconds = seconds.map { $0 * Double(instances) }
    work.paper = paper.map { ($0.hours * Double(instances), $0.text) }
    return work
  }
}

/// What is known of the outputs of a stage before it runs.
public struct StageFacts: Sendable {
  /// Of a data set; a stage that says nothing passes on that of its input.
  public var data: DataSize?
  /// Of a split of a data set: images that judge candidates.
  public var validationImages: Int?
  /// Of an array: elements of one run.
  public var elements: Int?
  /// Of weights: the network, and what it was trained on.
  public var network: (configuration: NetworkConfiguration, data: DataSize)?

  public init(data: DataSize? = nil, validationImages: Int? = nil, elements: Int? = nil) {
    self.init(data: data, validationImages: validationImages, elements: elements, network: nil)
  }

  init(
    data: DataSize? = nil, validationImages: Int? = nil, elements: Int? = nil,
    network: (configuration: NetworkConfiguration, data: DataSize)?
  ) {
    self.data = data
    self.network = network
    self.validationImages = validationImages
    self.elements = elements
  }
}

/// A stage's place in a pipeline, as far as it can be known before a run.
public struct EstimationSite {
  public let stage: String
  /// Nil where results of the run decide.
  public let instances: Int?
  /// By the names of inputs.
  let facts: [String: StageFacts]
  /// Of the machine that the stage is to run on.
  public let threads: Int
  let machine: MachineMeasures

  /// What is known of an input; nothing of one that is not connected.
  public func facts(of input: String) -> StageFacts { facts[input] ?? StageFacts() }

  /// The data set in an input; an empty one where nothing is known.
  public func data(of input: String = "data") -> DataSize { facts(of: input).data ?? DataSize() }
}

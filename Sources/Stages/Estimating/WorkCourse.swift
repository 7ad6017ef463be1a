import Datasets
import Determinism

/// Machines that a pipeline is planned for. Their processors are as fast as this one's.
public struct PlannedMachines: Sendable {
  public var nodes: Int
  /// Of a node.
  public var processors: Int
  /// Processes that share a training; at most one on each node.
  public var workers: Int
  /// Bytes in a second, of the network of a node.
  public var bandwidth: Double
  /// Instances of a stage side by side on a node at most.
  public var jobs: Int

  public init(nodes: Int, processors: Int, workers: Int? = nil, bandwidth: Double, jobs: Int = 8) {
    precondition(nodes >= 1 && processors >= 1 && workers ?? 1 >= 1 && jobs >= 1 && bandwidth > 0)
    self.nodes = nodes
    self.processors = processors
    self.workers = min(workers ?? nodes, nodes)
    self.bandwidth = bandwidth
    self.jobs = jobs
  }
}

/// How the time of a stage comes about, so that it can be told for other machines than this one.
///
/// The workers of a training share the passes of a step; where there are fewer passes than workers, the images of a
/// pass. A worker computes its passes side by side, or over large pictures one after the other with all threads.
/// Instances are spread over nodes.
public struct WorkCourse: Sendable {
  var instances = 1
  /// Seconds of an instance before its first step, by one thread.
  var setup = 0.0
  /// Of an instance.
  var steps = 1
  /// Of a step.
  var passes = 1
  /// Of a pass.
  var images = 1
  /// The processor time of a pass, and of its loops.
  var pass = LoopProfile()
  /// Whether passes come one after the other.
  var isOneByOne = false
  /// Seconds of one thread to make an image of a batch; in the background there may be several.
  var loading = 0.0
  /// Whether batches are made in the background.
  var isLoadedAhead = true
  /// Bytes of the gradients of a pass; 0 of what only one worker does.
  var gradientBytes = 0.0

  /// Seconds that all instances take, and the nodes that they use.
  func time(on machines: PlannedMachines) -> (seconds: Double, nodes: Int) {
    guard instances > 1 else {
      let workers = gradientBytes > 0 ? min(machines.workers, passes.multipliedSaturated(by: images)) : 1
      return (instance(threads: machines.processors, workers: workers, machines.bandwidth), workers)
    }
    let nodes = min(machines.nodes, instances)
    let onNode = (instances - 1) / nodes + 1
    let sideBySide = min(machines.jobs, machines.processors, onNode)
    let rounds = (onNode - 1) / sideBySide + 1
    let threads = max(1, machines.processors / sideBySide)
    return (Double(rounds) * instance(threads: threads, workers: 1, machines.bandwidth), nodes)
  }

  private func instance(threads: Int, workers: Int, _ bandwidth: Double) -> Double {
    setup + Double(steps) * step(threads: threads, workers: workers, bandwidth)
  }

  private func step(threads: Int, workers: Int, _ bandwidth: Double) -> Double {
    // Of the worker that has most to do.
    let passesHere = (passes - 1) / workers + 1
    let imagesHere = (images - 1) / max(1, workers / passes) + 1
    let share = Double(imagesHere) / Double(images)
    let sideBySide = isOneByOne ? 1 : min(threads, passesHere)
    let rounds = Double(passesHere) / Double(sideBySide)
    let computing = rounds * share * pass.seconds / pass.speedup(threads: max(1, threads / sideBySide))
    let loaders = isLoadedAhead ? LoadingThreads.count(beside: threads) : 1
    let loading = Double(passesHere * imagesHere) * loading / Double(loaders)
    // Every pass sends its gradients and gets the sums; nothing of it is counted as hidden behind the next pass.
    let exchange = workers > 1 ? Double(passesHere) * 2 * gradientBytes / bandwidth : 0
    return (isLoadedAhead ? max(computing, loading) : computing + loading) + exchange
  }
}

/// When a stage saves checkpoints: as often as saving costs at most a hundredth of the time, but not more often than
/// once a minute, and at least every ten minutes.
///
/// It reads no clock. Times are seconds since any moment, such as the start of the stage.
///
/// ```swift
/// var policy = CheckpointPolicy(interval: context.checkpointInterval, start: now())
/// ...
/// if policy.isDue(at: now()) {
///   let begin = now()
///   try context.saveCheckpoint(step: done, of: total) { try save(to: $0) }
///   policy.saved(from: begin, to: now())
/// }
/// ```
public struct CheckpointPolicy: Sendable {
  /// Seconds between checkpoints that cost next to nothing: what is lost at most if the machine fails. Saving more
  /// often would write more than that is worth.
  public static let shortest = 60.0
  /// Seconds between checkpoints that cost much.
  public static let longest = 600.0
  /// Of the time, for saving.
  public static let share = 0.01

  /// As the user wants it.
  private let fixed: Double?
  /// When the last one was saved.
  private var last: Double
  /// Seconds that saving took lately.
  private var cost = 0.0

  /// - Parameters:
  ///   - interval: seconds between checkpoints, where the user says so; 0 saves one after every step.
  ///   - start: the time now.
  public init(interval: Double?, start: Double) {
    fixed = interval
    last = start
  }

  /// Seconds from one checkpoint to the next.
  public var interval: Double {
    fixed ?? min(CheckpointPolicy.longest, max(CheckpointPolicy.shortest, cost / CheckpointPolicy.share))
  }

  public func isDue(at time: Double) -> Bool { time - last >= interval }

  /// Notes that a checkpoint was saved. A disk that was slow once counts half as much the next time.
  public mutating func saved(from begin: Double, to end: Double) {
    cost = max(end - begin, cost / 2)
    last = end
  }
}

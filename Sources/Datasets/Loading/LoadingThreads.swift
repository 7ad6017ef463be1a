/// Threads that make batches in the background.
public enum LoadingThreads {
  /// One for every sixteen that compute, as many as batches are made ahead at most: one alone can't keep up with a
  /// network that runs on a whole node.
  public static func count(beside threads: Int) -> Int { max(1, min(4, threads / 16)) }
}

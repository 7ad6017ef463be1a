import Determinism

/// Strictly fair paths: in every block of `blockLength` consecutive paths, each choice of a layer occurs equally often.
///
/// A layer with `P` choices gets, for a block of `m` paths, `m / P` independent random permutations of its choices in
/// a row. An update of the supernet uses one block, and so does a cycle of path-priority search. (The published program
/// reads the rows one step late, which breaks fairness inside a window.)
public struct FairSampler: Sendable {
  public let space: SearchSpace
  private let seeds: Seeds
  private let path: String

  /// - Parameter path: prefix of the random streams; block `b` uses `path/b`.
  public init(space: SearchSpace, seeds: Seeds, path: String = "paths") {
    (self.space, self.seeds, self.path) = (space, seeds, path)
  }

  /// All paths of block `index`: a function of seed and index alone.
  public func block(_ index: Int) -> [Genome] {
    var random = seeds.stream("\(path)/\(index)")
    return FairSampler.block(in: space, using: &random)
  }

  /// One fair block.
  public static func block(in space: SearchSpace, using random: inout RandomStream) -> [Genome] {
    let length = space.blockLength
    let rows = space.choicesPerLayer.map { choices in
      (0..<length / choices).flatMap { _ in random.permutation(choices) }
    }
    return (0..<length).map { step in Genome(rows.map { $0[step] }) }
  }
}

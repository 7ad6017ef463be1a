import Autograd
import Determinism
import NN
import Tensors

/// Results of passes as bytes for other members of a team, which run the same program.
enum PassResultCoding {
  /// - Parameter norms: all layers that statistics may be of, the same for whoever reads the bytes.
  static func bytes(of results: [PassResult], norms: [BatchNorm2d]) -> [UInt8] {
    let places = Dictionary(uniqueKeysWithValues: norms.enumerated().map { (ObjectIdentifier($1), $0) })
    var bytes = WireBytes()
    bytes.write(results.count)
    for result in results {
      bytes.write(result.losses.map { Double($0) })
      bytes.write(result.statistics.count)
      for update in result.statistics {
        guard let place = places[ObjectIdentifier(update.layer)] else {
          preconditionFailure("PassResultCoding: statistics of a layer that is not of the network")
        }
        bytes.write(place)
        bytes.write([update.weight])
        bytes.write(update.batch.mean)
        bytes.write(update.batch.variance)
      }
    }
    return bytes.bytes
  }

  static func results(from bytes: [UInt8], norms: [BatchNorm2d]) -> [PassResult] {
    var rest = WireReader(bytes)
    return (0..<rest.integer()).map { _ in
      let losses = rest.doubles().map { Float($0) }
      return PassResult(
        losses: losses,
        statistics: (0..<rest.integer()).map { _ in
          let layer = norms[rest.integer()]
          let weight = rest.doubles()[0]
          let mean = rest.doubles()
          return StatisticsUpdate(
            layer: layer, batch: BatchNormalization.BatchMoments(mean: mean, variance: rest.doubles()), weight: weight)
        })
    }
  }
}

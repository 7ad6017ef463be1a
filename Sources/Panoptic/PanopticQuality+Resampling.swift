import Determinism

extension PanopticQuality {
  /// Qualities of one set of images in [0, 1].
  public struct Overall: Hashable, Sendable {
    public var pq: Double
    public var sq: Double
    public var rq: Double
    public var things: Double
    public var stuff: Double
  }

  /// Those of all images.
  public var overall: Overall {
    Overall(pq: all.pq, sq: all.sq, rq: all.rq, things: things.pq, stuff: stuff.pq)
  }

  /// Qualities over images that are drawn with replacement, as many as there are, again and again: how far they depend on
  /// the choice of images (method 16.4).
  ///
  /// Draw `i` takes the same images for every prediction of equally many images, so that differences of predictions can be
  /// formed draw by draw.
  /// - Parameter seeds: draws come from the streams `images/0` and so on.
  public func resampled(draws: Int, seeds: Seeds) -> [Overall] {
    let isThing = categories.categories.map(\.isThing)
    return Parallel.map(draws) { draw in
      var random = seeds.stream("images/\(draw)")
      var counts = [MatchCounts](repeating: MatchCounts(), count: categories.count)
      for _ in images.indices {
        for entry in images[random.below(images.count)] { counts[entry.category] += entry.counts }
      }
      let all = GroupQuality(counts)
      func pq(things wanted: Bool) -> Double {
        GroupQuality(zip(counts, isThing).lazy.filter { $0.1 == wanted }.map(\.0)).pq
      }
      return Overall(pq: all.pq, sq: all.sq, rq: all.rq, things: pq(things: true), stuff: pq(things: false))
    }
  }
}

import Models
import Panoptic
import Search

/// What an evaluated candidate is worth.
struct CandidateResult: Codable, Sendable {
  var architecture: Architecture
  /// Overall panoptic quality in [0, 1], at full precision: the fitness.
  var pq: Double
  /// Jackknife over the images.
  var standardError: Double?
  var things: Double
  var stuff: Double
  var sq: Double
  var rq: Double
  var images: Int
}

extension CandidateResult {
  init(architecture: Architecture, quality: PanopticQuality) {
    self.init(
      architecture: architecture, pq: quality.all.pq, standardError: quality.standardError, things: quality.things.pq,
      stuff: quality.stuff.pq, sq: quality.all.sq, rq: quality.all.rq, images: quality.images.count)
  }
}

extension CandidateResult {
  /// - Parameter network: whose space the architecture must be of, where it is known.
  /// - Throws: `SearchError` for an architecture of another space, and for numbers that no evaluation gives.
  func check(in network: NetworkConfiguration?, place: String) throws {
    if let network {
      try network.validate(architecture, place: "\(place): architecture")
    } else {
      try architecture.checkPlausible(place: "\(place): architecture")
    }
    for (value, name) in [(pq, "pq"), (things, "things"), (stuff, "stuff"), (sq, "sq"), (rq, "rq")] {
      guard (0...1).contains(value) else {
        throw SearchError(.badResults, at: "\(place): \(name)", "\(value) is no quality in 0...1")
      }
    }
    if let standardError, !(standardError >= 0 && standardError.isFinite) {
      throw SearchError(.badResults, at: "\(place): standardError", "must not be negative, is \(standardError)")
    }
    guard images >= 0 else {
      throw SearchError(.badResults, at: "\(place): images", "must not be negative, is \(images)")
    }
  }
}

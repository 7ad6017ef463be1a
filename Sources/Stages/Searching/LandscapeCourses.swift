import Determinism
import Pipelines
import Search

/// What policies found on landscapes of one kind, as an artifact.
struct LandscapeCourses: Codable, Sendable {
  /// One policy on all landscapes.
  struct Course: Codable, Sendable {
    var policy: String
    /// Ascending.
    var evaluations: [Int]
    /// `regret[number of evaluations][landscape]`: how much fitter than the policy's model the optimum is, in standard
    /// deviations of random models, to six decimals.
    var regret: [[Double]]
  }

  var landscape: LandscapeDescription
  var courses: [Course]

  /// - Parameter trials: the courses of the same policies on each landscape.
  init(landscape: LandscapeDescription, trials: [[PolicyCourse]]) {
    self.landscape = landscape
    courses = trials[0].enumerated().map { i, first in
      Course(
        policy: first.policy, evaluations: first.evaluations,
        regret: first.evaluations.indices.map { place in trials.map { (1e6 * $0[i].regret[place]).rounded() / 1e6 } })
    }
  }

  /// The regrets of a policy after so many evaluations; nil where it was not judged then.
  func regrets(_ policy: String, _ evaluations: Int) -> [Double]? {
    guard let course = courses.first(where: { $0.policy == policy }),
      let place = course.evaluations.firstIndex(of: evaluations)
    else { return nil }
    return course.regret[place]
  }

  /// Mean regrets by policy and number of evaluations.
  var metrics: CanonicalValue {
    .object(
      Dictionary(
        uniqueKeysWithValues: courses.filter { !$0.evaluations.isEmpty }.map { course in
          let means = zip(course.evaluations, course.regret).map { count, regrets in
            ("\(count)", CanonicalValue.number(regrets.reduce(0, +) / Double(regrets.count)))
          }
          return (course.policy, .object(Dictionary(uniqueKeysWithValues: means)))
        }))
  }

  /// - Throws: `StageInputError` for what no such stage writes.
  func check(place: String) throws {
    func refuse(_ problem: String) -> StageInputError { StageInputError(description: "\(place): \(problem)") }
    guard (0...1).contains(landscape.epistasis), (0...1000).contains(landscape.noise) else {
      throw refuse("epistasis \(landscape.epistasis) and noise \(landscape.noise) are of no landscape")
    }
    guard let count = courses.lazy.compactMap(\.regret.first).first?.count, (2...10_000).contains(count) else {
      throw refuse("needs courses on 2 to 10000 landscapes")
    }
    guard courses.count <= 200, Set(courses.map(\.policy)).count == courses.count else {
      throw refuse("names a policy twice, or more than 200")
    }
    for course in courses {
      guard course.evaluations.count == course.regret.count, course.evaluations.allSatisfy(counts.contains),
        zip(course.evaluations, course.evaluations.dropFirst()).allSatisfy({ $0 < $1 })
      else { throw refuse("'\(course.policy)': evaluations must ascend, each with its regrets") }
      for regrets in course.regret {
        guard regrets.count == count, regrets.allSatisfy({ $0.magnitude < 1e6 }) else {
          throw refuse("'\(course.policy)': needs regrets of all \(count) landscapes")
        }
      }
    }
  }
}

import Testing

@testable import Determinism
@testable import Stages

@Suite("Times on other machines, by a simple model")
struct WorkCourseTests {
  /// A training whose pass takes a second of one thread, all of it in loops of very many pieces.
  private func training(passes: Int, images: Int = 1) -> WorkCourse {
    var course = WorkCourse()
    course.steps = 100
    course.passes = passes
    course.images = images
    course.pass = LoopProfile(seconds: 1, loops: [.init(pieces: 1e9, seconds: 1)])
    course.gradientBytes = 1e9
    return course
  }

  private func machines(
    _ nodes: Int, _ processors: Int, workers: Int? = nil, bandwidth: Double = .infinity
  ) -> PlannedMachines {
    PlannedMachines(nodes: nodes, processors: processors, workers: workers, bandwidth: bandwidth)
  }

  private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a / b - 1) < 0.01 }

  @Test("passes divide the processors of a node, whether side by side or one after the other")
  func oneNode() {
    var course = training(passes: 12)
    #expect(isClose(course.time(on: machines(1, 1)).seconds, 1200))
    #expect(isClose(course.time(on: machines(1, 4)).seconds, 300))
    #expect(isClose(course.time(on: machines(1, 48)).seconds, 25))
    course.isOneByOne = true
    #expect(isClose(course.time(on: machines(1, 48)).seconds, 25))
  }

  @Test("workers share passes; one that has two of them takes as long as two")
  func workers() {
    let course = training(passes: 12)
    #expect(isClose(course.time(on: machines(4, 12)).seconds, 25))
    #expect(isClose(course.time(on: machines(8, 12)).seconds, 100 * 2 / 12.0))
    #expect(course.time(on: machines(8, 12)).nodes == 8 && course.time(on: machines(8, 12, workers: 3)).nodes == 3)
  }

  @Test("where there are more workers than passes they share images, and no more are used than there are")
  func images() {
    let course = training(passes: 2, images: 8)
    #expect(isClose(course.time(on: machines(8, 10)).seconds, 100 * 0.25 / 10))
    #expect(course.time(on: machines(64, 10)).nodes == 16)
  }

  @Test("every pass exchanges its gradients once in each direction")
  func exchange() {
    let (near, far) = (machines(4, 12, bandwidth: .infinity), machines(4, 12, bandwidth: 1e9))
    let course = training(passes: 12)
    // Three passes of a worker, a gigabyte each, at a gigabyte a second.
    #expect(isClose(course.time(on: far).seconds - course.time(on: near).seconds, 100 * 3 * 2))
    #expect(isClose(course.time(on: machines(1, 12, bandwidth: 1e9)).seconds, 100))
  }

  @Test("batches made ahead count where they take longer than the passes, others on top")
  func loading() {
    var course = training(passes: 2, images: 4)
    course.loading = 0.05
    #expect(isClose(course.time(on: machines(1, 1)).seconds, 200))
    #expect(isClose(course.time(on: machines(1, 10)).seconds, 40))
    course.isLoadedAhead = false
    #expect(isClose(course.time(on: machines(1, 10)).seconds, 20 + 40))
  }

  @Test("instances spread over nodes, eight side by side on one; what is indivisible takes its time")
  func instances() {
    var course = training(passes: 1)
    course.gradientBytes = 0
    course.instances = 60
    #expect(isClose(course.time(on: machines(1, 8)).seconds, 8 * 100))
    #expect(isClose(course.time(on: machines(4, 8)).seconds, 2 * 100))
    #expect(isClose(course.time(on: machines(15, 8)).seconds, 50))
    #expect(course.time(on: machines(100, 8)).nodes == 60)
    course.setup = 7
    #expect(isClose(course.time(on: machines(100, 8)).seconds, 7 + 100 / 8.0))
  }
}

import Testing

@testable import Stages

@Suite("SelectArchitectureStage.Fitness")
struct FitnessTests {
  @Test("rounded fitness is percent with two decimals, as in the published program; exact fitness is unchanged")
  func roundedFitness() {
    let fitness = SelectArchitectureStage.Fitness.rounded
    #expect(fitness.value(0.123_449) == 0.1234 && fitness.value(0.123_451) == 0.1235)
    #expect(fitness.value(0.123_41) == fitness.value(0.123_36))
    #expect(SelectArchitectureStage.Fitness.exact.value(0.123_456_789) == 0.123_456_789)
  }
}

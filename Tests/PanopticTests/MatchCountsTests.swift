import Testing

@testable import Panoptic

@Suite("MatchCounts and GroupQuality")
struct MatchCountsTests {
  @Test("PQ is the sum of IoU over TP + FP/2 + FN/2, SQ the mean IoU of matches, RQ the F1 score")
  func definition() {
    let counts = MatchCounts(iou: 2.4, truePositives: 3, falsePositives: 1, falseNegatives: 3)
    #expect(counts.pq == 2.4 / 5 && counts.sq == 2.4 / 3 && counts.rq == 3.0 / 5)
  }

  @Test("quality without matches is 0, and only a class without any segment is absent")
  func noMatches() {
    let missed = MatchCounts(falseNegatives: 2)
    #expect(!missed.isAbsent && missed.pq == 0 && missed.sq == 0 && missed.rq == 0)
    #expect(MatchCounts().isAbsent && MatchCounts().pq == 0)
  }

  @Test("the quality of a group is the mean over classes that occur")
  func groups() {
    let perfect = MatchCounts(iou: 1, truePositives: 1)
    let group = GroupQuality([perfect, MatchCounts(), MatchCounts(falsePositives: 1)])
    #expect(group.count == 2 && group.pq == 0.5 && group.sq == 0.5 && group.rq == 0.5)
  }
}

@Suite("ImageID")
struct ImageIDTests {
  @Test("a number and the text of its digits are different ids, and text is compared byte by byte")
  func equality() {
    #expect(ImageID.number(5) != .text("5") && ImageID.text("a") == .text("a"))
    #expect(ImageID.text("\u{E9}") != .text("e\u{301}"))
    #expect(Set([ImageID.text("\u{E9}"), .text("e\u{301}"), .number(5), .number(5)]).count == 3)
  }
}

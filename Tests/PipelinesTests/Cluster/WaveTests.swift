import Determinism
import Testing

@testable import PipelineModel
@testable import Slurm

@Suite("Waves: what the runner makes of queue and letters")
struct WaveTests {
  private static let store = "/data/store"
  private static let wave = Wave(store: store, name: "0123456789abcdef")

  private func queue(_ lines: String...) -> Queue { Queue(text: lines.joined(separator: "\n"), store: Self.store) }

  @Test("the queue is read element by element, for this store alone")
  func reading() {
    let queue = queue(
      "\(Self.wave.jobName)|12_0|RUNNING|None", "\(Self.wave.jobName)|12_1|PENDING|Resources",
      "ap-00000000-0123456789abcdef|13_0|RUNNING|None", "someone|14|RUNNING|None",
      "\(Self.wave.jobName)|12_[2-5]|PENDING|x",
      "", "|||", "no bars")
    #expect(queue.entries.count == 2)
    #expect(queue[Self.wave.name, 1] == Queue.Entry(job: "12_1", state: "PENDING", reason: "Resources"))
  }

  @Test("of two jobs for one element the living one counts")
  func twice() {
    let queue = queue("\(Self.wave.jobName)|12_0|RUNNING|None", "\(Self.wave.jobName)|9_0|NODE_FAIL|None")
    #expect(queue[Self.wave.name, 0]?.job == "12_0")
  }

  @Test(
    "a state that is not known counts as living", arguments: ["UNKNOWN", "SPECIAL_EXIT", "REQUEUE_HOLD", "SIGNALING"])
  func unknownStates(_ state: String) {
    var attempt = Attempt()
    let entry = Queue.Entry(job: "1_0", state: state, reason: "None")
    for _ in 0..<10 { #expect(attempt.judge(letters: [], entry: entry, hasAnswered: true) == .wait) }
  }

  @Test("an absent job is waited for a while, since its letter may be late")
  func patience() {
    var attempt = Attempt()
    #expect(attempt.judge(letters: [], entry: nil, hasAnswered: true) == .wait)
    #expect(attempt.judge(letters: [], entry: nil, hasAnswered: true) == .wait)
    #expect(attempt.judge(letters: [], entry: nil, hasAnswered: false) == .wait)
    guard case .lost = attempt.judge(letters: [], entry: nil, hasAnswered: true) else {
      Issue.record("an absent job was waited for ever")
      return
    }
  }

  @Test("a letter decides, whatever the queue says")
  func letters() {
    let running = Queue.Entry(job: "1_0", state: "RUNNING", reason: "None")
    var attempt = Attempt()
    let recorded = Letter.End.recorded(seconds: 1, wasThere: false)
    #expect(attempt.judge(letters: [.interrupted, recorded], entry: running, hasAnswered: true) == .recorded)
    let failed = Letter.End.failed(message: "m", isUserData: true)
    #expect(attempt.judge(letters: [failed], entry: nil, hasAnswered: false) == .failed(message: "m", isUserData: true))
    // What another attempt may do is left to the queue.
    #expect(attempt.judge(letters: [.lost(message: "disk")], entry: running, hasAnswered: true) == .wait)
  }

  @Test("letters and beats survive their text")
  func texts() {
    let ends: [Letter.End] = [
      .recorded(seconds: 1.5, wasThere: true), .failed(message: "no | \n \"", isUserData: false),
      .lost(message: "x"), .interrupted,
    ]
    for end in ends {
      let letter = Letter(key: Digest(of: "k"), end: end, node: "n1")
      #expect(Letter(canonical: letter.canonical) == letter)
    }
    let beat = Beat(stage: "a[3]", node: "n2", attempt: 1, step: 3, of: 9, unit: "updates", detail: "loss 1")
    #expect(Beat(canonical: beat.canonical) == beat)
    #expect(Letter(canonical: ["key": "no"]) == nil)
  }

  @Test(
    "names of letters", arguments: [("3.0.1", 3), ("3.0.1~", nil), ("x", nil), ("-1.0.0", nil), ("3.0.0.12.part", nil)])
  func names(_ name: String, _ element: Int?) { #expect(Letter.place(of: name)?.element == element) }
}

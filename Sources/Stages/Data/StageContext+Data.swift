import Datasets
import Panoptic
import Pipelines

extension StageContext {
  /// A part of the panoptic data set in the input `data`, read through the input's manifest; what it leaves out is
  /// told.
  /// - Parameter isRepeated: of a stage that many instances run, which would all tell the same: it goes to their logs.
  func panopticData(_ part: PanopticPart, isRepeated: Bool = false) throws -> PanopticDataset {
    let data = try PanopticDataset(part, in: input("data").tree)
    if isRepeated { data.notes.forEach(log) } else { tell(data.notes) }
    return data
  }

  /// The images of a panoptic data set that a detector can learn from; those left out are told.
  func usableForTraining(_ data: PanopticDataset) throws -> PanopticDataset {
    let usable = try data.usableForTraining()
    tell(Array(usable.notes.dropFirst(data.notes.count)))
    return usable
  }

  /// Whatever was left out or looks wrong, where the user sees it.
  func tell(_ notes: [String]) {
    for note in notes { notice(note) }
  }
}

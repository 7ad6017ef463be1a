import Datasets
import Models
import NN
import Panoptic
import Pipelines

/// Trains a panoptic network whose backbone starts from the artifact `weights`, and writes it as the output `weights`.
func trainPanoptic(
  by driver: TrainingDriver, data: PanopticDataset, network configuration: NetworkConfiguration,
  content: NetworkContent, paths: PanopticTraining.Paths, recipe: PanopticRecipe, input: PanopticInput
) throws {
  let context = driver.context
  let (things, stuff) = (data.categories.things.count, data.categories.stuff.count)
  try context.requireMemory(
    values: MemoryNeed.training(
      configuration, isSupernet: content == .supernet, things: things, stuff: stuff, recipe: recipe, input: input,
      images: data.samples.count),
    advice: "'recipe.batch', 'input.resize' or 'network'")
  let network = PanopticNetwork(
    configuration, thingClasses: things, stuffClasses: stuff, content: content,
    batchNormMomentum: recipe.batchNormMomentum, seeds: context.seeds)
  try network.loadBackbone(from: StateDictionary(fileAt: context.input("weights").path))
  let loader = try PanopticLoader(
    context.usableForTraining(data), input.loading(batch: recipe.batch), seeds: context.seeds)
  let rhythm = UpdateRhythm(paths, layers: configuration.searchedLayers, period: recipe.period)
  let share = PassShare(rhythm.segments, for: context.team)
  let training = PanopticTraining(
    network: network, paths: paths, recipe: recipe,
    batches: BatchStream { first in
      loader.training(steps: first..<recipe.updates * share.own.count, dealtBy: { share.step($0) })
    }, seeds: context.seeds, team: context.team)
  try driver.run(training)
  try context.write("weights", tensors: network.file(batchNormMomentum: recipe.batchNormMomentum))
}

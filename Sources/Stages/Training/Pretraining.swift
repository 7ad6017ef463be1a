import Datasets
import Models
import NN
import Pipelines

/// Trains a classifier on the images of `data` and writes its state as `weights`.
func pretrain(
  by driver: TrainingDriver, backbone: BackboneConfiguration, choices: BackboneChoices, path: [Int]?,
  recipe: ClassifierRecipe,
  input: ClassificationInput
) throws {
  let context = driver.context
  let data = try ClassificationDataset(part: ClassificationLayout.imageNet.training, in: context.input("data").tree)
  context.tell(data.notes)
  try context.requireMemory(
    values: MemoryNeed.pretraining(
      backbone, isSupernet: path == nil, classes: data.classes.count, recipe: recipe, input: input,
      images: data.samples.count),
    advice: "'recipe.batch', 'input.side' or 'body'")
  let classifier = Classifier(
    backbone, choices: choices, classes: data.classes.count, dropout: recipe.dropout,
    momentum: recipe.batchNormMomentum, seeds: context.seeds)
  let loader = ClassificationLoader(data, input.loading(batch: recipe.batch), seeds: context.seeds)
  let training = ClassifierTraining(
    classifier: classifier, path: path, recipe: recipe,
    batches: BatchStream { loader.training(steps: $0..<recipe.steps * recipe.replicas) }, seeds: context.seeds)
  try driver.run(training)
  try context.write("weights", state: classifier.store.state)
}

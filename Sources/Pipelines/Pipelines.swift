// All that programs need that run pipelines: `import Pipelines`.

@_exported import ArtifactStore
@_exported import CommandStages
@_exported import PipelineDrawing
@_exported import PipelineModel
@_exported import PipelineRunner
@_exported import Provenance
@_exported import Results

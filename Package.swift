// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
]

func library(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func system(_ name: String, pkgConfig: String, apt: String) -> Target {
  .systemLibrary(
    name: name, path: "Sources/System/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

/// The parts of `Pipelines`, from the bottom up.
let runnerParts: [Target.Dependency] = [
  "PipelineModel", "ArtifactStore", "CommandStages", "PipelineRunner", "PipelineDrawing", "Provenance", "Results",
]
/// For targets that import `Pipelines`. A build looks for changes in direct dependencies only, and `Pipelines` itself, which
/// re-exports its parts, does not change with them.
let runner = runnerParts + ["Pipelines"]

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "autopanoptic",
  products: [
    .executable(name: "autopanoptic", targets: ["CLI"]),
    .executable(name: "benchmarks", targets: ["Benchmarks"]),
    .executable(name: "percolation", targets: ["Percolation"]),
    .library(name: "Pipelines", targets: ["Pipelines"]),
    .library(name: "PipelineFiles", targets: ["PipelineFiles"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
  ],
  // A target may depend only on targets of lower layers; `Sources/README.md` draws the map.
  targets: [
    // L0: C. Numeric kernels, and glue to the libraries that need setjmp or callbacks.
    .target(name: "CKernels"),
    .target(name: "CProcesses"),
    // MPI, loaded at run time and never linked.
    .target(name: "CMPI"),
    // OpenCL, likewise, and the sources of the device kernels, which become part of the program.
    .target(name: "COpenCL", exclude: ["kernels"]),
    .target(name: "CCodecs", dependencies: ["CHDF5", "CLZ4", "CJPEG", "CPNG", "CDeflate"]),
    system("CHDF5", pkgConfig: "hdf5", apt: "libhdf5-dev"),
    system("CLZ4", pkgConfig: "liblz4", apt: "liblz4-dev"),
    system("CJPEG", pkgConfig: "libjpeg", apt: "libjpeg-dev"),
    system("CPNG", pkgConfig: "libpng", apt: "libpng-dev"),
    system("CDeflate", pkgConfig: "libdeflate", apt: "libdeflate-dev"),
    // L1
    library("Determinism", [crypto]),
    // L2
    library("Tensors", ["CKernels", "COpenCL", "Determinism"]),
    library("Search", ["Determinism"]),
    library("Markup", ["Determinism"]),
    library("PipelineModel", ["CProcesses", "Determinism"]),
    library("MessagePassing", ["CMPI", "Determinism"]),
    // L3
    library("Autograd", ["Tensors"]),
    library("Vision", ["Tensors", "Determinism", "CCodecs"]),
    library("TensorFiles", ["Tensors", "Determinism", "CCodecs"], exclude: ["FORMAT.md"]),
    library("PipelineFiles", ["PipelineModel", "Determinism", yams]),
    library("ArtifactStore", ["PipelineModel", "Determinism"]),
    library("CommandStages", ["PipelineModel", "CProcesses", "Determinism"]),
    // L4
    library("NN", ["Autograd", "Tensors", "Determinism"]),
    library("Panoptic", ["Vision", "Determinism"]),
    library("PipelineRunner", ["ArtifactStore", "PipelineModel", "Determinism"]),
    // L5
    library("Models", ["NN", "Autograd", "Vision", "Panoptic", "Search", "Tensors", "Determinism"]),
    library("Datasets", ["Vision", "Panoptic", "Tensors", "Determinism"]),
    library("Reports", ["Search", "Markup", "Determinism"]),
    library("PipelineDrawing", ["PipelineRunner", "PipelineModel", "Markup", "Determinism"]),
    library("Slurm", ["PipelineRunner", "ArtifactStore", "PipelineModel", "Determinism"]),
    library("Provenance", ["PipelineRunner", "ArtifactStore", "PipelineModel", "Determinism", crypto]),
    library("Results", ["ArtifactStore", "PipelineModel", "Determinism"]),
    // L6: the runner as one library, for programs that use it.
    library("Pipelines", runnerParts, exclude: ["README.md"]),
    library(
      "PipelineReports",
      [
        "PipelineDrawing", "Provenance", "PipelineRunner", "ArtifactStore", "PipelineModel", "Markup", "Determinism",
      ]),
    // L7
    library(
      "Stages",
      runner + [
        "PipelineFiles", "PipelineReports", "Markup", "Models", "Datasets", "Reports", "NN", "Autograd", "Panoptic",
        "Vision",
        "Search", "TensorFiles", "Tensors", "Determinism",
      ]),
    // L8
    .executableTarget(
      name: "CLI",
      dependencies: runner + [
        "Stages", "Slurm", "MessagePassing", "PipelineFiles", "PipelineReports", "Models", "Search", "TensorFiles",
        "Panoptic", "Reports",
        "Vision",
        "Tensors", "Determinism", argumentParser,
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "Percolation", dependencies: runner + ["PipelineFiles", "Determinism"],
      path: "Sources/Examples/Percolation", swiftSettings: strict),
    .executableTarget(
      name: "Benchmarks",
      dependencies: runner + [
        "MessagePassing", "Models", "Datasets", "Panoptic", "NN", "Autograd", "Vision", "Search", "TensorFiles",
        "Tensors", "Determinism",
      ],
      // Python, run by a child process.
      exclude: ["peers"], swiftSettings: strict),

    tests("DeterminismTests", ["ThreadTeams", "Determinism"]),
    // Teams whose members are threads, for tests of what teams do.
    .target(name: "ThreadTeams", dependencies: ["Determinism"], path: "Tests/ThreadTeams", swiftSettings: strict),
    // Digests of every kernel over fixed shapes; a program of its own outside the package, see .ci/digests.
    .target(
      name: "KernelDigests", dependencies: ["CKernels"], path: "Tests/KernelDigests",
      exclude: ["main.c", "golden.txt"]),
    tests("TensorsTests", ["Tensors", "CKernels", "KernelDigests", "Determinism"]),
    tests("SearchTests", ["Search", "Determinism"]),
    tests("MarkupTests", ["Markup", "Determinism"]),
    tests(
      "PipelinesTests",
      runner + ["PipelineReports", "Slurm", "ThreadTeams", "PipelineFiles", "Percolation", "Determinism"]),
    tests("AutogradTests", ["Autograd", "Tensors", "Determinism"]),
    tests("TensorFilesTests", ["TensorFiles", "CCodecs", "Tensors", "Determinism"]),
    tests("VisionTests", ["Vision", "CCodecs", "TensorFiles", "Tensors", "Determinism"]),
    tests("NNTests", ["ThreadTeams", "NN", "Autograd", "Tensors", "Determinism"]),
    tests("GoldenTests", ["Models", "NN", "Autograd", "Vision", "TensorFiles", "Tensors", "Determinism"]),
    tests("PanopticTests", ["Panoptic", "Vision", "Determinism"]),
    tests("DatasetsTests", ["Datasets", "Panoptic", "Vision", "Determinism"]),
    tests(
      "ModelsTests", ["Models", "NN", "Autograd", "Panoptic", "Vision", "Search", "Tensors", "Determinism"]),
    tests(
      "StagesTests",
      runner + [
        "Stages", "Markup", "ThreadTeams", "Datasets", "Models", "NN", "Panoptic", "Reports", "Vision", "Search",
        "Tensors",
        "Determinism",
      ]),
    tests(
      "TeamTests",
      runner + ["Slurm", "Stages", "PipelineFiles", "ThreadTeams", "MessagePassing", "Determinism"]),
    tests("EndToEndTests", ["Panoptic", "PipelineFiles", "Vision", "TensorFiles", "Tensors", "Determinism"]),
  ]
)

// For `make fuzz` alone: it links only with libFuzzer.
if Context.environment["AUTOPANOPTIC_FUZZ"] != nil {
  package.products.append(.executable(name: "Fuzz", targets: ["Fuzz"]))
  package.targets.append(
    .executableTarget(
      name: "Fuzz", dependencies: runner + ["PipelineFiles", "TensorFiles", "Determinism"],
      path: "Tests/Fuzz/Sources", swiftSettings: strict))
}

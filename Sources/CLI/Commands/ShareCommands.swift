import ArgumentParser
import Determinism
import Foundation
import PipelineFiles
import Pipelines
import TensorFiles

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write artifacts, with everything they were made from, as one file.",
    discussion: """
      A tar archive that is a store when unpacked: artifacts, records, signatures, the pipeline file and a README. The
      same content gives the same bytes. Of data sets outside the store only the manifests are in it.

      EXAMPLES:
        autopanoptic export pipelines/coco.yaml coco.tar
        autopanoptic export 3fa91c weights.tar
      """)

  @Argument(help: "A pipeline file, or the ID of an artifact or a record.", completion: .pipelines)
  var what: String

  @Argument(help: "The file to write.", completion: .file())
  var file: String

  @OptionGroup var options: PipelineOptions

  func run() throws {
    Signals.install()
    if let kind = FileIO.kind(file) {
      let what = kind == .folder ? "a folder" : kind == .file ? "a file" : "a pipe or a device"
      throw PipelineError(.badReference, "\(file): \(what) is there; remove it, or choose another name")
    }
    let summary: Exporter.Summary
    if FileIO.kind(what) != nil {
      let planner = try options.planner(what, display: Display(json: false), observing: true)
      // The files that it is based on lie in its folder or below.
      let folder = what.utf8.lastIndex(of: UInt8(ascii: "/")).map { what.utf8[...$0].count } ?? 0
      func name(_ path: String) -> String { String(decoding: path.utf8.dropFirst(folder), as: UTF8.self) }
      var source = Exporter.PipelineSource(
        name: name(what), text: try FileIO.read(what), arguments: try options.arguments())
      for path in try PipelineFile(path: what).bases { source.bases[name(path)] = try FileIO.read(path) }
      summary = try Exporter(store: planner.store, interruption: Signals.interruption).export(
        planner, source: source, to: file)
    } else {
      try options.requireNone("there is no file '\(what)'")
      let store = try options.stores.openExisting(options.registry())
      summary = try Exporter(store: store, interruption: Signals.interruption).export(
        try Lookup(store: store).find(what), to: file)
    }
    Output.line(
      "\(file): \(Units.count(summary.records, "record")), \(Units.count(summary.objects, "object")), "
        + "\(summary.bytes) bytes")
  }
}

struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Verify a bundle and add it to the store.",
    discussion: """
      All of it is verified first: names, bytes, contents, and that every record's inputs have makers. Exits with 65
      for a bundle that is not sound, and with 2 for one that contradicts a record of the store; either way the store
      stays as it was. What the records claim is believed only in so far: 'audit --trust' tells who signed them,
      and 'rerun' whether they reproduce.

      EXAMPLES:
        autopanoptic import coco.tar
        autopanoptic import coco.tar --store elsewhere
      """)

  @Argument(help: "A file that 'export' wrote.", completion: .file())
  var file: String

  @OptionGroup var stores: StoreOptions
  @OptionGroup var machine: MachineOptions

  func run() throws {
    try machine.apply()
    Signals.install()
    if let kind = FileIO.kind(file), kind != .file {
      throw PipelineError(.badReference, "\(file): \(kind == .folder ? "a folder" : "a pipe or a device"), not a file")
    }
    let executable = Bundle.main.executablePath ?? CommandLine.arguments[0]
    let importer = Importer(store: try stores.open(), interruption: Signals.interruption) { _, path in
      try ForeignFile.digest(of: path, executable: executable)
    }
    do {
      let summary = try importer.take(file)
      Output.line(
        "\(summary.records) records (\(summary.newRecords) new), \(summary.objects) objects, "
          + "\(summary.signatures) signatures, all verified")
      if let pipeline = summary.pipeline, let root = summary.root {
        Output.line("the bundle says: pipeline \(pipeline), root \(root)")
      }
    } catch let error as PipelineError where error.code == .notReproduced {
      Output.error("error: \(error)")
      throw ExitCode(ExitCodes.difference)
    }
  }
}

struct Keygen: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a key pair for signing records.",
    discussion: """
      Writes the private key to FILE, for you alone, and the public one to FILE.pub, both Ed25519 in the PEM form that
      OpenSSL reads. Files with public keys may be put one after the other: the line before a key names its owner.

      EXAMPLES:
        autopanoptic keygen alice.key --name 'Alice Doe'
        cat *.pub > trusted.pem
      """)

  @Argument(help: "The file to write; it must not exist.")
  var file: String

  @Option(help: "The owner's name (default: the name of the file).")
  var name: String?

  func run() throws {
    let key = SigningKey()
    let owner = name ?? Keygen.stem(of: file)
    guard owner.printable == owner, !owner.contains(where: \.isNewline), !owner.startsWithBytes(of: "-----"),
      !owner.isEmpty
    else { throw ValidationError("--name: expected one line of text") }
    try Keygen.create(file + ".pub", "\(owner)\n\(key.publicKey.pem)", mode: 0o644)
    do {
      try Keygen.create(file, key.pem, mode: 0o600)
    } catch {
      // Half a pair is of no use, and would be in the way of the next try.
      unlink(file + ".pub")
      throw error
    }
    Output.line("\(file): keep it to yourself; \(file).pub: key \(key.publicKey.id.prefix(12)) of \(owner)")
  }

  /// Writes a new file; one that is there is never replaced.
  private static func create(_ path: String, _ text: String, mode: mode_t) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw PipelineError(.io, FileFailure("create", path).description) }
    var code = Array(text.utf8).withUnsafeBytes { FileIO.writeAll($0, to: descriptor) }
    if code == 0, fsync(descriptor) != 0, errno != EINVAL { code = errno }
    if close(descriptor) != 0, code == 0 { code = errno }
    guard code == 0 else {
      unlink(path)
      throw PipelineError(.io, FileFailure("write", path, code: code).description)
    }
  }

  /// The file's name without its ending.
  private static func stem(of path: String) -> String {
    let name = path.splitBytes(at: UInt8(ascii: "/")).last { !$0.isEmpty } ?? ""
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot != name.startIndex else { return name }
    return String(decoding: name.utf8[..<dot], as: UTF8.self)
  }
}

/// Which records a command is about.
struct RecordOptions: ParsableArguments {
  @Argument(help: "A pipeline file, or the ID of an artifact or a record.", completion: .pipelines)
  var what: String

  @OptionGroup var options: PipelineOptions

  /// The store, and the keys of the records, sorted.
  /// - Parameter observing: whether the command only reads the store.
  func find(observing: Bool) throws -> (store: Store, keys: [Digest]) {
    guard FileIO.kind(what) != nil else {
      try options.requireNone("there is no file '\(what)'")
      let store =
        try observing ? options.stores.openExisting(options.registry()) : options.stores.open(options.registry())
      let lookup = Lookup(store: store)
      return (store, try lookup.recordKeys(of: lookup.find(what)).sorted())
    }
    let planner = try options.planner(what, display: Display(json: false), observing: observing)
    let plan = try planner.plan()
    guard plan.isUpToDate else {
      let stage = plan.stages.first { $0.state != .cached }?.name ?? ""
      throw PipelineError(.notUpToDate, "stage '\(stage)' has no result; run the pipeline first")
    }
    let keys = Set(plan.stages.flatMap { $0.instances.map(\.key) })
    return (planner.store, try planner.store.ancestry(of: keys).sorted())
  }
}

struct Sign: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Sign records.",
    discussion: """
      Signs the provenance of each record, as an in-toto statement in a DSSE envelope, once its artifacts are verified.
      The signatures lie in the store and travel with 'export'.

      EXAMPLES:
        autopanoptic sign pipelines/coco.yaml --key alice.key
        autopanoptic sign 3fa91c --key alice.key
      """)

  @OptionGroup var records: RecordOptions

  @Option(help: ArgumentHelp("A private key that 'keygen' made.", valueName: "file"))
  var key: String

  func run() throws {
    let signingKey: SigningKey
    let pem = try KeyFile.text(of: key)
    do {
      signingKey = try SigningKey(pem: pem)
    } catch let error as PipelineError {
      throw PipelineError(error.code, "\(key): \(error.message)")
    }
    let (store, keys) = try records.find(observing: false)
    let signer = Signer(store: store)
    for key in keys { try signer.sign(key, with: signingKey) }
    Output.line(
      "\(keys.count) record\(keys.count == 1 ? "" : "s") signed with key \(signingKey.publicKey.id.prefix(12))")
  }
}

struct Provenance: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print what made an artifact, in the form that auditors' tools read.",
    discussion: """
      An in-toto Statement v1 with SLSA provenance v1, one line of JSON for each record; where a record is signed, its
      DSSE envelope instead.

      EXAMPLES:
        autopanoptic provenance 3fa91c
        autopanoptic provenance pipelines/coco.yaml > provenance.jsonl
      """)

  @OptionGroup var records: RecordOptions

  @Flag(help: "The bare statements, also of signed records.")
  var unsigned = false

  func run() throws {
    let (store, keys) = try records.find(observing: true)
    let signer = Signer(store: store)
    for key in keys { Output.json(try signer.provenance(of: key, signed: !unsigned)) }
  }
}

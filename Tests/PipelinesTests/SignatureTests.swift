import Determinism
import Foundation
import Testing

@testable import CommandStages
@testable import PipelineModel
@testable import Provenance

@Suite("Signer and Auditor attribute records to keys")
struct SignatureTests {
  private func trusted(_ keys: (String, SigningKey)...) throws -> TrustedKeys {
    try TrustedKeys(pem: keys.map { "\($0.0)\n\($0.1.publicKey.pem)" }.joined())
  }

  private func signed(_ bench: Bench, _ key: SigningKey, _ stages: String...) throws {
    let store = try bench.store()
    for record in try store.recordKeys() {
      let stage = try store.record(record).stage
      if stages.isEmpty || stages.contains(stage) {
        try Signer(store: store).sign(record, with: key)
      }
    }
  }

  @Test("an audit names the signers of every artifact and lists unsigned ones")
  func audit() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let (alice, bob, mallory) = (SigningKey(), SigningKey(), SigningKey())
    try signed(bench, alice)
    try signed(bench, bob, "select")
    try signed(bench, mallory)
    let auditor = Auditor(store: try bench.store())
    let both = try auditor.audit(trusting: trusted(("alice", alice), ("bob", bob)))
    #expect(both.isSound && both.signed.count == 7)
    #expect(both.signed.filter { $0.stage == "select" }.map(\.by) == [["alice", "bob"], ["alice", "bob"]])
    #expect(both.signed.filter { $0.stage != "select" }.allSatisfy { $0.by == ["alice"] })

    let onlyBob = try auditor.audit(trusting: trusted(("bob", bob)))
    #expect(!onlyBob.isSound && onlyBob.findings.filter { $0.kind == .unsigned }.count == 5)
    #expect(try auditor.audit().isSound)
  }

  @Test("a signature is valid for exactly the record that was signed")
  func forgeries() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let alice = SigningKey()
    try signed(bench, alice)
    let keys = try trusted(("alice", alice))
    let store = try bench.store()
    let records = try store.recordKeys()
    let path = { (key: Digest) in "\(bench.storePath)/signatures/\(key.hex)/\(alice.publicKey.id).json" }
    let sound = try Files.read(path(records[0]))
    func problems(_ bytes: [UInt8]) throws -> [String] {
      try Files.write(bytes, to: path(records[0]))
      return try Auditor(store: store).audit(trusting: keys).findings.filter(\.isProblem).map(\.message)
    }
    #expect(try problems(sound).isEmpty)
    // The signature of another record.
    #expect(try problems(Files.read(path(records[1]))).contains { $0.contains("about another record") })
    // A payload that was changed after it was signed.
    var envelope = try #require(Envelope(canonical: CanonicalValue(json: sound)))
    envelope.payload[10] ^= 1
    #expect(try problems(envelope.canonical.canonicalBytes).contains { $0.contains("it is not valid") })
    // A signed payload that is not a statement.
    let other = try Envelope(signing: Array("{}".utf8), with: alice)
    #expect(try problems(other.canonical.canonicalBytes).contains { $0.contains("no in-toto statement") })
    // An unreadable signature counts as absent.
    #expect(try problems([1, 2, 3]).contains { $0.contains("not signed by a trusted key") })
  }

  @Test("keys round-trip through PEM, and OpenSSL reads them")
  func keys() throws {
    let key = SigningKey()
    let again = try SigningKey(pem: key.pem)
    #expect(again.publicKey == key.publicKey && again.pem == key.pem)
    let message = Array("message".utf8)
    #expect(try key.publicKey.isValid(again.signature(of: message), of: message))
    #expect(try !key.publicKey.isValid(again.signature(of: message), of: message + [0]))
    #expect(try !SigningKey().publicKey.isValid(again.signature(of: message), of: message))
    for bad in ["", "text", key.publicKey.pem, "-----BEGIN PRIVATE KEY-----\n!!\n-----END PRIVATE KEY-----\n"] {
      #expect(throws: PipelineError.self) { try SigningKey(pem: bad) }
    }
    #expect(throws: PipelineError.self) { try TrustedKeys(pem: key.pem) }

    // RFC 8032, section 7.1, test 1: the key in OpenSSL's form, and the signature of nothing.
    func bytes(_ hex: String) -> [UInt8] {
      stride(from: 0, to: hex.count, by: 2).map { i in
        UInt8(hex[hex.index(hex.startIndex, offsetBy: i)...].prefix(2), radix: 16)!
      }
    }
    let secret = bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    let prefix = bytes("302e020100300506032b657004220420")
    let fixed = try SigningKey(pem: PEM.text(label: "PRIVATE KEY", prefix + secret))
    #expect(fixed.publicKey.bytes == bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
    let published = bytes(
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    #expect(fixed.publicKey.isValid(published, of: []))

    // Verified by OpenSSL, where there is one.
    guard let tool = ToolFinder(searchPath: ToolFinder.standardPath).find("openssl") else { return }
    let bench = try Bench()
    try save("alice\n" + key.publicKey.pem, to: bench.folder + "/key.pub")
    try save("message", to: bench.folder + "/message")
    try Files.write(try key.signature(of: message), to: bench.folder + "/signature")
    let process = ChildProcess(
      executable: tool,
      arguments: [
        "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pub", "-rawin", "-in", "message", "-sigfile",
        "signature",
      ], environment: [:], folder: bench.folder)
    #expect(
      try process.run(output: bench.folder + "/log", errors: bench.folder + "/log", interruption: Interruption())
        == .exited(0))
  }

  @Test("provenance is an in-toto statement with an SLSA predicate; signed, it is a DSSE envelope")
  func provenance() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let store = try bench.store()
    let key = try #require(try store.recordKeys().first { try store.record($0).stage == "pretrain" })
    let record = try store.record(key)
    let statement = try Signer(store: store).provenance(of: key)
    #expect(statement["_type"] == "https://in-toto.io/Statement/v1")
    #expect(statement["predicateType"] == "https://slsa.dev/provenance/v1")
    let subject = try #require(statement["subject"]?.arrayValue?.first)
    #expect(subject["name"] == "pretrain.weights")
    #expect(subject["digest"]?["contentSha256"]?.stringValue == record.outputs["weights"]?.digest.hex)
    // The file is canonical JSON.
    #expect(subject["digest"]?["sha256"] == subject["digest"]?["contentSha256"])
    let definition = statement["predicate"]?["buildDefinition"]
    #expect(definition?["externalParameters"]?["seed"] == "7")
    #expect(definition?["externalParameters"]?["parameters"]?["steps"] == 6)
    #expect(statement["predicate"]?["runDetails"]?["metadata"]?["startedOn"]?.stringValue == record.started)

    let select = try #require(try store.recordKeys().first { try store.record($0).stage == "select" })
    let dependencies = try Signer(store: store).provenance(of: select)["predicate"]?["buildDefinition"]?[
      "resolvedDependencies"]
    #expect(dependencies?.arrayValue?.count == 3)

    let alice = SigningKey()
    try signed(bench, alice, "pretrain")
    let envelope = try Signer(store: store).provenance(of: key)
    #expect(envelope["payloadType"] == "application/vnd.in-toto+json")
    let payload = try #require(envelope["payload"]?.stringValue.flatMap { Data(base64Encoded: $0) })
    #expect(try CanonicalValue(json: Array(payload)) == statement)
    #expect(try Signer(store: store).provenance(of: key, signed: false) == statement)
  }

  @Test("a bundle includes signatures")
  func bundle() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let alice = SigningKey()
    try signed(bench, alice)
    let path = bench.folder + "/x.tar"
    _ = try Exporter(store: bench.store()).export(
      bench.planner(TestPipelines.search), source: .init(name: "p", text: [], arguments: []), to: path)
    let other = try Bench()
    #expect(try Importer(store: other.store()).take(path).signatures == 6)
    #expect(try Auditor(store: other.store()).audit(trusting: trusted(("alice", alice))).isSound)
  }
}

import Determinism
import Foundation
import Testing

@testable import CommandStages
@testable import PipelineModel
@testable import Provenance

/// An attempt to leave the sandbox: a script that exits with 0 if it succeeds.
struct Escape: CustomTestStringConvertible, Sendable {
  let what: String
  let script: String
  var testDescription: String { what }

  init(_ what: String, _ script: String) { (self.what, self.script) = (what, script) }

  static let tools = [
    "cat", "ls", "chmod", "touch", "ln", "mv", "mknod", "find", "grep", "wc", "id", "sleep", "setsid", "readlink",
    "mount",
    "umount", "unshare", "perl", "test", "cp", "dd", "rm",
  ]

  /// `$CHECKOUT`, `$STORE` and `$SECRET` are paths of the machine; `in` is an input, `tree/a.txt` one in a tree.
  static let all = [
    Escape("reads beside its input by its stdin", "cat /proc/self/fd/0/../../secret.txt"),
    Escape("leaves by its stdin", "ls /proc/self/fd/0/.."),
    Escape("leaves by its stdout", "ls /proc/self/fd/1/.."),
    Escape("leaves by its stderr", "ls /proc/self/fd/2/.."),
    Escape("has a stream that is no pipe", "for i in 0 1 2; do readlink /proc/self/fd/$i; done | grep -v '^pipe:'"),
    Escape("has more open files", "ls /proc/$$/fd > list; grep -E '^[3-9]$' list"),
    Escape("finds the files of the first process", "ls /proc/1/root/../$CHECKOUT/secret.txt"),
    Escape("reads the checkout", "cat $CHECKOUT/secret.txt"),
    Escape("lists the store", "ls $STORE"),
    Escape("lists the store through its process's root", "ls /proc/self/root$STORE"),
    Escape("reads a file of somebody", "cat $SECRET"),
    Escape("sees homes", "ls -A /home /root | grep -v ':$' | grep ."),
    Escape("sees what is mounted", "ls -A /mnt /media /srv /run | grep -v ':$' | grep ."),
    Escape("reads passwords", "cat /etc/shadow"),
    Escape("reads the users of the machine", "grep -v -E '^(root|stage):' /etc/passwd"),
    Escape("reads keys", "ls /etc/ssl/private /etc/ssh"),
    Escape("finds a socket", "find / -type s | grep ."),
    Escape("finds a disk", "find /dev -type b | grep ."),
    Escape("reads the kernel's settings of devices", "ls /sys/class"),
    Escape("changes a setting of the kernel", "cat /proc/sys/vm/swappiness > /proc/sys/vm/swappiness"),
    Escape("changes the name of the machine", "echo x > /proc/sys/kernel/hostname"),
    Escape("changes what happens to cores", "echo x > /proc/sys/kernel/core_pattern"),
    Escape("writes to /proc", "echo 0 > /proc/self/oom_score_adj"),
    Escape("writes to the system", "echo x > /usr/x"),
    Escape("writes to the root", "echo x > /x"),
    Escape("writes to /etc", "echo x > /etc/x"),
    Escape("changes the mode of a device", "chmod 666 /dev/null"),
    Escape("changes the time of a device", "touch /dev/zero"),
    Escape("makes a device", "mknod d c 1 3"),
    Escape("writes an input", "echo x > in"),
    Escape("writes a file of a tree", "echo x > tree/a.txt"),
    Escape("adds a file to a tree", "echo x > tree/new"),
    Escape("changes the mode of an input", "chmod u+w in"),
    Escape("changes the mode of a file of a tree", "chmod u+w tree/a.txt"),
    Escape("moves an input", "mv in other"),
    Escape("gives an input a second name", "ln in other"),
    Escape("unmounts an input", "umount in"),
    Escape("mounts an input anew", "mount -o remount,rw,bind in"),
    Escape("mounts something", "mount -t tmpfs none tree"),
    Escape("becomes root of a namespace", "unshare -U -r id"),
    Escape("makes namespaces", "unshare -m id"),
    Escape("leaves a program with its owner's rights", "cp /usr/bin/id x; chmod u+s x"),
    Escape("is root", "test $(id -u) = 0"),
    Escape("has capabilities", "grep '^Cap' /proc/self/status | grep -v 0000000000000000"),
    Escape("may gain rights", "grep 'NoNewPrivs:.0' /proc/self/status"),
    Escape("has a terminal", "cat < /dev/tty"),
    Escape("sees a network", "grep -v -E 'Inter|face|lo:' /proc/net/dev"),
    Escape(
      "connects somewhere",
      "perl -MSocket -e 'socket(S,2,1,0); exit !connect(S, pack_sockaddr_in(53, inet_aton(\"1.1.1.1\")))'"),
    Escape("talks to the machine below", "perl -e 'exit !socket(S, 40, 1, 0)'"),
    Escape("uses the kernel's ciphers", "perl -e 'exit !socket(S, 38, 5, 0)'"),
    Escape(
      "types on a terminal of its own",
      "perl -e 'open(P, \"+<\", \"/dev/ptmx\") or exit 1; my $x = \"x\"; exit !ioctl(P, 0x5412, $x)'"),
    Escape(
      "types by a number with high bits",
      "perl -e 'open(P, \"+<\", \"/dev/ptmx\") or exit 1; my $x = \"x\"; exit !ioctl(P, 0x100005412, $x)'"),
    Escape(
      "makes a folder that stays",
      "perl -e 'mkdir \"d\"; open(D, \"<\", \"d\"); my $x = pack(\"q\", 0x10); exit !ioctl(D, 0x40086602, $x)'"),
    Escape("sees other processes", "ls /proc | grep -E '^[0-9]+$' | wc -l | grep -E '[0-9][0-9]'"),
  ]

  /// System calls by their x86-64 numbers. Perl's `syscall` returns -1 on failure, so 0 or more is an escape.
  static let calls: [(String, String)] = [
    ("ptrace", "101, 0, 0, 0, 0"), ("keyctl", "250, 0, -3, 0"), ("add_key", "248, 0, 0, 0, 0, 0"),
    ("unshare", "272, 0x10000000"), ("clone", "56, 0x10000011, 0, 0, 0, 0"), ("bpf", "321, 0, 0, 0"),
    ("perf_event_open", "298, 0, 0, 0, 0, 0"), ("userfaultfd", "323, 1"), ("io_uring_setup", "425, 1, 0"),
    ("mount", "165, 0, 0, 0, 0, 0"), ("setns", "308, 0, 0"), ("process_vm_readv", "310, 1, 0, 0, 0, 0, 0"),
    ("kexec_load", "246, 0, 0, 0, 0"), ("open_tree", "428, 0, 0, 0"), ("chroot", "161, 0"), ("clone3", "435, 0, 0"),
    ("x32 getpid", "0x40000027"),
  ]
}

@Suite("The sandbox contains an untrusted command")
struct SandboxTests {
  /// A pipeline with inputs of every kind, and secrets outside the sandbox.
  struct Scene {
    let bench: Bench
    let checkout: String
    var file: String { checkout + "/p.yaml" }

    init(_ policy: SandboxPolicy) throws {
      bench = try Bench()
      bench.sandbox = policy
      checkout = bench.folder + "/checkout"
      try Files.makeFolder(checkout + "/.git")
      try Files.makeFolder(checkout + "/data")
      try save("classified", to: checkout + "/secret.txt")
      try save("classified", to: bench.folder + "/secret.txt")
      try save("a", to: checkout + "/data/a.txt")
    }

    func pipeline(_ script: String, more: String = "", environment: String = "") -> String {
      """
      pipeline: p
      stages:
        pool: { uses: candidates }
        data: { uses: files, with: { folder: data } }
        a:
          uses: command
          needs: { in: pool.list, tree: data.files }
          with:
            run: |
              \(script)
            tools: [\(Escape.tools.filter { ToolFinder(searchPath: ToolFinder.standardPath).find($0) != nil }.joined(separator: ", "))]
            stdin: in
            environment: { CHECKOUT: \(checkout), STORE: \(bench.storePath), SECRET: \(bench.folder)/secret.txt\(environment) }
            \(more)
      """
    }
  }

  @Test("no known escape works", Sandboxes.needed, arguments: Escape.all)
  func escapes(_ escape: Escape) throws {
    let scene = try Scene(try #require(Sandboxes.confined))
    let devices = try Files.status("/dev/null").changed
    let result = try scene.bench.run(scene.pipeline(escape.script), file: scene.file).result
    #expect(result.failures.map(\.stage) == ["a"])
    let message = result.failures.first?.message ?? ""
    #expect((result.failures.first?.error as? PipelineError)?.code == .commandFailed, "\(message)")
    #expect(!message.contains("classified"), "\(message)")
    #expect(try scene.bench.audit(deep: true).isSound)
    #expect(try Files.status("/dev/null").changed == devices)
    #expect(try scene.bench.files("tmp") == [])
  }

  #if arch(x86_64)
  @Test("no forbidden system call succeeds", Sandboxes.needed)
  func calls() throws {
    guard case .bubblewrap(_, _, true) = try Sandbox.find(.automatic),
      ToolFinder(searchPath: ToolFinder.standardPath).find("perl") != nil
    else { return }
    let scene = try Scene(try #require(Sandboxes.confined))
    let lines = Escape.calls.map { "perl -e 'exit !(syscall(\($0.1)) >= 0 || ($! != 1 && $! != 38))' && echo \($0.0)" }
    let script = (lines + ["true"]).map { $0.replacing("&& echo", with: "&& echo BROKEN") }
    let result = try scene.bench.run(
      scene.pipeline(
        "{ " + script.joined(separator: "; ") + "; } > o", more: "outputs: { o: o }"), file: scene.file
    ).result
    #expect(result.failures.map(\.message) == [])
    let plan = try scene.bench.planner(
      scene.pipeline("{ " + script.joined(separator: "; ") + "; } > o", more: "outputs: { o: o }"), file: scene.file
    ).plan()
    let output = try #require(plan.stages.first { $0.name == "a" }?.instances[0].outputs["o"])
    #expect(String(decoding: try Files.read(scene.bench.store().objectPath(output)), as: UTF8.self) == "")
  }
  #endif

  @Test("no escape works for an unprivileged user", Sandboxes.needed)
  func unprivileged() throws {
    guard geteuid() == 0, let setpriv = ToolFinder(searchPath: ToolFinder.standardPath).find("setpriv"),
      case .bubblewrap(let wrapper, _, let filters) = try Sandbox.find(.automatic)
    else { return }
    let folder = "/tmp/sandbox-test-\(UInt64.random(in: 0 ... .max))"
    defer { try? removeTree(folder) }
    try Files.makeFolder(folder)
    chown(folder, 65534, 65534)
    let confinement = Confinement(
      programs: ["/bin/sh"], hidden: [], variables: ["PATH": "/usr/bin"], filters: filters)
    var process = try confinement.process(
      wrapper: wrapper, program: "/bin/sh",
      words: ["sh", "-c", "id -u; ls -A /root /home /run; grep CapEff /proc/self/status"],
      folder: "/tmp")
    process.executable = setpriv
    process.guarded = nil
    process.arguments =
      ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", wrapper] + process.arguments.dropFirst()
    let (ending, text) = try process.capture(bytes: 4096, limit: 20, interruption: Interruption())
    let output = String(decoding: text, as: UTF8.self)
    // Some machines allow user namespaces only to root.
    if output.contains("Operation not permitted") || output.contains("Permission denied") { return }
    #expect(ending == .exited(0))
    #expect(output == "1000\n/home:\n\n/root:\n\n/run:\nCapEff:\t0000000000000000\n", "\(output)")
  }

  @Test("the environment of a command does not reach the program that confines it", Sandboxes.needed)
  func wrapperEnvironment() throws {
    let scene = try Scene(try #require(Sandboxes.confined))
    let trace = scene.bench.folder + "/trace"
    let text = scene.pipeline("true", environment: ", LD_DEBUG: libs, LD_DEBUG_OUTPUT: \(trace)")
    let result = try scene.bench.run(text, file: scene.file).result
    #expect(result.failures.map(\.message) == [])
    #expect(try Files.list(scene.bench.folder).filter { $0.hasPrefix("trace") } == [])
  }

  @Test("version commands run in the sandbox for plans, runs and records", Sandboxes.needed)
  func versions() throws {
    let scene = try Scene(try #require(Sandboxes.confined))
    let mark = scene.bench.folder + "/mark"
    let text = """
      pipeline: p
      stages:
        a:
          uses: command
          with: { run: [cat, /dev/null], stdout: o, outputs: { o: o }, version: [sh, -c, 'echo x > \(mark); ls \(scene.checkout); echo 1'] }
      """
    _ = try scene.bench.planner(text, file: scene.file).plan()
    #expect(try scene.bench.run(text, file: scene.file).executed == ["a"])
    let report = try Reexecution(
      store: try scene.bench.store(), variables: [:], options: scene.bench.options, interruption: Interruption()
    ).recompute(9, seed: 0)
    #expect(report.isReproduced && report.instances.count == 1)
    #expect(!Files.exists(mark))
    for bad in ["./x", "a/b", ".."] {
      #expect(throws: PipelineError.self) {
        try scene.bench.planner(
          "pipeline: p\nstages:\n  a: { uses: command, with: { run: [cat], version: ['\(bad)'] } }\n"
        ).plan()
          .problems.forEach { throw $0 }
      }
    }
  }

  @Test("without a sandbox no version command of the checkout is run")
  func openVersions() throws {
    let scene = try Scene(.off)
    let program = scene.checkout + "/evil"
    try save("#!/bin/sh\necho x > \(scene.bench.folder)/mark\necho 1\n", to: program)
    chmod(program, 0o755)
    let text = "pipeline: p\nstages:\n  a: { uses: command, with: { run: [cat], version: ['\(program)'] } }\n"
    let error = #expect(throws: PipelineError.self) { try scene.bench.run(text, file: scene.file) }
    #expect(error?.message.contains("names a program of the checkout or the store") == true, "\(error?.message ?? "")")
    #expect(!Files.exists(scene.bench.folder + "/mark"))
  }
}

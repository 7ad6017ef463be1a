import CProcesses
import Determinism
import Glibc
import PipelineModel
import Synchronization

/// What a program in the sandbox sees, built up from nothing, as options of bubblewrap.
///
/// The system's programs and libraries, the declared programs and what belongs to them, all read-only; an empty `/tmp`;
/// devices that hold nothing; its own processes; no network. Its user and all its rights are those of nobody.
struct Confinement {
  /// Where the working folder and the programs are in the sandbox: at the same place everywhere.
  static let workingFolder = "/tmp/stage"
  static let toolFolder = "/tmp/tools"
  static let environmentFolder = "/tmp/environment"
  static let checkpointFolder = "/tmp/checkpoint"

  private var options: [String]
  private let filters: Bool
  private let variables: [String: String]
  private let isImage: Bool
  private let network: Bool

  /// - Parameters:
  ///   - programs: absolute paths.
  ///   - hidden: folders that it must not see.
  ///   - filters: whether system calls are filtered.
  ///   - root: a folder that takes the place of the system's folders.
  ///   - network: whether it may use the machine's network.
  init(
    programs: [String], hidden: [String], variables: [String: String], filters: Bool, root: String? = nil,
    network: Bool = false
  ) {
    self.filters = filters
    self.variables = variables
    self.network = network
    isImage = root != nil
    options = network ? Confinement.isolation.filter { $0 != "--unshare-net" } : Confinement.isolation
    options += root.map(Confinement.system(in:)) ?? Confinement.system
    if network { options += Confinement.networkSettings }
    options += Confinement.rest
    guard root == nil else { return }
    let (hidden, installation) = Confinement.known(programs, hidden)
    for folder in installation.shown { options += ["--ro-bind", folder, folder] }
    for link in installation.links { options += ["--symlink", link.target, link.place] }
    // A checkout below /usr, or seen there by another mount.
    let visible = SystemFolders.all + installation.shown
    for folder in hidden where visible.contains(where: { RelativePath.contains($0, folder) }) { cover(folder) }
    for file in Set(programs.compactMap { PathTrail($0)?.end }.map { ByteName($0) }).sorted()
    where hidden.contains(where: { RelativePath.contains($0, file.text) }) {
      if SystemFolders.contain(file.text) { options += ["--ro-bind", file.text, file.text] }
    }
  }

  private struct Question: Hashable {
    let programs: [ByteName]
    let hidden: [ByteName]
  }

  /// Programs stay where they are while a run goes on; that they are the same files is seen to elsewhere.
  private static let answers = Mutex<[Question: (hidden: [String], Installation)]>([:])

  private static func known(_ programs: [String], _ hidden: [String]) -> (hidden: [String], Installation) {
    let question = Question(programs: programs.map { ByteName($0) }, hidden: hidden.map { ByteName($0) })
    if let answer = answers.withLock({ $0[question] }) { return answer }
    let places = hidden.flatMap { MountTable.here.places(of: PathTrail($0)?.end ?? $0) }
    let answer = (places, Installation(of: programs, hidden: places))
    answers.withLock { $0[question] = answer }
    return answer
  }

  private mutating func cover(_ place: String) {
    var s = stat()
    guard lstat(place, &s) == 0 else { return }
    switch s.st_mode & S_IFMT {
    case S_IFDIR: options += ["--tmpfs", place, "--remount-ro", place]
    case S_IFREG: options += ["--ro-bind", "/dev/null", place]
    default: break
    }
  }

  /// Leaves it in the session of the terminal. The filter of system calls keeps it from sending keystrokes there.
  mutating func keepTerminal() { options.removeAll { $0 == "--new-session" } }

  /// Shows a file or folder of the machine.
  mutating func show(_ source: String, at place: String, writable: Bool = false) {
    options += [writable ? "--bind" : "--ro-bind", source, place]
  }

  /// Makes a read-only folder of links to programs.
  /// - Parameter programs: paths by name.
  mutating func showLinks(_ programs: [String: String], at place: String) {
    options += ["--tmpfs", place]
    for (name, path) in programs.sorted(by: { $0.key.precedesInBytes($1.key) }) {
      options += ["--symlink", path, "\(place)/\(name)"]
    }
    options += ["--remount-ro", place]
  }

  /// Shows an environment.
  mutating func show(_ environment: ResolvedEnvironment) {
    for mount in environment.mounts where !SystemFolders.contain(mount.place) {
      options += ["--ro-bind", mount.source, mount.place]
    }
    for link in environment.links where !SystemFolders.contain(link.place) {
      options += ["--symlink", link.source, link.place]
    }
  }

  private static let isolation = [
    "--unshare-user", "--uid", "1000", "--gid", "1000", "--unshare-ipc", "--unshare-pid", "--unshare-net",
    "--unshare-uts", "--unshare-cgroup-try", "--hostname", "stage", "--die-with-parent", "--new-session",
    "--cap-drop", "ALL", "--clearenv",
  ]

  /// What name look-ups and encrypted connections need.
  private static let networkSettings: [String] = [
    "/etc/resolv.conf", "/etc/ssl", "/etc/ca-certificates", "/etc/pki",
  ].flatMap { ["--ro-bind-try", $0, $0] }

  /// The folders of an image, where it has them; `/tmp`, `/dev` and `/proc` are those of the sandbox.
  private static func system(in root: String) -> [String] {
    let own = ["dev", "proc", "sys", "tmp", "run"]
    return ((try? FileIO.list(root)) ?? []).filter { !own.contains($0) }.flatMap { name -> [String] in
      let path = "\(root)/\(name)"
      if let target = PathTrail.target(of: path) { return ["--symlink", target, "/\(name)"] }
      return ["--ro-bind", path, "/\(name)"]
    } + ["--dir", "/run"]
  }

  /// The folders of this machine's system.
  private static let system: [String] = {
    var options = [String]()
    for (path, kind) in SystemFolders.found {
      switch kind {
      case .folder: options += ["--ro-bind", path, path]
      case .link(let target): options += ["--symlink", target, path]
      }
    }
    let small = Set(SystemFolders.smallSettings.map { ByteName($0.path) })
    for path in SystemFolders.settings where !small.contains(ByteName(path)) {
      options += ["--ro-bind-try", path, path]
    }
    for folder in ["/home", "/root", "/run", "/var", "/mnt", "/media", "/srv", "/opt"] { options += ["--dir", folder] }
    return options
  }()

  private static let rest = ["--dev", "/dev", "--proc", "/proc", "--remount-ro", "/proc", "--tmpfs", "/tmp"]

  /// Files below `/etc` that tell nothing of the machine.
  private static let ownSettings: [(path: String, bytes: [UInt8])] = [
    ("passwd", "root:x:0:0:root:/root:/bin/sh\nstage:x:1000:1000:stage:/tmp:/bin/sh\n"),
    ("group", "root:x:0:\nstage:x:1000:\n"),
    ("hosts", "127.0.0.1 localhost stage\n::1 localhost\n"),
  ].map { ("/etc/" + $0.0, Array($0.1.utf8)) }

  private var settings: [(path: String, bytes: [UInt8])] {
    let hosts = network ? "files dns" : "files"
    let names = "passwd: files\ngroup: files\nhosts: \(hosts)\nservices: files\nprotocols: files\n"
    return Confinement.ownSettings + [("/etc/nsswitch.conf", Array(names.utf8))] + SystemFolders.smallSettings
  }

  /// Shows the nodes of graphics processors.
  mutating func showGraphicsProcessors() {
    let names = ((try? FileIO.list("/dev")) ?? []).filter { name in
      ["nvidia", "kfd", "dri"].contains { name.startsWithBytes(of: $0) }
    }
    for name in names { options += ["--dev-bind-try", "/dev/\(name)", "/dev/\(name)"] }
  }

  /// The process that runs a program so.
  /// - Parameters:
  ///   - wrapper: bubblewrap.
  ///   - program: its path as it is seen inside.
  ///   - words: its arguments, with its name in front.
  ///   - folder: where it begins, as seen inside.
  func process(wrapper: String, program: String, words: [String], folder: String) throws -> ChildProcess {
    var options = options
    for (name, value) in variables.sorted(by: { $0.key.precedesInBytes($1.key) }) {
      options += ["--setenv", name, value]
    }
    var inherited = [Descriptor]()
    func pass(_ file: Descriptor) -> String {
      inherited.append(file)
      return String(2 + inherited.count)
    }
    // An image brings its own.
    for (path, bytes) in isImage ? [] : settings {
      options += ["--file", pass(try Descriptor.memory("setting", bytes)), path]
    }
    if filters {
      let filter = cp_filter()
      guard filter >= 0 else { throw Files.failure("make", "a filter of system calls") }
      options += ["--seccomp", pass(Descriptor(filter))]
    }
    options += ["--remount-ro", "/", "--chdir", folder]
    // Not on the command line: that has a limit, and everybody can read it.
    let list = try Descriptor.memory("options", options.flatMap { Array($0.utf8) + [0] })
    return ChildProcess(
      executable: wrapper, arguments: ["bwrap", "--args", pass(list), "--", program] + words.dropFirst(),
      environment: [:], folder: "/", inherited: inherited, guarded: try GuardedDevices.find())
  }
}

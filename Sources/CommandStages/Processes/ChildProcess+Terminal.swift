import Glibc
import PipelineModel

extension ChildProcess {
  /// Runs the program with the standard streams of this process, and waits for its end. Ctrl-C is the program's.
  /// - Returns: its exit status; of a signal 128 more.
  func runOnTerminal() throws -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // Out of the way of the numbers that the program gets.
    let high = inherited.map { fcntl($0.number, F_DUPFD_CLOEXEC, 64) }
    defer { for number in high { close(number) } }
    for (i, number) in high.enumerated() { posix_spawn_file_actions_adddup2(&actions, number, Int32(3 + i)) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var usual = sigset_t()
    sigemptyset(&usual)
    for number in [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE] { sigaddset(&usual, number) }
    posix_spawnattr_setsigdefault(&attributes, &usual)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
    // The C library of some systems can't start a program in another folder; a shell can.
    let script = ["sh", "-c", "cd \"$0\" && exec \"$@\"", folder, executable] + arguments.dropFirst()
    var argv: [UnsafeMutablePointer<CChar>?] = script.map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in argv + envp { free(text) } }
    let before = (signal(SIGINT, SIG_IGN), signal(SIGQUIT, SIG_IGN))
    defer {
      signal(SIGINT, before.0)
      signal(SIGQUIT, before.1)
    }
    var child = pid_t()
    let code = posix_spawn(&child, "/bin/sh", &actions, &attributes, &argv, &envp)
    guard code == 0 else { throw Files.failure("start", executable, code) }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 {
      guard errno == EINTR else { throw Files.failure("wait for", executable) }
    }
    return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
  }
}

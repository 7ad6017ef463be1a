import CProcesses

/// Removes a file, or a folder with all in it, whatever programs left there: names that are no text, folders without
/// rights, any depth. Links are removed, never followed; nothing there is fine.
/// - Throws: code `io`, with the first reason why something stays.
package func removeTree(_ path: String) throws {
  let code = cp_remove(path)
  guard code == 0 else { throw Files.failure("remove", path, code) }
}

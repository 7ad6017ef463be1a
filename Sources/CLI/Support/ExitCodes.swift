/// Exit codes of the program beside 0 and those of wrong usage.
enum ExitCodes {
  static let failure: Int32 = 1
  static let difference: Int32 = 2
  static let badData: Int32 = 65
  static let interrupted: Int32 = 130
}

import Testing

/// Everything here runs whole programs that use all processors, so one test waits for the other.
@Suite("The program, from the outside", .serialized)
struct EndToEndTests {}

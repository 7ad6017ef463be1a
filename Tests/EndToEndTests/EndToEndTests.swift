import Testing

/// These tests run the built program, which uses all processors, so they run one after another.
@Suite("The program", .serialized)
struct EndToEndTests {}

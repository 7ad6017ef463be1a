import CKernels
import Determinism
import Foundation

/// Selects the compiled variant of the kernels. All variants compute the same bits; `AUTOPANOPTIC_ISA` selects one by
/// name.
public struct Backend: Sendable {
  /// A variant of the kernels.
  public enum InstructionSet: String, Sendable, CaseIterable {
    case scalar, avx2, avx512

    var isa: ck_isa {
      switch self {
      case .scalar: CK_SCALAR
      case .avx2: CK_AVX2
      case .avx512: CK_AVX512
      }
    }

    /// Whether this machine supports it.
    public var isSupported: Bool { ck_isa_supported(isa) == 1 }
  }

  /// The variants that this machine supports, slowest first.
  public static var supported: [InstructionSet] { InstructionSet.allCases.filter(\.isSupported) }

  /// The variant that the environment selects, else the fastest.
  /// - Throws: `BackendError` where the name is unknown or the machine lacks the instructions.
  public static func resolve(environment: [String: String]) throws -> InstructionSet {
    guard let name = environment["AUTOPANOPTIC_ISA"], !name.isEmpty else { return supported.last ?? .scalar }
    guard let wanted = InstructionSet(rawValue: name) else {
      throw BackendError(
        description: "AUTOPANOPTIC_ISA=\(name): unknown instruction set; choose scalar, avx2 or avx512")
    }
    guard wanted.isSupported else {
      let names = supported.map(\.rawValue).joined(separator: ", ")
      throw BackendError(description: "AUTOPANOPTIC_ISA=\(name): this processor lacks it; it supports \(names)")
    }
    return wanted
  }

  /// The variant of this process, fixed at first use.
  ///
  /// The command line calls `resolve` first, so a user's mistake is reported there.
  public static let instructionSet: InstructionSet = {
    do {
      return try resolve(environment: ProcessInfo.processInfo.environment)
    } catch {
      fatalError("\(error)")
    }
  }()

  static let isa: ck_isa = instructionSet.isa
}

/// The selected instruction set or engine is unknown, or this machine lacks it.
public struct BackendError: DiagnosableError {
  public let description: String
  public var isUserData: Bool { false }
}

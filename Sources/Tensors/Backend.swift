import CKernels
import Determinism
import Foundation

/// Which compiled variant of the kernels runs. All compute the same bits; `AUTOPANOPTIC_ISA` picks one by name.
public struct Backend: Sendable {
  public enum InstructionSet: String, Sendable, CaseIterable {
    case scalar, avx2, avx512

    var isa: ck_isa {
      switch self {
      case .scalar: CK_SCALAR
      case .avx2: CK_AVX2
      case .avx512: CK_AVX512
      }
    }

    /// Whether this machine runs it.
    public var isSupported: Bool { ck_isa_supported(isa) == 1 }
  }

  /// The variants that this machine runs, slowest first.
  public static var supported: [InstructionSet] { InstructionSet.allCases.filter(\.isSupported) }

  /// The variant asked for by the environment, else the fastest.
  /// - Throws: `BackendError` where the name is unknown or the machine lacks the instructions.
  public static func resolve(environment: [String: String]) throws -> InstructionSet {
    guard let name = environment["AUTOPANOPTIC_ISA"], !name.isEmpty else { return supported.last ?? .scalar }
    guard let wanted = InstructionSet(rawValue: name) else {
      throw BackendError(
        description: "AUTOPANOPTIC_ISA=\(name): unknown instruction set; choose scalar, avx2 or avx512")
    }
    guard wanted.isSupported else {
      let names = supported.map(\.rawValue).joined(separator: ", ")
      throw BackendError(description: "AUTOPANOPTIC_ISA=\(name): this processor lacks it; it has \(names)")
    }
    return wanted
  }

  /// The variant of this process, fixed at first use.
  ///
  /// The command line checks `resolve` first, so a bad name never gets here from a user.
  public static let instructionSet: InstructionSet = {
    do {
      return try resolve(environment: ProcessInfo.processInfo.environment)
    } catch {
      fatalError("\(error)")
    }
  }()

  static let isa: ck_isa = instructionSet.isa
}

public struct BackendError: DiagnosableError {
  public let description: String
  public var isUserData: Bool { false }
}

import Foundation
import Testing

extension EndToEndTests {
  @Suite("Devices on the command line")
  struct DeviceCommandTests {
    @Test("without a driver 'devices' and '--device' say what is missing, and a run without a device needs none")
    func missing() async throws {
      try await withTemporaryFolder { folder in
        try StreamTests.pipeline.write(toFile: folder + "/p.yaml", atomically: true, encoding: .utf8)
        let environment = ["OCL_ICD_VENDORS": folder + "/none", "OCL_ICD_FILENAMES": ""]
        for words in [["devices"], ["run", "p.yaml", "--device", "opencl"]] {
          let outcome = try await Program.run(words, environment: environment, in: folder)
          #expect(outcome.code == 1 && outcome.errors.contains("OpenCL"), "\(words): \(outcome)")
        }
        let outcome = try await Program.run(["run", "p.yaml"], environment: environment, in: folder)
        #expect(outcome.code == 0, "\(outcome)")
      }
    }

    @Test("a name that is none is refused, wherever it comes from; so is a device with another engine")
    func names() async throws {
      try await withTemporaryFolder { folder in
        try StreamTests.pipeline.write(toFile: folder + "/p.yaml", atomically: true, encoding: .utf8)
        let option = try await Program.run(["run", "p.yaml", "--device", "gpu"], in: folder)
        #expect(option.code == 64 && option.errors.contains("--device"), "\(option)")
        let variable = try await Program.run(
          ["run", "p.yaml"], environment: ["AUTOPANOPTIC_DEVICE": "gpu"], in: folder)
        #expect(
          variable.code == 64 && variable.errors.contains("AUTOPANOPTIC_DEVICE=gpu: expected cpu, opencl or opencl:N"),
          "\(variable)")
      }
    }
  }
}

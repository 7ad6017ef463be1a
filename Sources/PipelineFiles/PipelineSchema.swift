import Determinism
import PipelineModel

/// The JSON Schema of pipeline files, for editors: keys of sections, kinds of stages, names of parameters. It allows more
/// than `lint` does, which also looks at types, references and profiles.
public enum PipelineSchema {
  /// - Parameter registry: the kinds that `uses` may name.
  public static func make(_ registry: StageRegistry) -> CanonicalValue {
    var definitions = [String: CanonicalValue]()
    for (name, table) in [
      ("matrix", PipelineKeyTable.matrix), ("resources", .resources), ("environment", .environment),
      ("executor", .executor),
    ] {
      definitions[name] = section(table)
    }
    // Every other member of a matrix is an axis.
    if case .object(var members)? = definitions["matrix"] {
      members["additionalProperties"] = ["anyOf": [["type": "array", "minItems": 1], ["type": "string"]]]
      definitions["matrix"] = .object(members)
    }
    definitions["stage"] = stage(registry)
    guard case .object(var root) = section(.pipeline) else { return .null }
    root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    root["title"] = "a pipeline of autopanoptic"
    root["$defs"] = .object(definitions)
    root["anyOf"] = [["required": ["pipeline", "stages"]], ["required": ["based-on"]]]
    return .object(root)
  }

  private static func section(_ table: PipelineKeyTable) -> CanonicalValue {
    let properties = table.keys.map { key -> (String, CanonicalValue) in
      var schema = key.schema.objectValue ?? [:]
      schema["description"] = .string("\(key.form): \(key.summary)")
      return (key.name, .object(schema))
    }
    return [
      "type": "object", "additionalProperties": false, "description": .string("\(table.title): \(table.place)"),
      "properties": .object(Dictionary(properties, uniquingKeysWith: { a, _ in a })),
    ]
  }

  private static func stage(_ registry: StageRegistry) -> CanonicalValue {
    guard case .object(var stage) = section(.stage), case .object(var properties)? = stage["properties"] else {
      return .null
    }
    let kinds = registry.kinds.values.sorted { $0.name.precedesInBytes($1.name) }
    properties["uses"] = [
      "description": .string(properties["uses"]?["description"]?.stringValue ?? ""),
      "anyOf": .array(
        kinds.map { ["const": .string($0.name), "description": .string($0.summary)] }),
    ]
    stage["properties"] = .object(properties)
    stage["allOf"] = .array(kinds.map(condition))
    // A stage of a file that another one is based on changes what it says only.
    return ["anyOf": [.object(stage), ["type": "null"]]]
  }

  /// The parameters of a stage of one kind.
  private static func condition(_ kind: StageKind) -> CanonicalValue {
    let own = kind.parameterNames + (kind.isRandom || kind.specialize != nil ? ["seed"] : [])
    let parameters = own.map { name -> (String, CanonicalValue) in
      guard let value = PipelineReference.standard(name, of: kind) else { return (name, [:]) }
      return (name, ["default": value])
    }
    return [
      "if": ["properties": ["uses": ["const": .string(kind.name)]], "required": ["uses"]],
      "then": [
        "properties": [
          "with": [
            "anyOf": [
              [
                "type": "object", "additionalProperties": false,
                "properties": .object(Dictionary(parameters, uniquingKeysWith: { a, _ in a })),
              ],
              ["type": "string", "pattern": "^\\$"],
            ]
          ]
        ]
      ],
    ]
  }
}

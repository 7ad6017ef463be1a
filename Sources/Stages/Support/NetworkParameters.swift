import Models
import Pipelines

/// Parameters of a stage that builds, trains or draws a network, or draws its architectures.
protocol NetworkParameters: StageParameters {
  var network: NetworkConfiguration { get set }
}

/// Parameters of a stage that builds a backbone.
protocol BackboneParameters: StageParameters {
  var backbone: BackboneConfiguration { get set }
}

extension StageKind {
  /// Of a stage whose networks choose among the operators of a catalog.
  init<S: Stage>(_ type: S.Type, searching operators: NetworkCatalog) where S.Parameters: NetworkParameters {
    var parameters = S.Parameters()
    parameters.network.search(operators)
    self.init(type, defaults: parameters, userInfo: operators.userInfo)
  }

  /// Of a stage whose backbone chooses among the operators of a catalog.
  init<S: Stage>(_ type: S.Type, searching operators: NetworkCatalog) where S.Parameters: BackboneParameters {
    var parameters = S.Parameters()
    parameters.backbone.search(operators)
    self.init(type, defaults: parameters, userInfo: operators.userInfo)
  }
}

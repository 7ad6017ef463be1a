import Determinism

/// Writes a target box as four numbers relative to a proposal, and back (Faster R-CNN's parametrisation).
///
/// `dx, dy` are shifts of the centre in units of the proposal's sides, `dw, dh` logarithms of the ratio of sides; each
/// is multiplied by its weight. All steps run in binary64 with portable `exp` and `log`; each result is rounded once
/// to binary32.
public struct BoxCoder: Hashable, Sendable {
  /// The four numbers of one box.
  public struct Deltas: Hashable, Sendable {
    public var dx: Float
    public var dy: Float
    public var dw: Float
    public var dh: Float

    public init(_ dx: Float, _ dy: Float, _ dw: Float, _ dh: Float) {
      (self.dx, self.dy, self.dw, self.dh) = (dx, dy, dw, dh)
    }
  }

  /// ln(1000 / 16): no decoded side exceeds 62.5 times that of its proposal.
  public static let defaultSideLimit = 4.135166556742356

  /// Factors of `dx, dy, dw, dh`.
  public var weights: (Double, Double, Double, Double) { (weightX, weightY, weightW, weightH) }
  private let weightX: Double
  private let weightY: Double
  private let weightW: Double
  private let weightH: Double
  /// Upper limit of `dw` and `dh` after division by their weights.
  public let sideLimit: Double
  public let convention: BoxConvention

  /// - Parameter weights: factors of `dx, dy, dw, dh`; all 1 for region proposals, 10, 10, 5, 5 for the box head.
  public init(
    weights: (Double, Double, Double, Double) = (1, 1, 1, 1), sideLimit: Double = BoxCoder.defaultSideLimit,
    convention: BoxConvention = .legacy
  ) {
    (weightX, weightY, weightW, weightH) = weights
    self.sideLimit = sideLimit
    self.convention = convention
  }

  /// The deltas that decode to `target` from `proposal`.
  /// - Precondition: both boxes have positive sides.
  public func encode(_ target: Box, relativeTo proposal: Box) -> Deltas {
    let (w, h) = (proposal.width(convention), proposal.height(convention))
    let (targetW, targetH) = (target.width(convention), target.height(convention))
    precondition(w > 0 && h > 0 && targetW > 0 && targetH > 0, "encode: empty box in \(target) relative to \(proposal)")
    let (x, y) = (Double(proposal.x0) + 0.5 * w, Double(proposal.y0) + 0.5 * h)
    let (targetX, targetY) = (Double(target.x0) + 0.5 * targetW, Double(target.y0) + 0.5 * targetH)
    return Deltas(
      Float(weightX * (targetX - x) / w), Float(weightY * (targetY - y) / h),
      Float(weightW * PortableMath.log(targetW / w)), Float(weightH * PortableMath.log(targetH / h)))
  }

  /// The box that `deltas` describe relative to `proposal`; not clipped to the image.
  public func decode(_ deltas: Deltas, relativeTo proposal: Box) -> Box {
    let (w, h) = (proposal.width(convention), proposal.height(convention))
    let x = Double(proposal.x0) + 0.5 * w + Double(deltas.dx) / weightX * w
    let y = Double(proposal.y0) + 0.5 * h + Double(deltas.dy) / weightY * h
    let halfW = 0.5 * (PortableMath.exp(min(Double(deltas.dw) / weightW, sideLimit)) * w)
    let halfH = 0.5 * (PortableMath.exp(min(Double(deltas.dh) / weightH, sideLimit)) * h)
    return Box(
      x0: Float(x - halfW), y0: Float(y - halfH),
      x1: Float(x + halfW - convention.offset), y1: Float(y + halfH - convention.offset))
  }
}

import Vision

/// Predictions for one image, in pixels of its resized input.
public struct ImagePrediction: Sendable {
  /// One detected object.
  public struct Detection: Sendable {
    /// The predicted class: 1 for the first class of things.
    public var label: Int
    /// Probability of the class, 0 to 1.
    public var score: Float
    /// Both corners are pixels of the box, whatever the network's own convention.
    public var box: Box
    /// `maskSize²` probabilities inside the box, row-major.
    public var mask: [Float]
  }

  /// Class by class, inside a class in the order of the proposals (method 3.4).
  public var detections: [Detection]
  /// Cells per side of every mask.
  public var maskSize: Int
  /// Most probable semantic label of every pixel of the unpadded input, row-major: 0 for all things, 1... stuff.
  public var semantic: [UInt8]
  /// Size before padding.
  public var width: Int
  public var height: Int
}

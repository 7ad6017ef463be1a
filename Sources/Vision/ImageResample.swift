import CCodecs
import Tensors

extension Image {
  /// The picture at another size, by `ResizeFilter.antialiased`: columns first, then rows.
  func resampled(_ newWidth: Int, _ newHeight: Int) -> Image {
    let isa = Backend.instructionSet.codecs
    let stride = newWidth * channels
    let count = stride * newHeight
    let pixels = [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
      withResampledColumns(newWidth, pixelStep: channels, channelStep: 1) { columns in
        ResampleWeights(from: height, to: newHeight).withC { weights in
          cc_resample_rows(isa, columns, stride, stride, weights, target.baseAddress!, stride)
        }
      }
      initialized = count
    }
    return Image(width: newWidth, height: newHeight, channels: channels, pixels: pixels)
  }

  /// Resizes the picture by `ResizeFilter.antialiased` and writes it as three planes of floats, without a picture in
  /// between: what `resized`, a horizontal flip and a look-up in the tables give.
  ///
  /// - Parameters:
  ///   - isFlipped: mirrors left and right.
  ///   - isBGR: writes blue first.
  ///   - values: of each 8-bit sample, 256 for each channel that leaves.
  ///   - planes: `[3, planeHeight, planeWidth]`; what the picture does not reach stays as it is.
  /// - Precondition: an RGB picture, and planes that hold it.
  public func write(
    width newWidth: Int, height newHeight: Int, isFlipped: Bool, isBGR: Bool, values: [Float],
    to planes: UnsafeMutableBufferPointer<Float>, planeHeight: Int, planeWidth: Int
  ) {
    precondition(
      channels == 3 && width > 0 && height > 0 && newWidth > 0 && newHeight > 0 && values.count == 3 * 256,
      "write: \(width)×\(height)×\(channels) to \(newWidth)×\(newHeight), \(values.count) values")
    precondition(
      newWidth <= planeWidth && newHeight <= planeHeight && planes.count == 3 * planeHeight * planeWidth,
      "write: \(newWidth)×\(newHeight) to planes of \(planeWidth)×\(planeHeight), \(planes.count) elements")
    let isa = Backend.instructionSet.codecs
    let start = (isBGR ? 2 * newWidth : 0) + (isFlipped ? newWidth - 1 : 0)
    withResampledColumns(
      newWidth, start: start, pixelStep: isFlipped ? -1 : 1, channelStep: isBGR ? -newWidth : newWidth
    ) { columns in
      ResampleWeights(from: height, to: newHeight).withC { weights in
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 3 * newWidth) { line in
          let target = cc_planes(
            elements: planes.baseAddress, plane_stride: planeHeight * planeWidth, row_stride: planeWidth)
          cc_resample_rows_to_planes(
            isa, columns, 3 * newWidth, Int32(newWidth), weights, values, target, line.baseAddress!)
        }
      }
    }
  }

  /// Calls `body` with all rows of the picture, each resampled to `newWidth` samples a channel.
  ///
  /// - Parameters:
  ///   - start: where the first sample of a row goes.
  ///   - pixelStep: from one sample of a channel to the next.
  ///   - channelStep: from one channel to the next.
  private func withResampledColumns(
    _ newWidth: Int, start: Int = 0, pixelStep: Int, channelStep: Int, _ body: (UnsafePointer<UInt8>) -> Void
  ) {
    let isa = Backend.instructionSet.codecs
    let stride = newWidth * channels
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: stride * height) { columns in
      pixels.withUnsafeBufferPointer { pixels in
        ResampleWeights(from: width, to: newWidth).withC { weights in
          let source = cc_rows(
            samples: pixels.baseAddress, stride: width * channels, rows: Int32(height), channels: Int32(channels))
          cc_resample_columns(
            isa, source, weights, columns.baseAddress! + start, stride, pixelStep, channelStep)
        }
      }
      body(UnsafePointer(columns.baseAddress!))
    }
  }
}

import Vision

/// One picture's segments.
struct ADE20KMap {
  struct Segment {
    var id: UInt32
    /// Class of scene parsing, 1...150.
    var category: Int
    var area = 0
    var x0 = Int.max
    var y0 = Int.max
    var x1 = 0
    var y1 = 0

    mutating func add(_ x: Int, _ y: Int) {
      area += 1
      (x0, x1) = (min(x0, x), max(x1, x))
      (y0, y1) = (min(y0, y), max(y1, y))
    }
  }

  /// What a pixel belongs to.
  private enum Owner {
    case nothing
    case stuff(category: Int)
    /// - number: 1...255.
    case object(number: Int, category: Int)
  }

  private(set) var labels: LabelImage
  /// Stuff by class, then objects by number; ids count from 1.
  let segments: [Segment]

  /// The files of the Places Challenge.
  ///
  /// - Throws: `DatasetError` where the two maps differ in size, name a class that does not exist, or give one object
  ///   two classes.
  init(classes: Image, at classesPath: String, objects: LabelImage, at objectsPath: String) throws {
    let (width, height) = (classes.width, classes.height)
    guard objects.width == width && objects.height == height else {
      throw DatasetError(
        .mismatch, at: objectsPath,
        "has \(objects.width)×\(objects.height) pixels, \(classesPath) has \(width)×\(height)")
    }
    let isThing = ADE20KClasses.isThing
    var categories = [Int](repeating: 0, count: 256)
    try self.init(width: width, height: height) { x, y in
      let i = y * width + x
      let (red, number) = (Int(objects.ids[i] & 255), Int(objects.ids[i] >> 8 & 255))
      if number > 0 {
        guard (1...ADE20KClasses.things.count).contains(red) else {
          throw DatasetError(.unknown, at: objectsPath, "object \(number) at (\(x), \(y)) has class \(red) of 1...100")
        }
        let category = ADE20KClasses.things[red - 1]
        if categories[number] == 0 { categories[number] = category }
        guard categories[number] == category else {
          throw DatasetError(
            .mismatch, at: objectsPath, "object \(number) has two classes, the second at (\(x), \(y))")
        }
        return .object(number: number, category: category)
      }
      let category = Int(classes.pixels[i])
      guard category <= ADE20KClasses.names.count else {
        throw DatasetError(.unknown, at: classesPath, "class \(category) at (\(x), \(y)) of 0...150")
      }
      return category == 0 || isThing[category] ? .nothing : .stuff(category: category)
    }
  }

  /// The `_seg.png` of the full data set: class `R / 10 * 256 + G`, object `B`, with `R + 256 G + 65536 B` of a pixel as
  /// its id. Classes that scene parsing does not have are void; an object belongs to one class, so a number that two
  /// classes have is two objects.
  init(full labels: LabelImage) {
    let isThing = ADE20KClasses.isThing
    let categories = ADE20KClasses.categoryOfFullClass
    self.init(width: labels.width, height: labels.height) { x, y in
      let id = Int(labels.ids[y * labels.width + x])
      let index = (id & 255) / 10 * 256 + (id >> 8 & 255)
      let category = index < categories.count ? categories[index] : 0
      guard category > 0 else { return .nothing }
      guard isThing[category] else { return .stuff(category: category) }
      let number = id >> 16
      return number == 0 ? .nothing : .object(number: number, category: category)
    }
  }

  private init<E: Error>(width: Int, height: Int, owner: (_ x: Int, _ y: Int) throws(E) -> Owner) throws(E) {
    // 0 is void; then stuff by class, objects by number and class.
    let classes = ADE20KClasses.names.count + 1
    var found = [Segment?](repeating: nil, count: 256 * classes)
    var keys = [UInt16](repeating: 0, count: width * height)
    for y in 0..<height {
      for x in 0..<width {
        let (key, category): (Int, Int)
        switch try owner(x, y) {
        case .nothing: continue
        case .stuff(let c): (key, category) = (c, c)
        case .object(let number, let c): (key, category) = (number * classes + c, c)
        }
        if found[key] == nil { found[key] = Segment(id: 0, category: category) }
        found[key]!.add(x, y)
        keys[y * width + x] = UInt16(key)
      }
    }
    var idOfKey = [UInt32](repeating: 0, count: found.count)
    var all: [Segment] = []
    for (key, segment) in found.enumerated() {
      guard var segment else { continue }
      segment.id = UInt32(all.count + 1)
      idOfKey[key] = segment.id
      all.append(segment)
    }
    segments = all
    labels = LabelImage(width: width, height: height, ids: keys.map { idOfKey[Int($0)] })
  }
}

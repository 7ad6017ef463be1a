/// The classes of ADE20K as the Places Challenge 2017 fixed them: 150 of scene parsing, of which the instance track
/// lists 100. Those are the things, the other 50 the stuff (method 11.2).
enum ADE20KClasses {
  /// Names of the classes 1...150 of scene parsing; 0 is everything else.
  static let names = [
    "wall", "building", "sky", "floor", "tree", "ceiling", "road", "bed", "windowpane", "grass", "cabinet",
    "sidewalk", "person", "earth", "door", "table", "mountain", "plant", "curtain", "chair", "car", "water",
    "painting", "sofa", "shelf", "house", "sea", "mirror", "rug", "field", "armchair", "seat", "fence", "desk",
    "rock", "wardrobe", "lamp", "bathtub", "railing", "cushion", "base", "box", "column", "signboard",
    "chest of drawers", "counter", "sand", "sink", "skyscraper", "fireplace", "refrigerator", "grandstand", "path",
    "stairs", "runway", "case", "pool table", "pillow", "screen door", "stairway", "river", "bridge", "bookcase",
    "blind", "coffee table", "toilet", "flower", "book", "hill", "bench", "countertop", "stove", "palm",
    "kitchen island", "computer", "swivel chair", "boat", "bar", "arcade machine", "hovel", "bus", "towel", "light",
    "truck", "tower", "chandelier", "awning", "streetlight", "booth", "television", "airplane", "dirt track",
    "apparel", "pole", "land", "bannister", "escalator", "ottoman", "bottle", "buffet", "poster", "stage", "van",
    "ship", "fountain", "conveyer belt", "canopy", "washer", "plaything", "swimming pool", "stool", "barrel",
    "basket", "waterfall", "tent", "bag", "minibike", "cradle", "oven", "ball", "food", "step", "tank", "trade name",
    "microwave", "pot", "animal", "bicycle", "lake", "dishwasher", "screen", "blanket", "sculpture", "hood", "sconce",
    "vase", "traffic light", "tray", "ashcan", "fan", "pier", "crt screen", "plate", "monitor", "bulletin board",
    "shower", "radiator", "glass", "clock", "flag",
  ]

  /// The scene-parsing class of the instance track's classes 1...100.
  static let things = [
    8, 9, 11, 13, 15, 16, 19, 20, 21, 23, 24, 25, 28, 31, 32, 33, 34, 36, 37, 38, 39, 40, 42, 43, 44, 45, 46, 48, 50,
    51, 54, 56, 57, 58, 59, 63, 65, 66, 67, 68, 70, 71, 72, 73, 74, 75, 76, 77, 79, 81, 82, 83, 84, 86, 87, 88, 89,
    90, 91, 93, 94, 96, 98, 99, 103, 104, 105, 108, 109, 111, 112, 113, 116, 117, 119, 120, 121, 122, 124, 125, 126,
    127, 128, 130, 131, 133, 134, 135, 136, 137, 138, 139, 140, 143, 144, 145, 147, 148, 149, 150,
  ]
  /// Whether a class 0...150 is one of things.
  static let isThing = (0...names.count).map { Set(things).contains($0) }

  /// The classes of the full data set, some 3,000, that scene parsing made its classes 1...150 of
  /// (github.com/CSAILVision/sceneparsing, convertFromADE); three of those are made of two.
  private static let fullClasses = [
    2978, 312, 2420, 976, 2855, 447, 2131, 165, 3055, 1125, 350, 2377, 1831, 838, 774, 2684, 1610, 1910, 687, 471,
    401, 2994, 1735, 2473, 2329, 1276, 2264, 1564, 2178, 913, 57, 2272, 907, 724, 2138, 2985, 1395, 155, 2053, 689,
    137, 266, 581, 2380, 491, 627, 2212, 2388, 2423, 943, 2096, 1121, 1788, 2530, 2185, 420, 1948, 1869, 2251, 2531,
    2128, 294, 239, 212, 571, 2793, 978, 236, 1240, 181, 629, 2598, 1744, 1374, 591, 2679, 223, 123, 47, 1282, 327,
    2821, 1451, 2880, 2828, 480, 77, 2616, 246, 2733, 14, 738, 38, 1936, 1401, 120, 868, 1702, 249, 308, 1969, 2526,
    2928, 2337, 1023, 609, 389, 2989, 1930, 2668, 2586, 131, 146, 3016, 2739, 95, 1563, 642, 1708, 103, 1002, 2569,
    2704, 2833, 1551, 1981, 29, 187, 1393, 747, 2254, 206, 2262, 1260, 2243, 2932, 2836, 2850, 64, 894, 1858, 3109,
    1919, 1583, 318, 2356, 2046, 1098, 530, 954,
  ]

  /// The scene-parsing class of a class of the full data set, counted from 1; 0 for the many without one.
  static let categoryOfFullClass = {
    let second = [783: 15, 533: 36, 247: 89]
    var result = [Int](repeating: 0, count: fullClasses.max()! + 1)
    for (i, index) in fullClasses.enumerated() { result[index] = i + 1 }
    for (index, category) in second { result[index] = category }
    return result
  }()
}

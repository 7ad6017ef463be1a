/// Places boxes in rows so that every edge leads downward, with few crossings and short ways (Sugiyama's method,
/// small).
struct LayeredLayout {
  struct Size {
    var width: Double
    var height: Double
  }

  struct Point: Equatable {
    var x: Double
    var y: Double
  }

  /// The middle of each box.
  private(set) var centers: [Point] = []
  /// Of each edge: from the bottom of its first box to the top of its second, by way of the rows between.
  private(set) var routes: [[Point]] = []
  private(set) var width = 0.0
  private(set) var height = 0.0

  private static let rowGap = 44.0
  private static let columnGap = 28.0
  private static let margin = 20.0
  /// What an edge that only passes a row takes of it.
  private static let passage = Size(width: 12, height: 0)

  /// A box, or the place where an edge passes a row.
  private struct Vertex {
    var size: Size
    var row: Int
    var above: [Int] = []
    var below: [Int] = []
    var x = 0.0
  }

  private var vertices: [Vertex] = []
  private var rows: [[Int]] = []

  /// - Parameter edges: from a box to one that comes after it; there is no circle.
  init(_ sizes: [Size], edges: [(from: Int, to: Int)]) {
    guard !sizes.isEmpty else { return }
    let levels = LayeredLayout.levels(count: sizes.count, edges)
    vertices = zip(sizes, levels).map { Vertex(size: $0, row: $1) }
    let ways = edges.map { addWay($0.from, $0.to) }
    rows = Array(repeating: [], count: (levels.max() ?? 0) + 1)
    for i in vertices.indices { rows[vertices[i].row].append(i) }
    reduceCrossings()
    placeColumns()
    finish(boxes: sizes.count, ways)
  }

  /// The longest path from a start, except that starts lie just above what needs them.
  private static func levels(count: Int, _ edges: [(from: Int, to: Int)]) -> [Int] {
    var level = [Int](repeating: 0, count: count)
    var below = [[Int]](repeating: [], count: count)
    var missing = [Int](repeating: 0, count: count)
    for edge in edges {
      below[edge.from].append(edge.to)
      missing[edge.to] += 1
    }
    let starts = level.indices.filter { missing[$0] == 0 }
    var ready = starts
    while let box = ready.popLast() {
      for next in below[box] {
        level[next] = max(level[next], level[box] + 1)
        missing[next] -= 1
        if missing[next] == 0 { ready.append(next) }
      }
    }
    for start in starts { level[start] = (below[start].map { level[$0] }.min() ?? 1) - 1 }
    return level
  }

  /// Adds the passages of an edge.
  /// - Returns: all vertices on its way.
  private mutating func addWay(_ from: Int, _ to: Int) -> [Int] {
    var way = [from]
    for row in (vertices[from].row + 1)..<max(vertices[from].row + 1, vertices[to].row) {
      vertices.append(Vertex(size: LayeredLayout.passage, row: row))
      way.append(vertices.count - 1)
    }
    way.append(to)
    for (a, b) in zip(way, way.dropFirst()) {
      vertices[a].below.append(b)
      vertices[b].above.append(a)
    }
    return way
  }

  /// Sorts each row by the mean place of its neighbours, downward and upward in turns, and keeps the best order.
  private mutating func reduceCrossings() {
    var best = rows
    var fewest = crossings()
    var places = [Double](repeating: 0, count: vertices.count)
    for row in rows { for (place, v) in row.enumerated() { places[v] = Double(place) } }
    for round in 0..<12 {
      let isDownward = round % 2 == 0
      for r in isDownward ? Array(rows.indices) : rows.indices.reversed() {
        let weights = rows[r].enumerated().map { place, v -> (Double, Int) in
          let neighbours = isDownward ? vertices[v].above : vertices[v].below
          let mean = neighbours.map { places[$0] }.reduce(0, +) / Double(max(1, neighbours.count))
          return (neighbours.isEmpty ? Double(place) : mean, place)
        }
        let order = weights.indices.sorted { weights[$0] < weights[$1] }
        rows[r] = order.map { rows[r][$0] }
        for (place, v) in rows[r].enumerated() { places[v] = Double(place) }
      }
      let count = crossings()
      if count < fewest { (best, fewest) = (rows, count) }
    }
    rows = best
  }

  /// Pairs of edges between neighbouring rows whose ends are in another order than their beginnings.
  private func crossings() -> Int {
    var count = 0
    var places = [Int](repeating: 0, count: vertices.count)
    for (upper, lower) in zip(rows, rows.dropFirst()) {
      for (place, v) in lower.enumerated() { places[v] = place }
      var seen = RankCounts(count: lower.count)
      for end in upper.flatMap({ v in vertices[v].below.map { places[$0] }.sorted() }) {
        count += seen.countAbove(end)
        seen.add(end)
      }
    }
    return count
  }

  /// Pulls every vertex towards its neighbours without changing the order of its row.
  private mutating func placeColumns() {
    for row in rows {
      var x = 0.0
      for v in row {
        vertices[v].x = x + vertices[v].size.width / 2
        x += vertices[v].size.width + LayeredLayout.columnGap
      }
    }
    for round in 0..<60 {
      for r in round % 2 == 0 ? Array(rows.indices) : rows.indices.reversed() {
        let wanted = rows[r].map { v -> Double in
          // The first half of the rounds goes by one side each; then both count, so that a chain becomes a line.
          let near = round % 2 == 0 ? vertices[v].above : vertices[v].below
          let neighbours = near.isEmpty || round >= 30 ? vertices[v].above + vertices[v].below : near
          let pulls = neighbours.map { (weight: pull(v, $0), x: vertices[$0].x) }
          let weight = pulls.reduce(0) { $0 + $1.weight }
          return weight == 0 ? vertices[v].x : pulls.reduce(0) { $0 + $1.weight * $1.x } / weight
        }
        spread(rows[r], wanted)
      }
    }
  }

  private func isPassage(_ v: Int) -> Bool { vertices[v].size.height == 0 }

  /// Long edges should be straight: a bend between two passages is the worst.
  private func pull(_ a: Int, _ b: Int) -> Double {
    switch (isPassage(a), isPassage(b)) {
    case (true, true): 8
    case (false, false): 2
    default: 1
    }
  }

  /// The places nearest to the wanted ones (in least squares) that keep order and distances.
  private mutating func spread(_ row: [Int], _ wanted: [Double]) {
    // With the distances taken off, the places must only not fall: merge neighbours that would.
    var offsets = [Double]()
    var offset = 0.0
    for (i, v) in row.enumerated() {
      if i > 0 {
        offset += (vertices[row[i - 1]].size.width + vertices[v].size.width) / 2 + LayeredLayout.columnGap
      }
      offsets.append(offset)
    }
    var blocks = [(sum: Double, weight: Double, count: Int)]()
    for i in row.indices {
      // A box gives way to a line that is straight so far.
      let weight = isPassage(row[i]) ? 3.0 : 1.0
      blocks.append(((wanted[i] - offsets[i]) * weight, weight, 1))
      while blocks.count > 1 {
        let (last, before) = (blocks[blocks.count - 1], blocks[blocks.count - 2])
        guard last.sum / last.weight < before.sum / before.weight else { break }
        blocks.removeLast(2)
        blocks.append((last.sum + before.sum, last.weight + before.weight, last.count + before.count))
      }
    }
    var i = 0
    for block in blocks {
      for _ in 0..<block.count {
        vertices[row[i]].x = block.sum / block.weight + offsets[i]
        i += 1
      }
    }
  }

  private mutating func finish(boxes: Int, _ ways: [[Int]]) {
    let left = vertices.map { $0.x - $0.size.width / 2 }.min()! - LayeredLayout.margin
    for i in vertices.indices { vertices[i].x = (vertices[i].x - left).rounded() }
    width = vertices.map { $0.x + $0.size.width / 2 }.max()! + LayeredLayout.margin
    let tallest = rows.map { row in row.map { vertices[$0].size.height }.max() ?? 0 }
    var middles = [Double]()
    var y = LayeredLayout.margin
    for height in tallest {
      middles.append(y + height / 2)
      y += height + LayeredLayout.rowGap
    }
    height = y - LayeredLayout.rowGap + LayeredLayout.margin
    centers = vertices.prefix(boxes).map { Point(x: $0.x, y: middles[$0.row]) }
    routes = ways.map { way in
      way.enumerated().flatMap { place, v -> [Point] in
        let vertex = vertices[v]
        let middle = middles[vertex.row]
        if place == 0 { return [Point(x: vertex.x, y: middle + vertex.size.height / 2)] }
        if place == way.count - 1 { return [Point(x: vertex.x, y: middle - vertex.size.height / 2)] }
        // Straight through the row, so that the edge bends between the boxes and not beside them.
        let half = tallest[vertex.row] / 2
        return [Point(x: vertex.x, y: middle - half), Point(x: vertex.x, y: middle + half)]
      }
    }
    spreadEnds(ways.map { ($0.first!, $0.last!) })
  }

  /// Gives each edge its own place on the side of its boxes, in the order of where the edges come from and go to.
  private mutating func spreadEnds(_ ends: [(from: Int, to: Int)]) {
    let (leaving, entering) = (
      Dictionary(grouping: ends.indices, by: { ends[$0].from }), Dictionary(grouping: ends.indices, by: { ends[$0].to })
    )
    for box in centers.indices {
      let out = (leaving[box] ?? []).sorted { (routes[$0][1].x, $0) < (routes[$1][1].x, $1) }
      let into = (entering[box] ?? [])
        .sorted { (routes[$0][routes[$0].count - 2].x, $0) < (routes[$1][routes[$1].count - 2].x, $1) }
      for (edges, isStart) in [(out, true), (into, false)] {
        let step = min(16, vertices[box].size.width * 0.7 / Double(max(1, edges.count)))
        for (i, edge) in edges.enumerated() {
          let x = vertices[box].x + (Double(i) - Double(edges.count - 1) / 2) * step
          routes[edge][isStart ? 0 : routes[edge].count - 1].x = x
        }
      }
    }
  }
}

/// How many of the numbers seen so far are above one, in logarithmic time (a Fenwick tree).
private struct RankCounts {
  private var sums: [Int]
  private var total = 0

  /// - Parameter count: numbers are below it.
  init(count: Int) { sums = Array(repeating: 0, count: count + 1) }

  mutating func add(_ number: Int) {
    total += 1
    var i = number + 1
    while i < sums.count {
      sums[i] += 1
      i += i & -i
    }
  }

  func countAbove(_ number: Int) -> Int {
    var (i, upTo) = (number + 1, 0)
    while i > 0 {
      upTo += sums[i]
      i -= i & -i
    }
    return total - upTo
  }
}

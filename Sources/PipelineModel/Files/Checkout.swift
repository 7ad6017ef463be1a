import Determinism

/// Where a pipeline file lies.
package enum Checkout {
  /// The absolute path of the folder with a file.
  package static func folder(ofFile path: String) -> String {
    RelativePath.parent(Files.absolute(path)) ?? "/"
  }

  /// The folder of version control that a folder is in, else the folder itself.
  package static func root(above folder: String) -> String {
    var place = folder
    while place != "/", !place.isEmpty {
      if Files.exists(place + "/.git") { return place }
      place = Checkout.folder(ofFile: place)
    }
    return folder
  }
}

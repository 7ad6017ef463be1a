/// `7` with 12 digits is `000000000007`, as COCO and ADE20K name their files.
func paddedNumber(_ number: Int, digits: Int) -> String {
  let text = String(number)
  return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
}

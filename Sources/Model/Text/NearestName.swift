/// The name that somebody may have meant who wrote another: the nearest of those that there are, of
/// equally near ones the first. Both have more than three letters and differ in at most two.
/// - Complexity: O(names), since longer names than any of ours are near none.
package func nearestName(to name: String, among names: some Sequence<String>) -> String? {
    let written = Array(name.unicodeScalars.prefix(65))
    guard (4...64).contains(written.count) else { return nil }
    var nearest: (name: String, distance: Int)?
    for candidate in names {
        let known = Array(candidate.unicodeScalars)
        guard known.count > 3, abs(known.count - written.count) <= 2 else { continue }
        let distance = editDistance(written, known)
        if distance <= 2, distance < nearest?.distance ?? 3 { nearest = (candidate, distance) }
    }
    return nearest?.name
}

/// What an error says after an unknown name: ` (did you mean “email”?)`, or nothing.
package func nearestHint(for name: String, among names: some Sequence<String>) -> String {
    nearestName(to: name, among: names).map { " (did you mean “\($0)”?)" } ?? ""
}

/// Levenshtein's distance: how many letters must be put in, left out or replaced.
private func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, y) in b.enumerated() {
            let replaced = diagonal + (x == y ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
        }
    }
    return row[b.count]
}

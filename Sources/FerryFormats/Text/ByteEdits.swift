/// Replacements in bytes that are otherwise kept, collected in ascending order.
struct ByteEdits {
    private var edits: [(range: Range<Int>, replacement: [UInt8])] = []

    var isEmpty: Bool { edits.isEmpty }

    /// `range` must not begin before the end of the range before it.
    mutating func replace(_ range: Range<Int>, with replacement: [UInt8]) {
        precondition(
            range.lowerBound >= edits.last?.range.upperBound ?? 0, "edits are given in the order of the bytes")
        edits.append((range, replacement))
    }

    func applied(to bytes: [UInt8]) -> [UInt8] {
        guard !edits.isEmpty else { return bytes }
        var output = [UInt8]()
        output.reserveCapacity(bytes.count + edits.reduce(0) { $0 + $1.replacement.count })
        var position = 0
        for edit in edits {
            output += bytes[position..<edit.range.lowerBound]
            output += edit.replacement
            position = edit.range.upperBound
        }
        return output + bytes[position...]
    }
}

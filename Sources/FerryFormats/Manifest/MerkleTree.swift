package import FerryCore

/// The Merkle tree over a list of leaves that come one after the other (RFC 9162 section 2.1.1, with SHA-256).
///
/// A leaf is hashed with a zero octet before it and a node with a one, so that neither can be passed off as the other.
/// Keeps one digest per level: memory grows with the logarithm of the number of leaves.
package struct MerkleTree: Sendable {
    /// Roots of the complete subtrees so far, from left to right; the sizes are powers of two and fall.
    private var peaks: [(leaves: Int64, root: ContentDigest)] = []
    /// Leaves so far.
    package private(set) var count: Int64 = 0

    package init() {}

    package mutating func append(_ leaf: some Collection<UInt8>) {
        var hasher = ContentHasher()
        hasher.update([0])
        hasher.update(leaf)
        var node = (leaves: Int64(1), root: hasher.finish())
        while let left = peaks.last, left.leaves == node.leaves {
            peaks.removeLast()
            node = (left.leaves * 2, Self.node(left.root, node.root))
        }
        peaks.append(node)
        count += 1
    }

    /// The root over everything so far; more leaves may follow. Without leaves it is the digest of nothing.
    package var root: ContentDigest {
        guard var root = peaks.last?.root else { return ContentDigest(hashing: []) }
        for peak in peaks.dropLast().reversed() { root = Self.node(peak.root, root) }
        return root
    }

    /// The root of a tree with these two subtrees.
    package static func node(_ left: ContentDigest, _ right: ContentDigest) -> ContentDigest {
        var hasher = ContentHasher()
        hasher.update([1])
        hasher.update(left.bytes)
        hasher.update(right.bytes)
        return hasher.finish()
    }
}

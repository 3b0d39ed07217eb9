package import FerryCore

/// Makes an `ItemVersion` from what may change about an item: sizes, times, flags, names.
///
/// The same values in the same order give the same version in every process and on every platform (the standard
/// library's `Hasher` does not). Not for keeping secrets or enemies out. Each value carries its length, so that
/// `"ab", "c"` and `"a", "bc"` differ.
package struct VersionHasher: Sendable {
    private var state: UInt64 = 0x6665_7272_7976_3031

    package init() {}

    package mutating func combine(_ value: Int64) { mix(UInt64(bitPattern: value)) }

    package mutating func combine(_ text: String) { combine(text.utf8) }

    package mutating func combine(_ bytes: some Sequence<UInt8>) {
        var word: UInt64 = 0
        var count: UInt64 = 0
        for byte in bytes {
            word |= UInt64(byte) << (count % 8 * 8)
            count += 1
            if count % 8 == 0 {
                mix(word)
                word = 0
            }
        }
        mix(word)
        mix(count)
    }

    /// The version of everything so far; more may follow.
    package func finish() -> ItemVersion { ItemVersion(state) }

    /// The finalizer of SplitMix64 after adding the word: a bijection of the state, so that two hashers that differ in
    /// one word only never meet.
    private mutating func mix(_ word: UInt64) {
        var mixed = (state ^ word) &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        state = mixed ^ mixed >> 31
    }
}

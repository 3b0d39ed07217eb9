import FerryCore
import Testing

@testable import FerryFormats

@Suite struct IdentityTests {
    @Test func `A key is the first half of the SHA-256 of the name`() {
        // SHA-256("abc") = ba7816bf 8f01cfea 414140de 5dae2223 … (FIPS 180-2, appendix B.1)
        let key = ItemKey(name: "abc")
        #expect(key == ItemKey(high: 0xba78_16bf_8f01_cfea, low: 0x4141_40de_5dae_2223))
        #expect(ItemKey(hashing: [97, 98, 99] as [UInt8]) == key)
        #expect(ItemKey(name: "\u{E9}") != ItemKey(name: "e\u{301}"), "names are not normalized")
    }

    @Test func `Content has one digest however it is cut`() {
        let content = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let whole = ContentDigest(hashing: content)
        for step in [1, 7, 64, 4096] {
            var hasher = ContentHasher()
            for start in stride(from: 0, to: content.count, by: step) {
                hasher.update(content[start..<min(start + step, content.count)])
            }
            #expect(hasher.finish() == whole)
        }
        var lazy = ContentHasher()
        lazy.update(content.lazy.map { $0 })
        #expect(lazy.finish() == whole, "a collection without contiguous storage")
        #expect(
            ContentDigest(hashing: [UInt8]()).hexadecimal
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func `A version tells where one value ends and the next begins`() {
        func version(_ parts: [String]) -> ItemVersion {
            var hasher = VersionHasher()
            for part in parts { hasher.combine(part) }
            return hasher.finish()
        }
        let cuts = [
            ["abc"], ["ab", "c"], ["a", "bc"], ["", "abc"], ["abc", ""], ["abc", "", ""], ["abc\0"], ["a", "b", "c"],
        ]
        #expect(Set(cuts.map(version)).count == cuts.count)
    }

    @Test func `Versions stay the same for all time`() {
        var hasher = VersionHasher()
        hasher.combine(Int64(-1))
        hasher.combine("INBOX")
        hasher.combine([1, 2, 3, 4, 5, 6, 7, 8, 9] as [UInt8])
        #expect(hasher.finish().bits == 5_721_587_465_894_797_455)
    }
}

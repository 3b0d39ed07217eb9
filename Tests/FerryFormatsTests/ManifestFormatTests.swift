import FerryCore
import FerryFormats
import Testing

@Suite struct ManifestFormatTests {
    /// The leaves that the tests of Certificate Transparency use, and the roots over the first one, two, … of them.
    private static let leaves: [[UInt8]] = [
        [], [0x00], [0x10], [0x20, 0x21], [0x30, 0x31], Array(0x40...0x43), Array(0x50...0x57), Array(0x60...0x6F),
    ]
    private static let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]

    @Test func `The tree has the roots that RFC 9162 gives it`() {
        var tree = MerkleTree()
        #expect(tree.root.hexadecimal == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        for (leaf, root) in zip(Self.leaves, Self.roots) {
            tree.append(leaf)
            #expect(tree.root.hexadecimal == root, "\(tree.count) leaves")
        }
    }

    @Test func `Leaf by leaf comes the same root as by the recursive definition of section 2_1_1`() {
        func definition(_ leaves: ArraySlice<[UInt8]>) -> ContentDigest {
            if leaves.isEmpty { return ContentDigest(hashing: []) }
            if leaves.count == 1, let leaf = leaves.first { return ContentDigest(hashing: [0] + leaf) }
            var split = 1
            while split * 2 < leaves.count { split *= 2 }
            return MerkleTree.node(definition(leaves.prefix(split)), definition(leaves.dropFirst(split)))
        }
        let leaves = (0..<200).map { Array("leaf \($0)".utf8) }
        var tree = MerkleTree()
        for count in 1...leaves.count {
            tree.append(leaves[count - 1])
            #expect(tree.root == definition(leaves.prefix(count)))
        }
    }

    @Test func `The key is that of RFC 8032 section 7_1, and its files those of RFC 8410`() throws {
        let seed = try #require(
            Hexadecimal.decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
        let key = try #require(ManifestKey(seed: seed))
        #expect(
            String(decoding: Hexadecimal.encode(key.publicKey.raw), as: UTF8.self)
                == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
        let signature = try #require(
            Hexadecimal.decode(
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0"
                    + "595bbe24655141438e7a100b"))
        #expect(key.publicKey.isValid(signature, over: []))
        #expect(!key.publicKey.isValid(signature, over: [0]))
        let own = try #require(key.signature(over: [1, 2, 3]))
        #expect(key.publicKey.isValid(own, over: [1, 2, 3]))
        #expect(ManifestKey(der: key.der)?.publicKey == key.publicKey)
        #expect(ManifestPublicKey(der: key.publicKey.der) == key.publicKey)
        #expect(ManifestPublicKey(der: Array(key.publicKey.der.dropLast())) == nil)
        #expect(ManifestKey(der: [0x30] + key.der) == nil)
    }

    @Test(arguments: [
        ManifestLine.container(ManifestContainer(service: .mail, path: ["INBOX"])),
        .container(ManifestContainer(service: .chats, path: ["a/b", "ö\u{1}\"\\"], counterpart: ["x"])),
        .item(item(.message(date: -5, flags: ["flagged", "seen"], keywords: ["a b", "\n"]))),
        .item(item(.message(date: 1_700_000_000, flags: [], keywords: []), excuse: .skipped)),
        .item(item(.calendarObject, moved: ContentDigest(hashing: [9]), excuse: .elsewhere)),
        .item(item(.contact, place: ItemPlace(.max))), .item(item(.file(date: 0, isExecutable: true))),
        .item(item(.file(date: 7, isExecutable: false))), .item(item(.fileFolder)),
        .item(item(.event, key: ItemKey(high: 1, low: .max))),
        .item(item(.media)), .item(.unreadable("broken \u{7f}", excuse: nil)),
        .item(.unreadable("left behind", excuse: .skipped)),
    ])
    func `A line is read as it was written, and has no line break in it`(line: ManifestLine) throws {
        #expect(try ManifestLine(parsing: line.bytes) == line)
        #expect(!line.bytes.contains(0x0A))
    }

    @Test func `Heads are read as they were written, and not when their root is another`() throws {
        let side = ManifestRun.Side(items: 3, lines: 4, bytes: 500, root: ContentDigest(hashing: [1]))
        let run = ManifestRun(
            person: PersonID(GUID(high: 1, low: 2)), sourcePerson: PersonID(GUID(high: 3, low: 4)), workload: .mailbox,
            compared: Instant(microseconds: 1_700_000_000_123_456), identical: 2, altered: 3, skipped: 1, elsewhere: 0,
            source: side, target: ManifestRun.Side(items: 2, lines: 3, bytes: 400, root: ContentDigest(hashing: [2])))
        #expect(try ManifestRun(parsing: run.bytes) == run)
        let other = String(decoding: run.bytes, as: UTF8.self)
            .replacing(side.root.hexadecimal, with: ContentDigest(hashing: [3]).hexadecimal)
        #expect(throws: ManifestFlaw.malformed) { try ManifestRun(parsing: Array(other.utf8)) }

        let statement = ManifestStatement(
            job: JobID(GUID(high: 5, low: 6)), displayName: "Wave \"1\"", status: .completedWithErrors, attempt: 2,
            sourceTenant: TenantID(GUID(high: 7, low: 8)), targetTenant: TenantID(GUID(high: 9, low: 1)),
            workloads: [.files, .mailbox], made: Instant(seconds: 1_800_000_000), runs: 7, unrecorded: 1,
            root: ContentDigest(hashing: [4]))
        #expect(try ManifestStatement(parsing: statement.bytes) == statement)
        let later = String(decoding: statement.bytes, as: UTF8.self)
            .replacing("\"ferryManifest\":1", with: "\"ferryManifest\":2")
        #expect(throws: ManifestFlaw.version(2)) { try ManifestStatement(parsing: Array(later.utf8)) }
    }

    @Test(arguments: [
        "", "{}", "[]", "null", #"{"service":"fax","container":["a"]}"#, #"{"service":"mail","container":"a"}"#,
        #"{"kind":"message","name":"a","size":1,"content":"00"}"#, #"{"kind":"letter","name":"a"}"#,
        #"{"kind":"unreadable","name":"a","excuse":"tired"}"#, #"{"kind":"contact","name":1,"size":1}"#,
    ])
    func `What is no line of a manifest is refused`(text: String) {
        #expect(throws: ManifestFlaw.malformed) { try ManifestLine(parsing: Array(text.utf8)) }
    }

    private static func item(
        _ kind: ManifestItem.Kind, key: ItemKey? = nil, moved: ContentDigest? = nil, place: ItemPlace? = nil,
        excuse: ItemOutcome? = nil
    ) -> ManifestItem {
        ManifestItem(
            kind: kind, name: "1700.M1P2.mx1 \u{2028}\t", key: key, size: 1 << 40,
            content: ContentDigest(hashing: [1, 2]),
            moved: moved, place: place, excuse: excuse)
    }
}

package import FerryCore
package import FerryFormats

/// Why a manifest is not to be believed, or cannot be read.
package enum ManifestProblem: Error, Sendable, Hashable {
    /// The file could not be read; the text says why.
    case unreadable(String)
    /// The line with this number (from 1) is none of a manifest.
    case malformed(line: Int64)
    /// Written by a later Ferry; the number of the format.
    case version(Int64)
    /// The file ends in the middle.
    case truncated
    /// There is more in the file than its first line announces.
    case surplus
    /// Signed with another key than the one that it was to be checked with; what the manifest calls it.
    case otherKey(String)
    /// The signature is not that of the first line.
    case forged
    /// The lines of one side of a run are not those that were signed.
    case altered(PersonID, Workload, ManifestSide)
    /// The heads of the runs are not those that were signed: one was changed, removed or put in.
    case headsAltered
}

/// A manifest whose signature holds, and of which every line is known to be what was signed.
package struct ManifestFile: Sendable {
    /// A run and where its lines are.
    package struct Section: Sendable {
        package var head: ManifestRun
        /// Octets of the file.
        fileprivate(set) var source: Range<Int64>
        fileprivate(set) var target: Range<Int64>

        subscript(side: ManifestSide) -> Range<Int64> { side == .source ? source : target }
    }

    package let statement: ManifestStatement
    /// In the order of the file.
    package let sections: [Section]
    let input: any ManifestInput

    /// Reads the whole file once, in pieces, and checks it against the key. Memory grows with the number of runs only.
    package init(_ input: any ManifestInput, key: ManifestPublicKey) async throws(ManifestProblem) {
        var lines = ManifestLines(input, 0..<input.size)
        let first = try await lines.required()
        do throws(ManifestFlaw) {
            statement = try ManifestStatement(parsing: first)
        } catch {
            throw ManifestProblem(error, line: 1)
        }
        let second = try await lines.required()
        let signature: ManifestSignature
        do throws(ManifestFlaw) {
            signature = try ManifestSignature(parsing: second)
        } catch {
            throw ManifestProblem(error, line: 2)
        }
        guard signature.key == key.id else { throw .otherKey(signature.key) }
        guard key.isValid(signature.signature, over: first) else { throw .forged }

        var heads = MerkleTree()
        var sections: [Section] = []
        for _ in 0..<statement.runs {
            let line = try await lines.required()
            let head: ManifestRun
            do throws(ManifestFlaw) { head = try ManifestRun(parsing: line) } catch {
                throw ManifestProblem(error, line: lines.number)
            }
            heads.append(line)
            let source = try await Self.check(head, .source, &lines)
            let target = try await Self.check(head, .target, &lines)
            sections.append(Section(head: head, source: source, target: target))
        }
        guard try await lines.next() == nil else { throw .surplus }
        guard heads.root == statement.root else { throw .headsAltered }
        self.sections = sections
        self.input = input
    }

    /// Walks over the lines of one side and returns where they are.
    private static func check(
        _ head: ManifestRun, _ side: ManifestSide, _ lines: inout ManifestLines
    ) async throws(ManifestProblem) -> Range<Int64> {
        let start = lines.offset
        var tree = MerkleTree()
        for _ in 0..<head[side].lines {
            guard let line = try await lines.next() else { throw .truncated }
            tree.append(line)
        }
        guard tree.root == head[side].root, lines.offset - start == head[side].bytes else {
            throw .altered(head.person, head.workload, side)
        }
        return start..<lines.offset
    }
}

extension ManifestProblem {
    init(_ flaw: ManifestFlaw, line: Int64) {
        switch flaw {
        case .malformed: self = .malformed(line: line)
        case .version(let version): self = .version(version)
        case .truncated: self = .truncated
        }
    }
}

/// The lines in a part of a manifest, one after the other.
struct ManifestLines {
    /// Octets read at once.
    private static let chunk = 256 << 10
    /// No line of ours is longer. Bounds what a file that is no manifest can make us hold.
    private static let longestLine = 4 << 20

    private let input: any ManifestInput
    private let end: Int64
    /// Where the next line begins.
    private(set) var offset: Int64
    /// Of the line that was given last, from 1, counted from where the reading began.
    private(set) var number: Int64 = 0
    private var buffer: ArraySlice<UInt8> = []

    init(_ input: any ManifestInput, _ range: Range<Int64>) {
        self.input = input
        offset = range.lowerBound
        end = range.upperBound
    }

    /// The next line without its end; `nil` after the last one.
    mutating func next() async throws(ManifestProblem) -> [UInt8]? {
        var searched = 0
        while true {
            if let newline = buffer.dropFirst(searched).firstIndex(of: 0x0A) {
                let line = Array(buffer[..<newline])
                buffer = buffer[(newline + 1)...]
                offset += Int64(line.count) + 1
                number += 1
                return line
            }
            searched = buffer.count
            let place = offset + Int64(buffer.count)
            guard place < end else {
                if buffer.isEmpty { return nil }
                throw .truncated
            }
            guard searched <= Self.longestLine else { throw .malformed(line: number + 1) }
            let more: [UInt8]
            do throws(ManifestUnreadable) {
                more = try await input.read(at: place, count: Int(min(Int64(Self.chunk), end - place)))
            } catch {
                throw .unreadable(error.reason)
            }
            guard !more.isEmpty else { throw .truncated }
            // A new array each time, so that what was read before does not pile up in front of a slice.
            buffer = (Array(buffer) + more)[...]
        }
    }

    /// The next line, which must be there.
    mutating func required() async throws(ManifestProblem) -> [UInt8] {
        guard let line = try await next() else { throw .truncated }
        return line
    }
}

extension ManifestProblem: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable(let reason): "The manifest cannot be read: \(reason)"
        case .malformed(let line): "Line \(line) is no line of a manifest. Was the file changed, or is it another one?"
        case .version(let version):
            "The manifest has format \(version), and this Ferry knows \(ManifestStatement.version). Use a newer one."
        case .truncated: "The manifest ends in the middle. Fetch it again."
        case .surplus: "There are lines behind the end of the manifest. Fetch it again."
        case .otherKey(let id):
            "The manifest was signed with another key, which it calls \(id). Give the public key of the server that made "
                + "it."
        case .forged: "The signature does not belong to the first line: the manifest was changed after it was signed."
        case .altered(let person, let workload, let side):
            "The lines of user \(person), \(workload.rawValue), \(side.rawValue) side, were changed after they were "
                + "signed."
        case .headsAltered:
            "The heads of the runs are not those that were signed: one was changed, removed or put in."
        }
    }
}

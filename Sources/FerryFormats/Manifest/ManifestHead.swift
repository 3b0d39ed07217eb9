package import FerryCore

/// The head of a run's lines: whose workload, what the comparison counted, and the root of what was read on both sides.
///
/// ```json
/// {"user":"…","sourceUser":"…","workload":"mailbox","compared":"2031-02-10T08:15:30Z","identical":25,"altered":0,
/// "skipped":0,"elsewhere":1,"source":{"items":26,"lines":27,"bytes":6120,"root":"…"},"target":{…},"root":"…"}
/// ```
package struct ManifestRun: Sendable, Hashable {
    /// What was read on one side.
    package struct Side: Sendable, Hashable {
        /// Lines that are about items.
        package var items: Int64
        /// Leaves of the tree: all lines.
        package var lines: Int64
        /// Octets of the lines with their ends.
        package var bytes: Int64
        /// Of the Merkle tree whose leaves are the lines without their ends.
        package var root: ContentDigest

        package init(items: Int64, lines: Int64, bytes: Int64, root: ContentDigest) {
            self.items = items
            self.lines = lines
            self.bytes = bytes
            self.root = root
        }
    }

    package var person: PersonID
    package var sourcePerson: PersonID
    package var workload: Workload
    /// When both sides had been read.
    package var compared: Instant
    /// Items with the same content and metadata on both sides.
    package var identical: Int64
    /// Messages that the target's server keeps in another form than they were given to it.
    package var altered: Int64
    /// Items of the source that could not move; each has its reason in the report of the job.
    package var skipped: Int64
    /// Items of the source that another workload moves.
    package var elsewhere: Int64
    package var source: Side
    package var target: Side

    package init(
        person: PersonID, sourcePerson: PersonID, workload: Workload, compared: Instant, identical: Int64,
        altered: Int64, skipped: Int64, elsewhere: Int64, source: Side, target: Side
    ) {
        self.person = person
        self.sourcePerson = sourcePerson
        self.workload = workload
        self.compared = compared
        self.identical = identical
        self.altered = altered
        self.skipped = skipped
        self.elsewhere = elsewhere
        self.source = source
        self.target = target
    }

    package subscript(side: ManifestSide) -> Side { side == .source ? source : target }

    /// The root of the Merkle tree of the run: the source's tree to the left, the target's to the right.
    package var root: ContentDigest { MerkleTree.node(source.root, target.root) }

    /// The line without its end.
    package var bytes: [UInt8] {
        var line = ManifestLineWriter()
        line.member("user", person.description)
        line.member("sourceUser", sourcePerson.description)
        line.member("workload", workload.rawValue)
        line.member("compared", RFC3339.format(compared))
        line.member("identical", identical)
        line.member("altered", altered)
        line.member("skipped", skipped)
        line.member("elsewhere", elsewhere)
        line.member("source", object: Self.object(source))
        line.member("target", object: Self.object(target))
        line.member("root", root.hexadecimal)
        return line.finish()
    }

    private static func object(_ side: Side) -> [UInt8] {
        var object = ManifestLineWriter()
        object.member("items", side.items)
        object.member("lines", side.lines)
        object.member("bytes", side.bytes)
        object.member("root", side.root.hexadecimal)
        return object.finish()
    }

    /// Throws for what is no head of a run, and for one whose root does not follow from those of its sides.
    package init(parsing bytes: [UInt8]) throws(ManifestFlaw) {
        let line = try ManifestLineReader(bytes)
        guard let workload = Workload(rawValue: try line.text("workload")) else { throw .malformed }
        self.init(
            person: try line.identifier("user"), sourcePerson: try line.identifier("sourceUser"), workload: workload,
            compared: try line.instant("compared"), identical: try line.count("identical"),
            altered: try line.count("altered"), skipped: try line.count("skipped"),
            elsewhere: try line.count("elsewhere"),
            source: try Self.side(try line.object("source")), target: try Self.side(try line.object("target")))
        guard try line.digest("root") == root else { throw .malformed }
    }

    private static func side(_ line: ManifestLineReader) throws(ManifestFlaw) -> Side {
        Side(
            items: try line.count("items"), lines: try line.count("lines"), bytes: try line.count("bytes"),
            root: try line.digest("root"))
    }
}

/// The first line of a manifest: which job, and the root over the heads of its runs. The signature is over this line.
///
/// ```json
/// {"ferryManifest":1,"job":"…","displayName":"Wave 1","status":"completed","attempt":1,"sourceTenant":"…",
/// "targetTenant":"…","workloads":["files","mailbox"],"made":"2031-02-10T08:16:00Z","runs":4,"unrecorded":0,"root":"…"}
/// ```
package struct ManifestStatement: Sendable, Hashable {
    /// Of the format.
    package static let version: Int64 = 1

    package var job: JobID
    package var displayName: String
    package var status: JobStatus
    package var attempt: Int
    package var sourceTenant: TenantID
    package var targetTenant: TenantID
    package var workloads: [Workload]
    package var made: Instant
    /// Runs that follow.
    package var runs: Int64
    /// Runs that were completed without a record of what both sides had.
    package var unrecorded: Int64
    /// Of the Merkle tree whose leaves are the heads of the runs, in their order.
    package var root: ContentDigest

    package init(
        job: JobID, displayName: String, status: JobStatus, attempt: Int, sourceTenant: TenantID,
        targetTenant: TenantID, workloads: [Workload], made: Instant, runs: Int64, unrecorded: Int64,
        root: ContentDigest
    ) {
        self.job = job
        self.displayName = displayName
        self.status = status
        self.attempt = attempt
        self.sourceTenant = sourceTenant
        self.targetTenant = targetTenant
        self.workloads = workloads
        self.made = made
        self.runs = runs
        self.unrecorded = unrecorded
        self.root = root
    }

    /// The line without its end.
    package var bytes: [UInt8] {
        var line = ManifestLineWriter()
        line.member("ferryManifest", Self.version)
        line.member("job", job.description)
        line.member("displayName", displayName)
        line.member("status", status.rawValue)
        line.member("attempt", Int64(attempt))
        line.member("sourceTenant", sourceTenant.description)
        line.member("targetTenant", targetTenant.description)
        line.member("workloads", workloads.map(\.rawValue))
        line.member("made", RFC3339.format(made))
        line.member("runs", runs)
        line.member("unrecorded", unrecorded)
        line.member("root", root.hexadecimal)
        return line.finish()
    }

    package init(parsing bytes: [UInt8]) throws(ManifestFlaw) {
        let line = try ManifestLineReader(bytes)
        let version = try line.number("ferryManifest")
        guard version == Self.version else { throw .version(version) }
        guard let status = JobStatus(rawValue: try line.text("status")) else { throw .malformed }
        var workloads: [Workload] = []
        for name in try line.texts("workloads") {
            guard let workload = Workload(rawValue: name) else { throw .malformed }
            workloads.append(workload)
        }
        self.init(
            job: try line.identifier("job"), displayName: try line.text("displayName"), status: status,
            attempt: Int(truncatingIfNeeded: try line.count("attempt")),
            sourceTenant: try line.identifier("sourceTenant"), targetTenant: try line.identifier("targetTenant"),
            workloads: workloads, made: try line.instant("made"), runs: try line.count("runs"),
            unrecorded: try line.count("unrecorded"), root: try line.digest("root"))
    }

    /// The first two lines of the manifest, with their ends. `nil` only when the library cannot sign.
    package func signed(by key: ManifestKey) -> [UInt8]? {
        let bytes = bytes
        guard let signature = key.signature(over: bytes) else { return nil }
        return bytes + [0x0A] + ManifestSignature(key: key.publicKey.id, signature: signature).bytes + [0x0A]
    }
}

/// The second line of a manifest: who signed the first, which is signed as it stands, without its end.
///
/// ```json
/// {"algorithm":"Ed25519","key":"…","signature":"…"}
/// ```
package struct ManifestSignature: Sendable, Hashable {
    /// `ManifestPublicKey.id`. Says which key to look for; proves nothing.
    package var key: String
    /// 64 octets.
    package var signature: [UInt8]

    package init(key: String, signature: [UInt8]) {
        self.key = key
        self.signature = signature
    }

    /// The line without its end.
    package var bytes: [UInt8] {
        var line = ManifestLineWriter()
        line.member("algorithm", "Ed25519")
        line.member("key", key)
        line.member("signature", String(decoding: Hexadecimal.encode(signature), as: UTF8.self))
        return line.finish()
    }

    package init(parsing bytes: [UInt8]) throws(ManifestFlaw) {
        let line = try ManifestLineReader(bytes)
        guard try line.text("algorithm") == "Ed25519", let signature = Hexadecimal.decode(try line.text("signature"))
        else { throw .malformed }
        self.init(key: try line.text("key"), signature: signature)
    }
}

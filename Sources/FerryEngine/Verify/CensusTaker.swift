import FerryConnector
import FerryCore
import FerryFormats
import FerryStore

/// Reads all contents of containers on one side and makes their census.
struct CensusTaker: Sendable {
    enum Side: Sendable {
        /// With what the ledger knows of each container, for excuses only.
        case source(@Sendable (Container) async throws(WorkError) -> ContainerLedger)
        case target(owner: Person)
        /// As it is: nothing is rewritten, nothing excused, and what cannot be read counts as such.
        case plain
    }

    /// Where everything that is seen is written down.
    struct Record: Sendable {
        let recorder: SideRecorder
        let service: ServiceKind
        /// Where the containers are at the target.
        let counterpart: [String]
    }

    let session: any SourceSession
    let side: Side
    let rewriter: Rewriter
    let objectLimit: Int64
    var record: Record?
    var identity = Census.Identity.name
    /// Both sides keep what a file has beside its content; else that is not compared.
    var comparesFileMetadata = true
    /// Calendars and contacts are the same when they say the same, because a side of the move rewrites what it is given;
    /// otherwise every octet counts.
    var comparesMeaning = false

    @concurrent
    func take(_ containers: [Container]) async -> Result<Census, WorkError> {
        var census = Census()
        do throws(WorkError) {
            for container in containers { census.add(try await take(container)) }
            return .success(census)
        } catch {
            return .failure(error)
        }
    }

    /// The names behind the hashes, for a report; lists again, because a census keeps no names.
    func names(_ wanted: Set<UInt64>, in containers: [Container]) async throws(WorkError) -> [UInt64: String] {
        var names: [UInt64: String] = [:]
        guard !wanted.isEmpty else { return names }
        for container in containers {
            var cursor: Cursor?
            repeat {
                let page = try await page(of: container, after: cursor)
                for header in page.headers {
                    let hash = identity.hash(header)
                    if wanted.contains(hash) { names[hash] = header.name }
                }
                cursor = page.next
            } while cursor != nil
        }
        return names
    }

    private func take(_ container: Container) async throws(WorkError) -> Census {
        var census = Census()
        var ledger = LedgerIndex([], treatingAllAsChanged: false)
        if case .source(let read) = side {
            ledger = LedgerIndex(try await read(container).entries, treatingAllAsChanged: false)
        }
        if let record {
            record.recorder.open(
                ManifestContainer(service: record.service, path: container.path, counterpart: record.counterpart))
        }
        var cursor: Cursor?
        repeat {
            if Task.isCancelled { throw .connector(.cancelled) }
            let page = try await page(of: container, after: cursor)
            do throws(ConnectorError) {
                try await read(page.headers, of: container, &ledger, into: &census)
            } catch {
                throw .connector(error)
            }
            for problem in page.problems {
                note(
                    unreadable: problem.name, excuse(ledger.outcome(of: SourceSide.key(unlisted: problem.name))),
                    in: &census)
            }
            do throws(StoreError) { try await record?.recorder.flush() } catch { throw .store(error) }
            cursor = page.next
        } while cursor != nil
        return census
    }

    private func page(of container: Container, after cursor: Cursor?) async throws(WorkError) -> ItemPage {
        do throws(ConnectorError) {
            return try await session.items(in: container, after: cursor)
        } catch {
            throw .connector(error)
        }
    }

    private func read(
        _ headers: [ItemHeader], of container: Container, _ ledger: inout LedgerIndex, into census: inout Census
    ) async throws(ConnectorError) {
        var withContent: [ItemHeader] = []
        for header in headers {
            if case .fileFolder = header.metadata {
                note(
                    header, 0, ContentDigest(hashing: []), moved: nil, at: place(of: header, &ledger),
                    excuse(ledger.outcome(of: header.key)), in: &census)
            } else {
                withContent.append(header)
            }
        }
        guard !withContent.isEmpty else { return }
        var contents = DigestReader(try await session.bodies(of: withContent, in: container), objectLimit)
        for header in withContent {
            let outcome = excuse(ledger.outcome(of: header.key))
            let place = place(of: header, &ledger)
            guard
                let content = try await contents.next(
                    keepingContent: rewriter.rewrites(header.metadata), isMail: header.metadata.hasConstantContent)
            else {
                throw ConnectorError(
                    .internalFault, .failRun,
                    "A tenant answered with fewer contents than were asked for. Please report this.")
            }
            census.bytesHashed += content.size
            switch content.value {
            case .digest(let digest):
                note(header, content.size, digest, moved: nil, at: place, outcome, in: &census)
            case .failed:
                // Unreadable: at the source it is missing unless it is excused, at the target its original will be.
                if case .target = side { continue }
                note(unreadable: header.name, outcome, in: &census)
            case .object(let bytes):
                let plain = digest(bytes, header.metadata)
                switch side {
                case .source:
                    switch rewriter.rewrite(bytes, of: header.metadata) {
                    case .content(let rewritten):
                        note(
                            header, content.size, plain, moved: digest(rewritten, header.metadata), at: place,
                            outcome, in: &census
                        )
                    case .elsewhere: note(header, content.size, plain, moved: nil, at: place, .elsewhere, in: &census)
                    case .unusable: note(header, content.size, plain, moved: nil, at: place, outcome, in: &census)
                    }
                case .target(let owner):
                    if rewriter.isOurs(atTarget: bytes, header.metadata, of: owner) {
                        note(header, content.size, plain, moved: nil, at: place, .none, in: &census)
                    }
                case .plain: note(header, content.size, plain, moved: nil, at: place, .none, in: &census)
                }
            }
        }
    }

    private func note(
        _ header: ItemHeader, _ size: Int64, _ content: ContentDigest, moved: ContentDigest?,
        at place: ItemPlace?, _ excuse: Census.Excuse, in census: inout Census
    ) {
        census.add(comparable(header), content: moved ?? content, at: place, excuse: excuse, by: identity)
        guard let record else { return }
        record.recorder.add(
            ManifestItem(header, size: size, content: content, moved: moved, place: place, excuse: excuse))
    }

    private func comparable(_ header: ItemHeader) -> ItemHeader {
        guard !comparesFileMetadata, case .file = header.metadata else { return header }
        var header = header
        header.metadata = .file(FileMetadata(modified: Instant(seconds: 0)))
        return header
    }

    /// Where the item is at the target, if that is known.
    private func place(of header: ItemHeader, _ ledger: inout LedgerIndex) -> ItemPlace? {
        switch side {
        case .source: ledger.place(of: header.key)
        case .target: session.place(of: header)
        case .plain: nil
        }
    }

    private func note(unreadable name: String, _ excuse: Census.Excuse, in census: inout Census) {
        if case .plain = side {
            census.add(unreadable: name)
        } else {
            census.unlisted.append((name, excuse))
        }
        // A target says nothing of what it could not read: its original will be missing.
        if case .source = side { record?.recorder.add(.unreadable(name, excuse: excuse.outcome)) }
    }

    private func digest(_ bytes: [UInt8], _ metadata: ItemMetadata) -> ContentDigest {
        switch metadata {
        case .calendarObject where comparesMeaning, .contact where comparesMeaning: ContentMeaning.digest(of: bytes)
        case .calendarObject, .contact, .message, .file, .fileFolder, .event, .media: ContentDigest(hashing: bytes)
        }
    }

    private func excuse(_ outcome: ItemOutcome?) -> Census.Excuse { Census.Excuse(outcome) }
}

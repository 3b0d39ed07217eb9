import FerryConnector
import FerryCore
import FerryFormats

/// Finds out which messages of a folder are copies of ours that nobody remembers: those of an interrupted batch, or of a
/// folder that was made anew. Compared are dates and contents.
///
/// Mail that others put there has another date or content and is left alone. Of equal messages each stands for one of
/// ours.
struct AppendRecovery {
    let session: IMAPSession
    let folder: MailboxName
    let uidValidity: UInt32
    /// The lowest UID that can be ours.
    let first: UID
    /// Known to be something else.
    let taken: Set<UID>

    private struct Candidate: Hashable {
        var fingerprint: MessageFingerprint
        /// `nil` where the server does not keep such a date, or for a match by content alone.
        var date: Instant?
    }

    /// What is known of a message whose content nobody can read any more.
    struct Trace: Sendable, Hashable {
        var key: ItemKey
        var date: Instant
        /// As the target counts it.
        var size: Int64
    }

    /// - Parameter fingerprints: of the contents as they were or would be written, in order; `nil` for what cannot be read.
    /// - Parameter traces: messages that the source has no more. A message of the same date and size that arrived at
    ///   `first` or later is taken for theirs.
    func find(
        _ headers: [ItemHeader], _ traces: [Trace],
        _ fingerprints: @Sendable ([ItemHeader]) async throws(ConnectorError) -> [MessageFingerprint?]
    ) async throws(ConnectorError) -> [PlacedItem] {
        var rows = try await candidates(headers, traces)
        // Reading contents is what costs, so whatever cannot match by date is left out on both sides.
        let wanted = headers.filter { header in
            date(of: header).map { date in rows.contains { $0.internalDate == date } } ?? true
        }
        let dates = Set(wanted.compactMap(date(of:)))
        let oddSizes = wanted.filter { date(of: $0) == nil }.map(\.size)
        let suspects = rows.filter { row in
            row.internalDate.map(dates.contains) ?? true || Self.couldHave(row.size, oddSizes)
        }
        var found: [PlacedItem] = []
        var traces = traces
        if !wanted.isEmpty, !suspects.isEmpty {
            let ours = try await fingerprints(wanted)
            let theirs = try await self.fingerprints(of: suspects.map(\.uid))
            for (key, uid) in match(wanted, ours, suspects, theirs) { found.append(placed(key, uid)) }
            for (header, fingerprint) in zip(wanted, ours) where fingerprint == nil {
                // What the source cannot hand out just now is known by as much as its listing says.
                if let date = date(of: header) {
                    traces.append(Trace(key: header.key, date: date, size: header.size))
                }
            }
        }
        let claimed = Set(found.compactMap { $0.place?.uid(in: uidValidity) })
        rows.removeAll { claimed.contains($0.uid) }
        for trace in traces {
            guard
                let index = rows.firstIndex(where: {
                    $0.internalDate == trace.date && $0.size == UInt64(clamping: trace.size)
                })
            else { continue }
            found.append(placed(trace.key, rows.remove(at: index).uid))
        }
        return found
    }

    private func placed(_ key: ItemKey, _ uid: UID) -> PlacedItem {
        PlacedItem(key: key, place: ItemPlace(uidValidity: uidValidity, uid: uid))
    }

    /// Dates and sizes of what may be ours, ascending.
    private func candidates(
        _ headers: [ItemHeader], _ traces: [Trace]
    ) async throws(ConnectorError) -> [MessageRow] {
        guard !headers.isEmpty || !traces.isEmpty else { return [] }
        do throws(IMAPError) {
            let present = try await session.search("UID \(first):*\(period(headers, traces))")
            // "first:*" also gives the last message when all are below first (RFC 9051 section 9, seq-range).
            // By ranges: a server may claim that it has all there can be.
            let below = first > 1 ? UIDSet(1...(first - 1)) : UIDSet()
            let uids = present.subtracting(below).subtracting(UIDSet(taken))
            guard !uids.isEmpty else { return [] }
            return try await session.messages(uids, [.internalDate, .size], changedSince: nil, vanished: false).rows
                .sorted { $0.uid < $1.uid }
        } catch {
            throw IMAPSide.target.container(error, folder)
        }
    }

    /// Search criteria that keep a large folder out of memory: the days of what is looked for, and a day more on either
    /// side, since servers disregard time zones (RFC 9051 section 6.4.4). Empty when a date is not to be relied on.
    private func period(_ headers: [ItemHeader], _ traces: [Trace]) -> String {
        var dates = traces.map(\.date)
        for header in headers {
            guard let date = date(of: header) else { return "" }
            dates.append(date)
        }
        guard let first = dates.min(), let last = dates.max() else { return "" }
        let day: Int64 = 86_400
        return " SINCE \(DateTime.day(Instant(seconds: max(0, first.seconds - day))))"
            + " BEFORE \(DateTime.day(Instant(seconds: last.seconds + 2 * day)))"
    }

    /// Line ends are all that changes a message's size, and at most doubles or halves it.
    private static func couldHave(_ size: UInt64?, _ sizes: [Int64]) -> Bool {
        guard let size = size.map({ Int64(clamping: $0) }) else { return !sizes.isEmpty }
        return sizes.contains { $0 <= 2 * size + 16 && size <= 2 * $0 + 16 }
    }

    private func match(
        _ wanted: [ItemHeader], _ ours: [MessageFingerprint?], _ suspects: [MessageRow],
        _ theirs: [MessageFingerprint?]
    ) -> [(ItemKey, UID)] {
        var byDate: [Candidate: [UID]] = [:]
        for (row, fingerprint) in zip(suspects, theirs).reversed() {
            guard let fingerprint else { continue }
            byDate[Candidate(fingerprint: fingerprint, date: row.internalDate), default: []].append(row.uid)
        }
        var found: [(ItemKey, UID)] = []
        var odd: [(ItemHeader, MessageFingerprint)] = []
        for (header, fingerprint) in zip(wanted, ours) {
            guard let fingerprint else { continue }
            guard let date = date(of: header) else {
                odd.append((header, fingerprint))
                continue
            }
            if let uid = byDate[Candidate(fingerprint: fingerprint, date: date)]?.popLast() {
                found.append((header.key, uid))
            }
        }
        var rest: [MessageFingerprint: [UID]] = [:]
        for (candidate, uids) in byDate { rest[candidate.fingerprint, default: []] += uids }
        for (header, fingerprint) in odd {
            rest[fingerprint]?.sort(by: >)
            if let uid = rest[fingerprint]?.popLast() { found.append((header.key, uid)) }
        }
        return found
    }

    private func date(of header: ItemHeader) -> Instant? {
        guard case .message(let message) = header.metadata else { return nil }
        return Self.reliable(message.internalDate)
    }

    /// The date by which a message is recognized; `nil` where servers change it (see `MessageMetadata.keptDates`; what
    /// lies beyond 2038 is in the future for every server's clock, and Dovecot turns the future into now).
    static func reliable(_ date: Instant) -> Instant? {
        MessageMetadata.keptDates.contains(date) && date.seconds < Int64(Int32.max) ? date : nil
    }

    private func fingerprints(of uids: [UID]) async throws(ConnectorError) -> [MessageFingerprint?] {
        var found: [MessageFingerprint?] = []
        do throws(IMAPError) {
            let fetch = try await session.bodies(of: uids)
            var hasher = MessageFingerprint.Hasher()
            while let events = try await fetch.next() {
                for event in events {
                    switch event {
                    case .began: hasher = MessageFingerprint.Hasher()
                    case .bytes(let buffer): hasher.update(buffer)
                    case .ended: found.append(hasher.finish())
                    case .absent, .unreadable: found.append(nil)
                    }
                }
            }
        } catch {
            throw IMAPSide.target.container(error, folder)
        }
        return found
    }
}

import FerryConnector
import FerryCore

/// Finds out which messages of an interrupted batch have arrived: new in the folder since the mark, with the date and
/// the content that we sent.
///
/// Mail that others put there meanwhile has another date or content and is left alone. Of equal messages each stands for
/// one of ours.
struct AppendRecovery {
    let session: IMAPSession
    let folder: MailboxName
    let uidValidity: UInt32
    /// The lowest UID that can be ours.
    let first: UID

    private struct Candidate: Hashable {
        var fingerprint: MessageFingerprint
        /// `nil` where the server does not keep such a date, or for a match by content alone.
        var date: Instant?
    }

    func find(
        _ headers: [ItemHeader], _ original: OriginalBodies
    ) async throws(ConnectorError) -> [PlacedItem] {
        let rows: [MessageRow]
        do throws(IMAPError) {
            let present = try await session.search("UID \(first):*")
            // "first:*" also gives the last message when all are below first (RFC 9051 section 9, seq-range).
            let candidates = UIDSet(present.uids.filter { $0 >= first })
            guard !candidates.isEmpty else { return [] }
            rows = try await session.messages(candidates, [.internalDate], changedSince: nil, vanished: false).rows
        } catch {
            throw IMAPSide.target.container(error, folder)
        }
        // Reading contents is what costs, so whatever cannot match by date is left out on both sides.
        let wanted = headers.filter { header in
            date(of: header).map { date in rows.contains { $0.internalDate == date } } ?? true
        }
        let dates = Set(wanted.compactMap(date(of:)))
        let hasOddDates = wanted.contains { date(of: $0) == nil }
        let suspects = rows.filter { row in hasOddDates || row.internalDate.map(dates.contains) ?? true }
            .sorted { $0.uid < $1.uid }
        guard !wanted.isEmpty, !suspects.isEmpty else { return [] }
        let ours = try await MessageFingerprint.all(of: try await original(wanted))
        let theirs = try await fingerprints(of: suspects.map(\.uid))

        var byDate: [Candidate: [UID]] = [:]
        for (row, fingerprint) in zip(suspects, theirs).reversed() {
            guard let fingerprint else { continue }
            byDate[Candidate(fingerprint: fingerprint, date: row.internalDate), default: []].append(row.uid)
        }
        var found: [PlacedItem] = []
        var odd: [(ItemHeader, MessageFingerprint)] = []
        for (header, fingerprint) in zip(wanted, ours) {
            guard let fingerprint else { continue }
            guard let date = date(of: header) else {
                odd.append((header, fingerprint))
                continue
            }
            if let uid = byDate[Candidate(fingerprint: fingerprint, date: date)]?.popLast() {
                found.append(PlacedItem(key: header.key, place: ItemPlace(uidValidity: uidValidity, uid: uid)))
            }
        }
        var rest: [MessageFingerprint: [UID]] = [:]
        for (candidate, uids) in byDate { rest[candidate.fingerprint, default: []] += uids }
        for (header, fingerprint) in odd {
            rest[fingerprint]?.sort(by: >)
            if let uid = rest[fingerprint]?.popLast() {
                found.append(PlacedItem(key: header.key, place: ItemPlace(uidValidity: uidValidity, uid: uid)))
            }
        }
        return found
    }

    /// The date by which a message is recognized; `nil` where servers change it (see `MessageMetadata.keptDates`; what
    /// lies beyond 2038 is in the future for every server's clock, and Dovecot turns the future into now).
    private func date(of header: ItemHeader) -> Instant? {
        guard case .message(let message) = header.metadata, MessageMetadata.keptDates.contains(message.internalDate),
            message.internalDate.seconds < Int64(Int32.max)
        else { return nil }
        return message.internalDate
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

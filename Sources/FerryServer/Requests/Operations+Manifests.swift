import FerryAPI
import FerryCore
package import FerryEngine
import FerryStore
import HTTPTypes
import HummingbirdCore
import NIOCore

/// The manifests that the server gives out.
package struct ServedManifests: Sendable {
    package var archive: any ManifestArchive
    /// In PEM form (RFC 7468).
    package var publicKey: String

    package init(archive: any ManifestArchive, publicKey: String) {
        self.archive = archive
        self.publicKey = publicKey
    }
}

extension Operations {
    /// Octets that are read, and sent, at once.
    private static let manifestChunk = 256 << 10

    /// The manifest of a finished job as it is in the archive, piece by piece.
    func manifest(_ reference: JobReference, _ call: Call) async throws(Failure) -> Answer {
        let job = try await find(reference, call)
        let found = try await read(for: call) { [manifests] (_) throws(StoreError) in
            try await manifests?.archive.manifest(of: job.id)
        }
        guard let found else {
            throw .notFound(
                manifests == nil
                    ? "This server makes no manifests; see `manifests` in its configuration."
                    : "The job has no manifest yet. It is made when the job has ended and somebody was moved.")
        }
        var answer = Answer(status: .ok, contentType: "application/jsonl; charset=utf-8", isGraph: false)
        answer.headers = [
            (.xContentTypeOptions, "nosniff"),
            (.contentDisposition, "attachment; filename=\"manifest-\(job.id).jsonl\""),
        ]
        answer.body = .stream { writer in
            var offset: Int64 = 0
            while offset < found.size {
                let piece = try await found.read(at: offset, count: Self.manifestChunk)
                // A file that became shorter is no manifest; the client must not take the part for the whole.
                guard !piece.isEmpty else { throw ManifestUnreadable("the file ends early") }
                try await writer.write(ByteBuffer(bytes: piece))
                offset += Int64(piece.count)
            }
        }
        return answer
    }

    /// What the signatures of manifests are checked with.
    func manifestKey() throws(Failure) -> Answer {
        guard let manifests else {
            throw .notFound("This server makes no manifests; see `manifests` in its configuration.")
        }
        var answer = Answer(
            status: .ok, body: .bytes(Array(manifests.publicKey.utf8)), contentType: "application/x-pem-file",
            isGraph: false)
        answer.headers = [(.xContentTypeOptions, "nosniff")]
        return answer
    }
}

import Glibc
import NIOSSL
import Synchronization

/// Where the certificate of the server lies. Both files are PEM.
package struct CertificateFiles: Sendable, Hashable {
    /// The server's certificate first, then those that lead from it towards a root, without the root (RFC 8446 section
    /// 4.4.2).
    package var certificate: String
    /// The private key of the first certificate, without a passphrase.
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// Why a certificate or its key cannot be used. The text says what, where, and how to mend it; it never holds key
/// material.
package struct CertificateError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String
}

/// The certificate that new connections are greeted with. It can be replaced at any time; connections that are there
/// keep the one they began with.
package final class ServerCertificate: Sendable {
    private struct Pair {
        var context: NIOSSLContext
        /// What was read, to tell whether anything changed.
        var bytes: [[UInt8]]
        /// Seconds since 1970 at which the certificate ends.
        var expiry: Int
    }

    package let files: CertificateFiles
    private let pair: Mutex<Pair>

    /// Longer files are not certificates of a server. In bytes.
    private static let longestFile = 1 << 20

    /// Blocks on the file system.
    package init(_ files: CertificateFiles) throws(CertificateError) {
        self.files = files
        pair = Mutex(try Self.read(files))
    }

    /// What new connections use.
    var context: NIOSSLContext { pair.withLock { $0.context } }

    /// Seconds since 1970 at which the certificate ends.
    package var expiry: Int { pair.withLock { $0.expiry } }

    /// Reads the files again and uses them from now on; if they cannot be used, everything stays as it was. `false` when
    /// they hold what is in use already. Blocks on the file system.
    package func reload() throws(CertificateError) -> Bool {
        let new = try Self.read(files)
        return pair.withLock { pair in
            guard new.bytes != pair.bytes else { return false }
            pair = new
            return true
        }
    }

    private static func read(_ files: CertificateFiles) throws(CertificateError) -> Pair {
        let chainBytes = try contents(of: files.certificate, as: "certificate")
        let keyBytes = try contents(of: files.key, as: "key")
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(chainBytes), let first = chain.first else {
            throw problem(
                "certificate", files.certificate, "holds no certificate in PEM form",
                "It has to begin with -----BEGIN CERTIFICATE-----, the server's own certificate first.")
        }
        guard let key = try? NIOSSLPrivateKey(bytes: keyBytes, format: .pem) else {
            throw problem(
                "key", files.key, "holds no private key in PEM form without a passphrase",
                "It has to begin with -----BEGIN PRIVATE KEY-----; `openssl pkey` takes a passphrase away.")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["h2", "http/1.1"]
        do {
            return Pair(
                context: try NIOSSLContext(configuration: configuration), bytes: [chainBytes, keyBytes],
                expiry: Int(first.notValidAfter))
        } catch {
            // BoringSSL looks whether the two belong together when it is given the key.
            throw problem(
                "key", files.key, "does not belong to the first certificate in '\(files.certificate)'",
                "Name the key that the certificate was requested with, and put the server's own certificate first.")
        }
    }

    private static func contents(of path: String, as role: String) throws(CertificateError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw unreadable(role, path) }
        defer { _ = close(file) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        while content.count <= longestFile {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(role, path) }
            if count == 0 { return content }
            content += chunk[..<count]
        }
        throw problem(role, path, "is larger than a mebibyte", "Name a PEM file.")
    }

    private static func unreadable(_ role: String, _ path: String) -> CertificateError {
        problem(
            role, path, "cannot be read (\(String(cString: strerror(errno))))",
            "Check the path under `tls`, and that Ferry's user may read the file.")
    }

    private static func problem(
        _ role: String, _ path: String, _ what: String, _ remedy: String
    ) -> CertificateError {
        CertificateError(description: "The TLS \(role) file '\(path)' \(what). \(remedy)")
    }
}

import FerryFormats
import FerryServer
import FoundationEssentials
import Glibc

/// The key that signs manifests, in files: PEM (RFC 7468) with the structures of RFC 8410, as OpenSSL reads them.
enum ManifestKeyFile {
    private static let privateLabel = "PRIVATE KEY"
    private static let publicLabel = "PUBLIC KEY"

    /// Where the public half of the key at `path` is.
    static func publicPath(_ path: String) -> String { path + ".pub" }

    /// The private key in the file; without a file a new one is made. The public half is written beside it, for everybody
    /// to read, unless it is there already.
    static func open(_ path: String) throws(Complaint) -> ManifestKey {
        let file = SecretFile(path, name: "The key file of manifests", wanted: "a PEM file with an Ed25519 key")
        do throws(KeyFileError) {
            let content = try file.open { pem(privateLabel, ManifestKey.new().der) }
            guard let key = der(privateLabel, in: content).flatMap(ManifestKey.init(der:)) else {
                throw file.problem(
                    "does not hold an Ed25519 private key in PEM form",
                    "Restore it, or move it away to get a new key (keep the public half of the old one: manifests that "
                        + "it signed need it).")
            }
            try publish(key.publicKey, beside: path, file)
            return key
        } catch {
            throw Complaint(error.description, status: .configuration)
        }
    }

    /// The public key in a PEM file.
    static func publicKey(_ path: String) throws(Complaint) -> ManifestPublicKey {
        let content: [UInt8]
        do throws(SystemFailure) { content = try LocalFile.contents(of: path) } catch {
            throw Complaint("Cannot read the public key: \(error).", status: .usage)
        }
        guard let key = der(publicLabel, in: content).flatMap(ManifestPublicKey.init(der:)) else {
            throw Complaint(
                "\(path) does not hold an Ed25519 public key in PEM form. The server writes one beside its key; "
                    + "GET /ferry/manifest-key gives it, too.", status: .usage)
        }
        return key
    }

    static func pem(_ key: ManifestPublicKey) -> String { pem(publicLabel, key.der) }

    private static func publish(
        _ key: ManifestPublicKey, beside path: String, _ file: SecretFile
    ) throws(KeyFileError) {
        let path = publicPath(path)
        let text = Array(pem(key).utf8)
        if let present = try? LocalFile.contents(of: path), present == text { return }
        do throws(SystemFailure) {
            try LocalFile.write(text, to: path + ".new")
            guard rename(path + ".new", path) == 0 else { throw SystemFailure(about: path) }
        } catch {
            throw file.problem("has no public half beside it, and none can be written (\(error))", "Check the rights.")
        }
    }

    private static func pem(_ label: String, _ der: [UInt8]) -> String {
        "-----BEGIN \(label)-----\n\(Data(der).base64EncodedString())\n-----END \(label)-----\n"
    }

    /// The octets between the lines of that label; text around them is passed over, as RFC 7468 section 2 allows.
    private static func der(_ label: String, in content: [UInt8]) -> [UInt8]? {
        let lines = String(decoding: content, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { String($0).trimmed }
        guard let begin = lines.firstIndex(of: "-----BEGIN \(label)-----"),
            let end = lines[begin...].firstIndex(of: "-----END \(label)-----")
        else { return nil }
        return Data(base64Encoded: lines[(begin + 1)..<end].joined()).map { [UInt8]($0) }
    }
}

extension ManifestKey {
    /// A key that nobody else has.
    fileprivate static func new() -> ManifestKey {
        var generator = SystemRandomNumberGenerator()
        while true {
            let seed = (0..<seedBytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
            // Every seed of this length is a key.
            if let key = ManifestKey(seed: seed) { return key }
        }
    }
}

import Crypto
import FoundationEssentials

/// Why a key cannot be used. The text says how to mend it; it never holds key material.
package struct KeyFileError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String

    static func missing(_ path: String) -> KeyFileError {
        KeyFileError(
            description: "The issuer's key file '\(path)' is gone. Restore it, or start the server again to get a new "
                + "key (tokens signed with the old one become invalid).")
    }
}

/// A P-256 private key in a PEM file that only its owner can read. All calls block on the file system.
enum KeyFile {
    /// The key in the file. Without a file a key is made; of several processes that do so at once one wins, and all
    /// get its key.
    static func open(_ path: String) throws(KeyFileError) -> P256.Signing.PrivateKey {
        let file = file(path)
        return try key(try file.open { P256.Signing.PrivateKey().pemRepresentation + "\n" }, in: file)
    }

    /// `nil` when there is no such file.
    static func read(_ path: String) throws(KeyFileError) -> P256.Signing.PrivateKey? {
        let file = file(path)
        guard let content = try file.read() else { return nil }
        return try key(content, in: file)
    }

    private static func file(_ path: String) -> SecretFile {
        SecretFile(path, name: "The issuer's key file", wanted: "a PEM file with a P-256 key")
    }

    private static func key(_ content: [UInt8], in file: SecretFile) throws(KeyFileError) -> P256.Signing.PrivateKey {
        do {
            return try P256.Signing.PrivateKey(pemRepresentation: String(decoding: content, as: UTF8.self))
        } catch {
            throw file.problem(
                "does not hold a P-256 private key in PEM form",
                "Restore it, or move it away to get a new key (tokens signed with the old one become invalid).")
        }
    }
}

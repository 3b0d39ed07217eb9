/// Why the keys of an issuer cannot be had. The texts are for the administrator: what is wrong and how to mend it.
package enum IssuerProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// No connection, or it broke. Holds what the transport said.
    case unreachable(url: String, String)
    case timedOut(url: String)
    case status(url: String, Int)
    case tooLarge(url: String)
    case notJSON(url: String)
    /// The discovery document names another issuer (OpenID Connect Discovery 1.0 section 4.3).
    case otherIssuer(configured: String, found: String)
    case noKeyAddress
    /// `jwks_uri` is not https.
    case insecureKeyAddress(String)
    case notAKeySet
    case noUsableKey(published: Int)
    /// The embedded issuer's key file.
    case keyFile(String)

    package var description: String {
        switch self {
        case .unreachable(let url, let words):
            "\(url) cannot be reached (\(words)). Check address, name resolution, certificate and firewall."
        case .timedOut(let url):
            "\(url) did not answer in time. Check that the issuer runs and that a firewall lets Ferry through."
        case .status(let url, let code):
            (300..<400).contains(code)
                ? "\(url) answers \(code), a redirection, which is not followed. Configure the address it leads to."
                : "\(url) answers \(code). Check the issuer's address; discovery is looked for right below it."
        case .tooLarge(let url): "\(url) answers more than \(DocumentFetcher.maximumBytes) bytes. Check the address."
        case .notJSON(let url): "\(url) does not answer a JSON object. Check the address."
        case .otherIssuer(let configured, let found):
            "The issuer calls itself '\(found)', not '\(configured)'. Write its own name into the configuration."
        case .noKeyAddress: "The discovery document has no jwks_uri. Configure the address of the keys as jwks."
        case .insecureKeyAddress(let url):
            "The keys are at '\(url)', which is not https. Have the issuer publish them under https."
        case .notAKeySet:
            "What is published as keys is no JSON Web Key Set of at most \(KeySet.maximumKeys) keys. Check jwks."
        case .noUsableKey(let published):
            "None of the \(published) published keys can check a signature. Have the issuer sign with RS256, PS256 or "
                + "ES256, RSA keys of 2048 to 8192 bits."
        case .keyFile(let text): text
        }
    }
}

import Dispatch
import FerryAPI
import FerryCore
import NIOCore

/// Where the keys of one issuer come from. Each call fetches anew; when to call is the key ring's to know.
protocol KeySource: Sendable {
    /// Fails with an `IssuerProblem` only.
    func fetch() -> EventLoopFuture<FetchedKeys>
    var eventLoop: any EventLoop { get }
}

/// What an issuer says about itself at one time.
struct FetchedKeys: Sendable {
    var keys: KeySet
    /// How long the issuer wants the keys to be kept; `nil`: not said.
    var maximumAge: Duration?
    /// The key set as it is published to others: for issuers of our own.
    var published: [UInt8]?
    /// `authorization_endpoint` of the discovery document.
    var authorizationEndpoint: String?
}

/// Keys by OpenID Connect Discovery 1.0 section 4, or from a configured address.
struct DiscoveredKeys: KeySource {
    let issuer: String
    /// Known without discovery.
    let keyAddress: String?
    let fetcher: DocumentFetcher

    var eventLoop: any EventLoop { fetcher.eventLoop }

    private struct Metadata: Sendable {
        var keyAddress: String
        var authorizationEndpoint: String?
    }

    func fetch() -> EventLoopFuture<FetchedKeys> {
        metadata().flatMap { [fetcher] metadata in
            fetcher.document(at: metadata.keyAddress).flatMapThrowing { document in
                FetchedKeys(
                    keys: try KeySet(jwks: document.bytes), maximumAge: document.maximumAge,
                    authorizationEndpoint: metadata.authorizationEndpoint)
            }
        }
    }

    private func metadata() -> EventLoopFuture<Metadata> {
        if let keyAddress { return eventLoop.makeSucceededFuture(Metadata(keyAddress: keyAddress)) }
        let base = issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer
        let url = base + "/.well-known/openid-configuration"
        return fetcher.document(at: url).flatMapThrowing { [issuer] document in
            guard let metadata = try? JSONParser.parse(document.bytes), case .object = metadata else {
                throw IssuerProblem.notJSON(url: url)
            }
            let name = metadata["issuer"]?.string ?? ""
            guard name == issuer else { throw IssuerProblem.otherIssuer(configured: issuer, found: name) }
            guard let keys = metadata["jwks_uri"]?.string else { throw IssuerProblem.noKeyAddress }
            guard IssuerAddress.isAcceptable(keys), keys.hasPrefix("https:") || !issuer.hasPrefix("https:") else {
                throw IssuerProblem.insecureKeyAddress(keys)
            }
            return Metadata(
                keyAddress: keys,
                authorizationEndpoint: metadata["authorization_endpoint"]?.string
                    .flatMap { IssuerAddress.isAcceptable($0) ? $0 : nil })
        }
    }
}

/// The embedded issuer's public key, read again from its file each time, so that a file that was replaced is seen.
struct KeyFileKeys: KeySource {
    let issuer: EmbeddedIssuer
    let eventLoop: any EventLoop

    func fetch() -> EventLoopFuture<FetchedKeys> {
        let promise = eventLoop.makePromise(of: FetchedKeys.self)
        // A thread that may block: reading the file does.
        DispatchQueue.global().async { [issuer] in
            promise.completeWith(
                Swift.Result {
                    let issuer = try issuer.reread()
                    return FetchedKeys(keys: try issuer.keySet, published: issuer.jwks)
                })
        }
        return promise.futureResult
    }
}

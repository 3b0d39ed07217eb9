import FerryConnector

/// Initial responses of the SASL mechanisms that Ferry knows, and what answers a refusal's challenge.
struct SASL: Sendable {
    let mechanism: String
    let response: [UInt8]
    /// Answers, decoded, the challenge with which a server explains why it will refuse; `nil` where there is none.
    let lastWord: [UInt8]?

    /// RFC 4616: authorization identity, NUL, authentication identity, NUL, password.
    static func plain(as name: String, acting user: String, _ password: Secret) -> SASL {
        SASL(
            mechanism: "PLAIN",
            response: Array(user.utf8) + [0] + Array(name.utf8) + [0] + Array(password.value.utf8), lastWord: nil)
    }

    /// RFC 7628 section 3.1, or XOAUTH2 where the server has only that; `nil` where it has neither.
    static func bearer(_ token: Secret, of user: String, at endpoint: IMAPEndpoint, among mechanisms: Set<String>)
        -> SASL?
    {
        if mechanisms.contains("OAUTHBEARER") {
            // `,` and `=` in names are escaped as in RFC 5801.
            let name = String(user.flatMap { $0 == "," ? "=2C" : $0 == "=" ? "=3D" : String($0) })
            let response =
                "n,a=\(name),\u{1}host=\(endpoint.host)\u{1}port=\(endpoint.port)\u{1}auth=Bearer \(token.value)\u{1}\u{1}"
            return SASL(mechanism: "OAUTHBEARER", response: Array(response.utf8), lastWord: [1])
        }
        guard mechanisms.contains("XOAUTH2") else { return nil }
        let response = "user=\(user)\u{1}auth=Bearer \(token.value)\u{1}\u{1}"
        return SASL(mechanism: "XOAUTH2", response: Array(response.utf8), lastWord: [])
    }
}

/// `GET /ferry/identity-map`.
struct MapPageBody: Decodable, Sendable {
    struct Entry: Decodable, Sendable {
        var source: String
        var sourceName: String?
        var target: String?
        var targetName: String?
        var state: String
        var origin: String
        var changed: String?
        var author: String
        var mailbox: String?
        var findings: [Finding]
    }

    struct Finding: Decodable, Sendable {
        var code: String
        var message: String
    }

    var sourceTenantId: String
    var targetTenantId: String
    var counts: [String: Int]
    var value: [Entry]
    var next: String?
}

/// What changes and checks of the identity map answer.
struct MapOutcomeBody: Decodable, Sendable {
    struct Remark: Decodable, Sendable {
        var name: String
        var code: String
        var message: String
    }

    var changed: Int
    var unchanged: Int
    var remarks: [Remark]
    var next: String?
}

/// `POST /ferry/identity-map` and its actions; absent members are left out.
struct MapChangeBody: Encodable, Sendable {
    struct Entry: Encodable, Sendable {
        var source: String
        var target: String?
    }

    var entries: [Entry]?
    var people: [String]?
    var overwrite: Bool?
    var after: String?
}

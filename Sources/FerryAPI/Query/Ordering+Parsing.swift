import FerryCore

extension Ordering {
    /// Reads `$orderby`: a comma list of properties, each with `asc` (default) or `desc`.
    static func parse(_ text: String, properties: [String: Field]) throws(Failure) -> [Ordering] {
        var order: [Ordering] = []
        for piece in text.split(separator: ",", omittingEmptySubsequences: false) {
            let words = piece.split(separator: " ")
            guard let name = words.first, words.count <= 2 else {
                throw .badRequest("$orderby: expected a property, then asc or desc.", target: "$orderby")
            }
            guard let field = properties[name.lowercased()] else {
                throw .badRequest(
                    "$orderby: there is no property '\(name.prefix(64))' to order by.", target: "$orderby")
            }
            let isDescending: Bool
            switch words.count == 2 ? words[1].lowercased() : "asc" {
            case "asc": isDescending = false
            case "desc": isDescending = true
            default: throw .badRequest("$orderby: write asc or desc after '\(name.prefix(64))'.", target: "$orderby")
            }
            guard !order.contains(where: { $0.field == field }) else {
                throw .badRequest("$orderby: '\(name.prefix(64))' is named twice.", target: "$orderby")
            }
            order.append(Ordering(field, descending: isDescending))
        }
        return order
    }
}

extension JobField {
    /// What `$orderby` may name, in lower case (reference 7.4).
    static let orderable: [String: JobField] = [
        "id": .id, "displayname": .displayName, "status": .status, "createddatetime": .created,
        "lastupdateddatetime": .updated, "completeafterdatetime": .completeAfter,
    ]

    var isInstant: Bool {
        switch self {
        case .created, .updated, .completeAfter: true
        case .id, .displayName, .status, .type, .createdBy, .sourceTenant, .targetTenant, .resourceType: false
        }
    }
}

extension TaskField {
    static let orderable: [String: TaskField] = ["id": .id, "lastupdateddatetime": .updated]
}

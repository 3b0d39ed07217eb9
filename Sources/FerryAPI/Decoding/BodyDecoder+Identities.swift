package import FerryCore

/// Bodies of `/ferry/identity-map`.
extension BodyDecoder {
    /// `{"entries":[{"source":"…","target":"…"}],"overwrite":false}`
    package static func mapImport(_ body: [UInt8]) throws(Failure) -> MapCommand {
        var rows: [MapRow]?
        var overwrites = false
        for member in try object(body, type: nil) {
            switch member.name {
            case "entries":
                guard case .array(let elements) = member.value else {
                    throw wrongType(member.name, "an array of objects", member.value)
                }
                rows = []
                rows?.reserveCapacity(elements.count)
                for (index, element) in elements.enumerated() {
                    rows?.append(try row(element, "entries[\(index)]"))
                }
            case "overwrite": overwrites = try flag(member)
            default: throw unknown(member.name)
            }
        }
        guard let rows else { throw missing("entries") }
        return .importRows(rows, overwriting: overwrites)
    }

    /// `{"people":["…"],"overwrite":false}`; nothing is everybody.
    package static func mapMatch(_ body: [UInt8]) throws(Failure) -> MapCommand {
        var people: [String]?
        var overwrites = false
        for member in try members(body) {
            switch member.name {
            case "people": people = try texts(member)
            case "overwrite": overwrites = try flag(member)
            default: throw unknown(member.name)
            }
        }
        return .match(people: people, overwriting: overwrites)
    }

    /// `{"people":["…"],"overwrite":false,"after":"…","limit":100}`; nothing is everybody who is mapped.
    package static func mapCompletion(_ body: [UInt8], largest: Int) throws(Failure) -> MapCommand {
        var people: [String]?
        var overwrites = false
        var after: PersonID?
        var limit = largest
        for member in try members(body) {
            switch member.name {
            case "people": people = try texts(member)
            case "overwrite": overwrites = try flag(member)
            case "after":
                guard let text = try text(member) else { continue }
                guard let person = PersonID(text) else {
                    throw .badRequest("after must be the id of a user.", target: "after")
                }
                after = person
            case "limit":
                // 100.0 is a whole number, too.
                guard case .number(let text) = member.value,
                    let number = Int(text) ?? Double(text).flatMap(Int.init(exactly:)), number >= 1
                else {
                    throw .badRequest("limit must be a whole number from 1 on.", target: "limit")
                }
                limit = min(number, largest)
            default: throw unknown(member.name)
            }
        }
        return .complete(people: people, overwriting: overwrites, after: after, limit: limit)
    }

    /// `{"target":"…","overwrite":false}`; null is nobody.
    package static func mapAssignment(_ body: [UInt8], of person: String) throws(Failure) -> MapCommand {
        var target: String??
        var overwrites = false
        for member in try object(body, type: nil) {
            switch member.name {
            case "target": target = .some(try text(member))
            case "overwrite": overwrites = try flag(member)
            default: throw unknown(member.name)
            }
        }
        guard let target else { throw missing("target") }
        return .assign(person, to: target, overwriting: overwrites)
    }

    private static func row(_ element: JSONValue, _ place: String) throws(Failure) -> MapRow {
        guard case .object(let members) = element else { throw wrongType(place, "an object", element) }
        var row = MapRow(source: "", target: nil)
        for member in try plain(members, type: nil, path: place) {
            let named = JSONMember(name: "\(place)/\(member.name)", value: member.value)
            switch member.name {
            case "source": row.source = try text(named) ?? ""
            case "target": row.target = try text(named)
            default: throw unknown(named.name)
            }
        }
        guard !row.source.isEmpty else { throw missing("\(place)/source") }
        return row
    }

    /// The members of a body that may be left out.
    private static func members(_ body: [UInt8]) throws(Failure) -> [JSONMember] {
        body.isEmpty ? [] : try object(body, type: nil)
    }

    private static func flag(_ member: JSONMember) throws(Failure) -> Bool {
        guard case .bool(let value) = member.value else { throw wrongType(member.name, "a boolean", member.value) }
        return value
    }

    private static func missing(_ name: String) -> Failure {
        .refused(.invalid([FieldProblem(code: .required, target: name, message: "\(name) is missing.")]))
    }
}

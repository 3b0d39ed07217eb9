import FerryCore
import Testing

@testable import FerryAPI

/// The description at `/openapi.json` against the routes. Whether it is valid OpenAPI 3.1 a validator says, see
/// `Tests/python`.
struct OpenAPITests {
    private static let document = (try? JSONParser.parse(OpenAPIDocument.bytes)) ?? .null

    /// A row of `paths`: method, path template, operation object.
    private struct Entry {
        var method: String
        var path: String
        var operation: JSONValue

        var id: String { operation["operationId"]?.string ?? "" }

        /// The path with real keys in place of the placeholders.
        var request: String {
            let keys = [
                (Resource.Placeholder.job, OpenAPITests.key), (Resource.Placeholder.displayName, OpenAPITests.key),
                (Resource.Placeholder.task, OpenAPITests.task),
            ]
            return keys.reduce(path) { path, key in
                path.split(separator: key.0, omittingEmptySubsequences: false).joined(separator: key.1)
            }
        }
    }

    private static let key = "wave-1"
    private static let task = "20000000-bbbb-4000-8000-00000000000a"

    private static func members(_ value: JSONValue?) -> [JSONMember] {
        guard case .object(let members) = value else { return [] }
        return members
    }

    private static let entries: [Entry] = members(document["paths"]).flatMap { path in
        members(path.value).filter { $0.name != "parameters" }.map {
            Entry(method: $0.name.uppercased(), path: path.name, operation: $0.value)
        }
    }

    private static let routed = entries.filter { PublicResource(segments: [String($0.path.dropFirst())]) == nil }

    @Test("Every entry is routed to the operation that it names")
    func entriesAreRoutes() throws {
        #expect(!Self.routed.isEmpty)
        for entry in Self.routed {
            let operation = try RoutingTests.route(entry.method, entry.request)
            #expect(entry.id.contains(".\(operation.name)"), "\(entry.method) \(entry.path) is \(operation.name)")
        }
    }

    @Test("Every route of reference 1 and of ours has its entry, in each version", arguments: RoutingTests.rows)
    func routesHaveEntries(_ row: RoutingTests.Row) {
        let kinds = Self.routed.filter { entry in
            (try? RoutingTests.route(entry.method, entry.request).kind) == row.operation.kind
        }
        let isOurs = kinds.contains { $0.path.hasPrefix("/ferry/") }
        let prefixes = isOurs ? ["/ferry/"] : APIVersion.allCases.map { "/\($0.rawValue)/" }
        for prefix in prefixes { #expect(kinds.contains { $0.path.hasPrefix(prefix) }, "\(row)") }
    }

    @Test("Every operation, and what needs no token, is described; names are unique")
    func everyKind() throws {
        let described = try Set(Self.routed.map { try RoutingTests.route($0.method, $0.request).kind })
        #expect(described == Set(Operation.Kind.allCases))
        let open = Set(Self.entries.compactMap { PublicResource(segments: [String($0.path.dropFirst())]) })
        #expect(open == Set(PublicResource.allCases))
        #expect(Set(Self.entries.map(\.id)).count == Self.entries.count)
    }

    @Test("Methods that a path allows are described, and no others")
    func methods() throws {
        for entry in Self.routed where !entry.id.contains("validateCollection") {
            let resource = try Route(segments: RequestTarget(entry.request).segments).resource
            let described = Set(Self.routed.filter { $0.path == entry.path }.map(\.method))
            #expect(described == Set(resource.operations.map(\.method.rawValue)), "\(entry.path)")
        }
    }

    @Test("References lead somewhere, and every component is used")
    func references() {
        var used: Set<String> = []
        func visit(_ value: JSONValue) {
            switch value {
            case .array(let elements): elements.forEach(visit)
            case .object(let members):
                for member in members {
                    if member.name == "$ref", let target = member.value.string { used.insert(target) }
                    visit(member.value)
                }
            case .null, .bool, .number, .string: break
            }
        }
        visit(Self.document)
        let components = Self.members(Self.document["components"]).filter { $0.name != "securitySchemes" }
        let defined = components.flatMap { kind in
            Self.members(kind.value).map { "#/components/\(kind.name)/\($0.name)" }
        }
        #expect(used == Set(defined))
    }

    @Test("A create must have what the table of types requires, and an update what it lets change")
    func bodies() {
        let schemas = Self.document["components"]?["schemas"]
        func required(_ name: String) -> JSONValue? { schemas?[name]?["required"] }
        let properties = Schema.properties(of: Schema.job)
        #expect(required(OpenAPISchema.newJob) == .strings(properties.filter(\.isRequired).map(\.name)))
        #expect(
            required(OpenAPISchema.jobUpdate)
                == .strings(properties.filter { $0.writer == .createAndUpdate }.map(\.name)))
        #expect(required(OpenAPISchema.wholeJob) == .strings(properties.map(\.name)))
    }

    @Test("An error's schema has the code of the table")
    func errorCodes() {
        let responses = Self.document["components"]?["responses"]
        for (status, code) in [(400, "BadRequest"), (404, "NotFound"), (409, "Conflict"), (422, "BadArgument")] {
            let schema = responses?["error\(status)"]?["content"]?["application/json"]?["schema"]
            #expect(schema?["properties"]?["error"]?["properties"]?["code"]?["const"]?.string == code)
        }
    }
}

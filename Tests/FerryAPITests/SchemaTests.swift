import FerryAPI
import FerryCore
import Foundation
import FoundationXML
import Testing

/// The table of types (reference 2, 3 and 10) and the CSDL that is made from it.
struct SchemaTests {
    @Test("The properties of job and task are those that can be selected, in the order in which they are written")
    func members() {
        let wholes = JobMember.allCases.map(\.rawValue).filter { !$0.contains("/") }
        #expect(Schema.properties(of: Schema.job).map(\.name) == wholes)
        #expect(Schema.properties(of: Schema.task).map(\.name) == TaskMember.allCases.map(\.rawValue))
        let parts = Schema.exchangeSettings.properties.map { "exchangeSettings/\($0.name)" }
        #expect(parts == JobMember.allCases.map(\.rawValue).filter { $0.contains("/") })
    }

    @Test("A create takes the properties that clients write, and refuses those that the server writes")
    func writers() {
        for property in Schema.properties(of: Schema.job) {
            let value = property.isCollection ? "[]" : property.name == "exchangeSettings" ? "{}" : "\"2031-03-01\""
            let refused = failure { () throws(Failure) in
                _ = try BodyDecoder.draft(Array("{\"\(property.name)\":\(value)}".utf8))
            }
            #expect(
                (refused?.answer.details.map(\.code) ?? []) == (property.writer == .server ? ["readOnlyProperty"] : []))
            let rescheduled = failure { () throws(Failure) in
                _ = try BodyDecoder.reschedule(Array("{\"\(property.name)\":\(value)}".utf8))
            }
            #expect((rescheduled == nil) == (property.writer == .createAndUpdate), "\(property.name)")
        }
    }

    @Test("Enumerations have the members of the reference in its order, and end with the sentinel")
    func enumerations() throws {
        #expect(Schema.enumerations.map(\.members.count) == [3, 19, 14])
        #expect(Schema.enumerations.allSatisfy { $0.members.last == "unknownFutureValue" })
        let status = try #require(Schema.enumerations.first { $0.name == Schema.Name.jobStatus })
        #expect(status.members[4] == "inProgress")
        #expect(status.members[11] == "validateSubmitted")
    }

    @Test("The CSDL is well-formed and declares the types, keys and actions of reference 10")
    func document() throws {
        let reader = Reader()
        let parser = XMLParser(data: Data(CSDL.document))
        parser.delegate = reader
        #expect(parser.parse(), "\(parser.parserError as Any)")
        #expect(reader.count("EnumType") == 3)
        #expect(reader.count("Member") == 36)
        #expect(reader.count("ComplexType") == 4)
        #expect(reader.count("EntityType") == 5)
        #expect(reader.count("Action") == 5)
        #expect(reader.count("Property") == 1 + 14 + 3 + 4 + 2 + 2 + 2)
        for (name, type, isNullable) in [
            ("completeAfterDateTime", "Edm.DateTimeOffset", false), ("displayName", "Edm.String", false),
            ("message", "Edm.String", true), ("resources", "Collection(Edm.String)", false),
            ("exchangeSettings", "graph.exchangeOnlineCrossTenantMigrationSettings", true),
            ("status", "graph.crossTenantMigrationJobStatus", false),
            ("currentStatus", "Collection(graph.crossTenantMigrationServiceStatusDetails)", false),
            ("errors", "Collection(graph.error)", false),
        ] {
            #expect(
                reader.elements.contains {
                    $0.name == "Property" && $0.attributes["Name"] == name && $0.attributes["Type"] == type
                        && $0.attributes["Nullable"] == (isNullable ? nil : "false")
                }, "\(name)")
        }
        #expect(
            reader.elements.contains {
                $0.name == "NavigationProperty" && $0.attributes["Type"] == "Collection(graph.crossTenantMigrationTask)"
                    && $0.attributes["ContainsTarget"] == "true"
            })
        #expect(reader.elements.contains { $0.attributes["PropertyPath"] == "displayName" })
        #expect(reader.elements.contains { $0.attributes == ["Name": "solutions", "Type": "graph.solutionsRoot"] })
    }

    private final class Reader: NSObject, XMLParserDelegate {
        private(set) var elements: [(name: String, attributes: [String: String])] = []

        func count(_ name: String) -> Int { elements.count { $0.name == name } }

        func parser(
            _: XMLParser, didStartElement name: String, namespaceURI _: String?, qualifiedName _: String?,
            attributes: [String: String]
        ) {
            elements.append((name, attributes))
        }
    }
}

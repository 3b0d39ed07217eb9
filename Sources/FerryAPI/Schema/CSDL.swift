/// The schema in CSDL XML (OData CSDL XML 4.01), as `$metadata` answers it.
package enum CSDL {
    package static let contentType = "application/xml"

    /// The document; the same for both versions.
    package static let document: [UInt8] = Array(text.utf8)

    private static var text: String {
        var xml = XMLText()
        xml.element("edmx:Edmx", [("Version", "4.0"), ("xmlns:edmx", "http://docs.oasis-open.org/odata/ns/edmx")]) {
            $0.element("edmx:DataServices") {
                $0.element(
                    "Schema",
                    [
                        ("Namespace", Schema.namespace), ("Alias", alias),
                        ("xmlns", "http://docs.oasis-open.org/odata/ns/edm"),
                    ]
                ) { xml in
                    for enumeration in Schema.enumerations { write(enumeration, to: &xml) }
                    for structure in Schema.structures { write(structure, to: &xml) }
                    for action in Schema.actions { write(action, to: &xml) }
                    xml.element("EntityContainer", [("Name", "GraphService")]) {
                        $0.element(
                            "Singleton",
                            [("Name", Schema.singleton.name), ("Type", "\(alias).\(Schema.singleton.type)")])
                    }
                }
            }
        }
        return xml.text
    }

    /// What stands for the namespace in names of types.
    private static let alias = "graph"

    private static func write(_ enumeration: SchemaEnumeration, to xml: inout XMLText) {
        xml.element("EnumType", [("Name", enumeration.name)]) { xml in
            for (value, member) in enumeration.members.enumerated() {
                xml.element("Member", [("Name", member), ("Value", "\(value)")])
            }
        }
    }

    private static func write(_ structure: SchemaStructure, to xml: inout XMLText) {
        var attributes = [("Name", structure.name)]
        if let base = structure.base { attributes.append(("BaseType", "\(alias).\(base)")) }
        if structure.isAbstract { attributes.append(("Abstract", "true")) }
        xml.element(structure.isEntity ? "EntityType" : "ComplexType", attributes) { xml in
            if structure.name == Schema.Name.entity {
                xml.element("Key") { $0.element("PropertyRef", [("Name", "id")]) }
            }
            for property in structure.properties { xml.element("Property", declaration(of: property)) }
            for navigation in structure.navigations {
                let target = "\(alias).\(navigation.target)"
                xml.element(
                    "NavigationProperty",
                    [
                        ("Name", navigation.name), ("Type", navigation.isCollection ? "Collection(\(target))" : target),
                        ("ContainsTarget", "true"),
                    ])
            }
            if !structure.alternateKeys.isEmpty { write(alternateKeys: structure.alternateKeys, to: &xml) }
        }
    }

    /// The annotation of the core vocabulary that names further keys.
    private static func write(alternateKeys keys: [String], to xml: inout XMLText) {
        xml.element("Annotation", [("Term", "Org.OData.Core.V1.AlternateKeys")]) {
            $0.element("Collection") { xml in
                for key in keys {
                    xml.element("Record", [("Type", "Org.OData.Core.V1.AlternateKey")]) {
                        $0.element("PropertyValue", [("Property", "Key")]) {
                            $0.element("Collection") {
                                $0.element("Record", [("Type", "Org.OData.Core.V1.PropertyRef")]) { xml in
                                    xml.element("PropertyValue", [("Property", "Name"), ("PropertyPath", key)])
                                    xml.element("PropertyValue", [("Property", "Alias"), ("String", key)])
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private static func write(_ action: SchemaAction, to xml: inout XMLText) {
        xml.element("Action", [("Name", action.name), ("IsBound", "true")]) { xml in
            let binding = "\(alias).\(action.binding)"
            xml.element(
                "Parameter",
                [
                    ("Name", "bindingParameter"),
                    ("Type", action.isBoundToCollection ? "Collection(\(binding))" : binding),
                ])
            for parameter in action.parameters {
                xml.element("Parameter", [("Name", parameter.name), ("Type", type(of: parameter))])
            }
            xml.element("ReturnType", [("Type", name(of: action.result))])
        }
    }

    private static func declaration(of property: SchemaProperty) -> [(String, String)] {
        let named = [("Name", property.name), ("Type", type(of: property))]
        return property.isNullable ? named : named + [("Nullable", "false")]
    }

    private static func type(of property: SchemaProperty) -> String {
        property.isCollection ? "Collection(\(name(of: property.type)))" : name(of: property.type)
    }

    private static func name(of type: SchemaType) -> String {
        switch type {
        case .text, .guid: "Edm.String"
        case .dateTime: "Edm.DateTimeOffset"
        case .enumeration(let name), .complex(let name), .entity(let name): "\(alias).\(name)"
        }
    }
}

/// Writes XML of elements and attributes; there is no text between elements.
private struct XMLText {
    private(set) var text = #"<?xml version="1.0" encoding="utf-8"?>"#

    mutating func element(
        _ name: String, _ attributes: [(String, String)] = [], _ content: ((inout XMLText) -> Void)? = nil
    ) {
        text += "<\(name)"
        for (attribute, value) in attributes { text += " \(attribute)=\"\(Self.escaped(value))\"" }
        guard let content else {
            text += "/>"
            return
        }
        text += ">"
        content(&self)
        text += "</\(name)>"
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
    }
}

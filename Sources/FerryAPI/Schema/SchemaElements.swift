/// The type of a property, a parameter or a result, without "collection of" and without nullability.
package enum SchemaType: Sendable, Hashable {
    /// `Edm.String`.
    case text
    /// `Edm.String` that holds a GUID.
    case guid
    /// `Edm.DateTimeOffset`.
    case dateTime
    /// An enumeration of the schema, by its name without namespace.
    case enumeration(String)
    /// A complex type of the schema, by its name without namespace.
    case complex(String)
    /// An entity type of the schema, by its name without namespace.
    case entity(String)
}

/// Who gives a property its value.
package enum SchemaWriter: Sendable, Hashable {
    /// The server alone. A create that gives one is refused with `readOnlyProperty`, unless it is null.
    case server
    /// The client, when it creates the entity.
    case create
    /// The client, when it creates the entity and later with PATCH.
    case createAndUpdate
}

/// One structural property.
package struct SchemaProperty: Sendable, Hashable {
    package let name: String
    package let type: SchemaType
    package let isCollection: Bool
    /// May be null in an answer. Collections never are, they may be empty.
    package let isNullable: Bool
    package let writer: SchemaWriter
    /// A create without it is refused with `required`, whatever else it holds.
    package let isRequired: Bool
    /// One sentence for people.
    package let summary: String

    init(
        _ name: String, _ type: SchemaType, isCollection: Bool = false, isNullable: Bool = false,
        writer: SchemaWriter = .server, isRequired: Bool = false, _ summary: String
    ) {
        self.name = name
        self.type = type
        self.isCollection = isCollection
        self.isNullable = isNullable
        self.writer = writer
        self.isRequired = isRequired
        self.summary = summary
    }
}

/// A way from an entity to others that it contains.
package struct SchemaNavigation: Sendable, Hashable {
    package let name: String
    /// Name of the entity type behind it.
    package let target: String
    package let isCollection: Bool
    package let summary: String
}

/// An entity type or a complex type.
package struct SchemaStructure: Sendable, Hashable {
    /// Without namespace.
    package let name: String
    package let isEntity: Bool
    /// Name of the type that it extends; its properties come first.
    package let base: String?
    package let isAbstract: Bool
    /// Its own, in the order in which they are written on the wire.
    package let properties: [SchemaProperty]
    package let navigations: [SchemaNavigation]
    /// Properties that identify an entity besides its key.
    package let alternateKeys: [String]
    package let summary: String

    init(
        _ name: String, isEntity: Bool, base: String? = nil, isAbstract: Bool = false,
        properties: [SchemaProperty] = [], navigations: [SchemaNavigation] = [], alternateKeys: [String] = [],
        _ summary: String
    ) {
        self.name = name
        self.isEntity = isEntity
        self.base = base
        self.isAbstract = isAbstract
        self.properties = properties
        self.navigations = navigations
        self.alternateKeys = alternateKeys
        self.summary = summary
    }
}

/// An enumeration. All of them are evolvable: the last member is `unknownFutureValue`, which is never sent.
package struct SchemaEnumeration: Sendable, Hashable {
    /// Without namespace.
    package let name: String
    /// In the order of their numbers, from 0, the sentinel included.
    package let members: [String]
    package let summary: String
}

/// An action that is bound to an entity or to a collection of them.
package struct SchemaAction: Sendable, Hashable {
    package let name: String
    /// Name of the entity type that it is bound to.
    package let binding: String
    package let isBoundToCollection: Bool
    /// All nullable; none for most actions.
    package let parameters: [SchemaProperty]
    /// What it answers with.
    package let result: SchemaType
    package let summary: String

    init(
        _ name: String, on binding: String, isBoundToCollection: Bool = false, parameters: [SchemaProperty] = [],
        result: SchemaType, _ summary: String
    ) {
        self.name = name
        self.binding = binding
        self.isBoundToCollection = isBoundToCollection
        self.parameters = parameters
        self.result = result
        self.summary = summary
    }
}

/// One `response` of a multistatus (RFC 4918 section 14.24).
package struct DAVResponse: Sendable, Hashable {
    /// As the server spells it: a path or a whole address, percent-encoded.
    package var href = ""
    /// Of the resource as a whole; `nil` where its properties have one each.
    package var status: Int?
    package var properties: [DAVProperty] = []
    /// Names of the conditions in `error` (RFC 4918 section 14.5), such as `DAV: valid-sync-token`.
    package var conditions: [String] = []

    /// A property that the server has, by its name with its namespace.
    package func property(_ name: String) -> DAVProperty? {
        properties.first { $0.name == name && (200..<300).contains($0.status) }
    }
}

/// A property of a resource.
package struct DAVProperty: Sendable, Hashable {
    /// Namespace, a blank, and the name: `DAV: getetag`.
    package var name: String
    /// Of the `propstat` it stands in: 200 where the server has it, 404 where not.
    package var status: Int
    /// All character data within it.
    package var text = ""
    /// Elements directly within it.
    package var children: [Child] = []

    /// An element directly within a property.
    package struct Child: Sendable, Hashable {
        package var name: String
        package var attributes: [String: String]
        /// All character data within it.
        package var text = ""
    }
}

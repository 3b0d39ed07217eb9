/// `GET /{version}/`: what the entity container holds (OData JSON Format 4.0 section 5).
package enum ServiceDocumentEncoder {
    package static func document(as representation: Representation) -> [UInt8] {
        var json = JSONWriter(capacity: 256)
        json.object { json in
            if representation.metadata != .none {
                json.member("@odata.context", representation.links.metadata)
            }
            json.key("value")
            json.array {
                $0.object { json in
                    json.member("name", Schema.singleton.name)
                    json.member("kind", "Singleton")
                    json.member("url", Schema.singleton.name)
                }
            }
        }
        return json.bytes
    }
}

/// The body of a `$batch` (reference 7.9): several requests in one, some of which wait for others.
///
/// ```json
/// {"requests":[{"id":"1","method":"GET","url":"/solutions/migrations"},
///              {"id":"2","method":"POST","url":"/…/migrate","dependsOn":["1"]}]}
/// ```
package struct BatchRequest: Sendable, Hashable {
    /// One of the requests.
    package struct Step: Sendable, Hashable {
        /// A header of the request; values are texts.
        package struct Header: Sendable, Hashable {
            package let name: String
            package let value: String
        }

        /// As the client wrote it; the response repeats it.
        package let id: String
        /// In upper case.
        package let method: String
        /// As the client wrote it; see `target(base:aliases:version:)`.
        package let url: String
        package let headers: [Header]
        /// What a single request would have had as its body; empty when there is none.
        package let body: [UInt8]
        /// Places of the steps that must have succeeded before.
        package fileprivate(set) var dependencies: Set<Int> = []
    }

    /// In the order of the body. Dependencies have no cycle.
    package let steps: [Step]

    /// Throws `Failure.badRequest` for what is not JSON or not a batch, for more than 20 steps, ids that are missing or
    /// repeated, and dependencies that are unknown or go round in a circle.
    package init(_ body: [UInt8]) throws(Failure) {
        let value: JSONValue
        do {
            // The steps' own bodies lie three levels deep.
            value = try JSONParser.parse(body, maximumDepth: APILimits.bodyDepth + 3)
        } catch {
            throw .badRequest("The batch is not valid JSON: \(error.text), at byte \(error.position).", target: nil)
        }
        guard case .array(let requests) = value["requests"] else {
            throw .badRequest("A batch is an object with an array 'requests'.", target: "requests")
        }
        guard requests.count <= APILimits.batchSteps else {
            throw .badRequest(
                "A batch holds at most \(APILimits.batchSteps) requests, not \(requests.count).", target: "requests")
        }
        var steps: [Step] = []
        var places: [String: Int] = [:]
        for (place, request) in requests.enumerated() {
            let step = try Step(request, at: place)
            guard places.updateValue(place, forKey: step.id.lowercased()) == nil else {
                throw .badRequest(
                    "Two requests of the batch have the id '\(step.id.prefix(64))'.", target: "requests[\(place)]/id")
            }
            steps.append(step)
        }
        for (place, request) in requests.enumerated() {
            for id in try Step.dependencies(request, at: place) {
                guard let other = places[id.lowercased()] else {
                    throw .badRequest(
                        "dependsOn names '\(id.prefix(64))', which is no request of the batch.",
                        target: "requests[\(place)]/dependsOn")
                }
                steps[place].dependencies.insert(other)
            }
        }
        guard Self.isAcyclic(steps) else {
            throw .badRequest("The requests of the batch depend on each other in a circle.", target: "requests")
        }
        self.steps = steps
    }

    /// Takes away what depends on nothing that is left, until nothing is left.
    private static func isAcyclic(_ steps: [Step]) -> Bool {
        var left = Set(steps.indices)
        while !left.isEmpty {
            let free = left.filter { steps[$0].dependencies.isDisjoint(with: left) }
            if free.isEmpty { return false }
            left.subtract(free)
        }
        return true
    }
}

extension BatchRequest.Step {
    /// The request target of the step, on our own paths. The URL is relative to the version's root, with or without a
    /// leading slash; the Python SDK writes it absolute, which is understood on our base URL and its `aliases`.
    ///
    /// Throws `Failure.badRequest` for another host or version.
    package func target(base: String, aliases: [String], version: APIVersion) throws(Failure) -> String {
        let root = "/\(version.rawValue)/"
        guard let scheme = ASCII.drop("https://", from: url) ?? ASCII.drop("http://", from: url), !scheme.isEmpty else {
            return root + (url.utf8.first == UInt8(ascii: "/") ? url.dropFirst() : url[...])
        }
        for known in [base] + aliases {
            if let rest = ASCII.drop(known + root, from: url) { return root + rest }
        }
        throw .badRequest(
            "The url of a request in a batch must be relative, or begin with the base URL and version of the batch.",
            target: "url")
    }

    fileprivate init(_ value: JSONValue, at place: Int) throws(Failure) {
        let path = "requests[\(place)]"
        id = try Self.text("id", value, path)
        method = try Self.text("method", value, path).uppercased()
        url = try Self.text("url", value, path)
        var headers: [Header] = []
        switch value["headers"] {
        case nil, .null: break
        case .object(let members):
            for member in members {
                guard let text = member.value.string else {
                    throw .badRequest("The headers of a request in a batch are texts.", target: "\(path)/headers")
                }
                headers.append(Header(name: member.name, value: text))
            }
        default: throw .badRequest("headers must be an object of texts.", target: "\(path)/headers")
        }
        self.headers = headers
        let type = headers.first { ASCII.equalFoldingCase($0.name, "Content-Type") }?.value
        switch value["body"] {
        case nil, .null: body = []
        case .string(let text) where !Negotiation.isJSON(contentType: type):
            // Base64url, unpadded or not; what is neither goes on as the text that it is.
            body = Base64URL.decode(text.prefix { $0 != "=" }) ?? Array(text.utf8)
        case .some(let json):
            var writer = JSONWriter(capacity: 512)
            writer.value(json)
            body = writer.bytes
        }
    }

    /// The Python SDK spells the member `depends_on`.
    fileprivate static func dependencies(_ value: JSONValue, at place: Int) throws(Failure) -> [String] {
        var ids: [String] = []
        for name in ["dependsOn", "depends_on"] {
            switch value[name] {
            case nil, .null: continue
            case .array(let elements):
                for element in elements {
                    guard let id = element.string else {
                        throw .badRequest("dependsOn is an array of ids.", target: "requests[\(place)]/\(name)")
                    }
                    ids.append(id)
                }
            default: throw .badRequest("dependsOn is an array of ids.", target: "requests[\(place)]/\(name)")
            }
        }
        return ids
    }

    private static func text(_ name: String, _ value: JSONValue, _ path: String) throws(Failure) -> String {
        guard let text = value[name]?.string, !text.isEmpty else {
            throw .badRequest(
                "Every request of a batch has a text '\(name)' that is not empty.", target: "\(path)/\(name)")
        }
        return text
    }
}

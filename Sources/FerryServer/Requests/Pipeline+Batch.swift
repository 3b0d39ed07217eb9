import FerryAPI
import HTTPTypes
import Hummingbird
import NIOCore

/// `$batch` (reference 7.9): each step is a message of its own and goes through the whole pipeline with the token of the
/// batch. Steps that do not wait for others run at the same time, a bounded number of them.
extension Pipeline {
    func batch(_ call: Call, _ message: Message, _ exchange: Exchange) async throws(Failure) -> Answer {
        guard !message.isInBatch else { throw .badRequest("A batch cannot hold another batch.", target: "url") }
        guard Negotiation.isJSON(contentType: call.contentType) else { throw .unsupportedMediaType }
        let representation = try call.representation(try call.options())
        let responses = await Steps(
            steps: try BatchRequest(call.body).steps, pipeline: self, outer: message, exchange: exchange,
            version: call.links.version
        ).run()
        let isStreamed = responses.contains { if case .stream = $0.answer.body { true } else { false } }
        let stream: Answer.Body.Stream = { writer in
            try await writer.write(ByteBuffer(bytes: BatchEncoder.opening))
            for (index, response) in responses.enumerated() {
                try await response.write(to: &writer, isFirst: index == 0)
            }
            try await writer.write(ByteBuffer(bytes: BatchEncoder.closing))
        }
        var answer = Answer(status: .ok, contentType: representation.contentType, isRead: false)
        answer.body = isStreamed ? .stream(stream) : .bytes(Self.bytes(of: responses))
        return answer
    }

    private static func bytes(of responses: [Response]) -> [UInt8] {
        var bytes = BatchEncoder.opening
        for (index, response) in responses.enumerated() {
            bytes += response.opening(isFirst: index == 0)
            if case .bytes(let body) = response.answer.body { bytes += response.embedded(body) }
            bytes += BatchEncoder.responseClosing
        }
        return bytes + BatchEncoder.closing
    }

    /// What a step was answered.
    fileprivate struct Response: Sendable {
        let id: String
        let answer: Answer
        let fields: HTTPFields

        func opening(isFirst: Bool) -> [UInt8] {
            var headers: [(name: String, value: String)] = []
            for field in fields {
                if let index = headers.firstIndex(where: { $0.name == field.name.rawName }) {
                    headers[index].value += ", \(field.value)"
                } else {
                    headers.append((field.name.rawName, field.value))
                }
            }
            let hasBody = if case .none = answer.body { false } else { true }
            return BatchEncoder.responseOpening(
                id: id, status: answer.status.code, headers: headers, hasBody: hasBody, isFirst: isFirst)
        }

        /// JSON stands as it is, anything else as a text.
        func embedded(_ body: [UInt8]) -> [UInt8] {
            Negotiation.isJSON(contentType: answer.contentType) ? body : BatchEncoder.text(body)
        }

        @concurrent
        func write(to writer: inout any ResponseBodyWriter, isFirst: Bool) async throws {
            try await writer.write(ByteBuffer(bytes: opening(isFirst: isFirst)))
            switch answer.body {
            case .none: break
            case .bytes(let body): try await writer.write(ByteBuffer(bytes: embedded(body)))
            // Only JSON is streamed.
            case .stream(let stream): try await stream(&writer)
            }
            try await writer.write(ByteBuffer(bytes: BatchEncoder.responseClosing))
        }
    }

    /// The steps of a batch on their way.
    private struct Steps: Sendable {
        let steps: [BatchRequest.Step]
        let pipeline: Pipeline
        let outer: Message
        let exchange: Exchange
        let version: APIVersion

        /// The responses in the order of the steps.
        func run() async -> [Response] {
            var answers = [Response?](repeating: nil, count: steps.count)
            var waiting = Set(steps.indices)
            await withTaskGroup(of: (place: Int, response: Response).self) { group in
                var running = 0
                while !waiting.isEmpty || running > 0 {
                    let ready = waiting.filter { place in steps[place].dependencies.allSatisfy { answers[$0] != nil } }
                    for place in ready.sorted().prefix(APILimits.batchConcurrency - running) {
                        waiting.remove(place)
                        running += 1
                        let isHeldBack = steps[place].dependencies.contains { place in
                            answers[place].map { $0.answer.status.code >= 400 } ?? true
                        }
                        group.addTask(name: "batch step") {
                            (place, await response(to: steps[place], isHeldBack: isHeldBack))
                        }
                    }
                    guard let done = await group.next() else { break }
                    answers[done.place] = done.response
                    running -= 1
                }
            }
            return answers.compactMap { $0 }
        }

        private func response(to step: BatchRequest.Step, isHeldBack: Bool) async -> Response {
            var headers = HTTPFields()
            for header in step.headers {
                guard let name = HTTPField.Name(header.name) else { continue }
                headers[name] = header.value
            }
            // The caller of a step is the caller of the batch.
            headers[.authorization] = outer.headers[.authorization]
            let inner = exchange.inner(requestID: pipeline.makeID(), headers)
            let answer = await self.answer(to: step, headers, inner, isHeldBack: isHeldBack)
            return Response(id: step.id, answer: answer, fields: answer.fields(inner))
        }

        private func answer(
            to step: BatchRequest.Step, _ headers: HTTPFields, _ inner: Exchange, isHeldBack: Bool
        ) async -> Answer {
            guard !isHeldBack else { return pipeline.failed(.dependencyFailed, inner) }
            let target: String
            do {
                target = try step.target(base: exchange.base, aliases: exchange.aliases, version: version)
            } catch {
                return pipeline.failed(error, inner)
            }
            let message = Message(
                method: step.method, target: target, headers: headers, body: .whole(step.body), isInBatch: true,
                origin: outer.origin)
            return await pipeline.answer(message, inner)
        }
    }
}

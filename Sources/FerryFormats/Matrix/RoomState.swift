/// What Ferry reads of a room's state: its names and its members.
package struct RoomState: Sendable, Hashable {
    package struct Member: Sendable, Hashable {
        /// `@local:domain`.
        package var user: String
        package var displayName: String?
        /// `join`, `invite`, `leave`, `ban` or `knock`.
        package var membership: String
    }

    /// `m.room.name`; `nil` when not set or empty, as in most direct chats.
    package var name: String?
    package var topic: String?
    package var canonicalAlias: String?
    /// In the order of the state.
    package var members: [Member]
    /// State events that were read.
    package var events: Int

    /// Reads a JSON array of state events. Elements that are no events are passed over; of two events with one type and
    /// state key the last counts. `nil` when the octets are no JSON array.
    package static func parse(_ bytes: [UInt8]) -> RoomState? {
        guard let document = JSONDocument(bytes), document.kind(of: document.root) == .array else { return nil }
        var state = RoomState(name: nil, topic: nil, canonicalAlias: nil, members: [], events: 0)
        for node in document.children(of: document.root) {
            guard let event = MatrixEvent(document, node), let key = event.stateKey else { continue }
            state.events += 1
            func content(_ name: String) -> String? {
                let text = document[node, "content"].flatMap { document[$0, name] }.flatMap(document.string)
                return text?.isEmpty == true ? nil : text
            }
            switch (event.type, key) {
            case ("m.room.name", ""): state.name = content("name")
            case ("m.room.topic", ""): state.topic = content("topic")
            case ("m.room.canonical_alias", ""): state.canonicalAlias = content("alias")
            case ("m.room.member", _):
                let member = Member(
                    user: key, displayName: content("displayname"), membership: content("membership") ?? "leave")
                if let index = state.members.firstIndex(where: { $0.user == key }) {
                    state.members[index] = member
                } else {
                    state.members.append(member)
                }
            default: break
            }
        }
        return state
    }
}

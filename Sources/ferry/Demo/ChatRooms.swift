import FerryCore

/// Fills the chats: a folder per room with the room's state, its timeline as Matrix events (one per line) and its
/// media. A room stands, event for event, in the folder of everybody who is in it.
struct ChatRooms {
    private let cast: [CastMember]
    private let today: Instant
    private var dice: Dice

    private static let lines = [
        "Good morning ☀️", "Can you look at the draft?", "Sure, give me ten minutes.", "Lunch at noon?",
        "Running late, start without me",
        "Kann jemand die Folien schicken?", "Klar, kommen gleich.", "Где лежит договор?", "В общей папке, как всегда.",
        "会議は何時からですか？", "十時半からです。", "Το είδα, ευχαριστώ!", "وصلت الرسالة، شكرا", "הקובץ המעודכן אצלך", "🎉🎉🎉",
        "The customer said yes!", "Ça marche, merci.", "Who has the key to the archive?",
        "Deploying now, fingers crossed 🤞", "Done. All green.",
    ]

    init(cast: [CastMember], today: Instant, dice: Dice) {
        self.cast = cast
        self.today = today
        self.dice = dice
    }

    mutating func write(to sink: DemoSink) throws {
        for member in cast { try sink(DemoFile("contoso/chats/\(member.login)", .folder)) }
        for index in cast.indices {
            let others = cast.indices.filter { $0 != index }
            guard let other = dice.pick(1, of: others).first else { continue }
            try writeRoom(members: [index, other], name: nil, sink)
            if index % 3 == 0 {
                try writeRoom(
                    members: [index] + dice.pick(dice.number(2...6), of: others),
                    name: dice.pick(Stories.projects) + " 💬", sink)
            }
        }
    }

    private mutating func writeRoom(members: [Int], name: String?, _ sink: DemoSink) throws {
        let roomID = "!\(dice.hex(18)):\(Cast.sourceDomain)"
        var clock = today - .seconds(dice.number(20 * 86400...900 * 86400))
        let state = state(of: roomID, members: members, name: name, at: clock)
        var timeline: [JSONObject] = []
        var media: [(name: String, bytes: [UInt8])] = []
        for _ in 0..<dice.number(12...40) {
            clock = clock + .seconds(dice.number(20...40_000))
            guard clock < today else { break }
            let sender = cast[dice.pick(members)].handle
            let earlier = timeline.filter { $0["type"] == .string("m.room.message") }.suffix(6)
            let kind = dice.number(0...19)
            if kind < 2, let target = earlier.last {
                timeline.append(reaction(to: target, roomID, sender, clock))
            } else if kind == 2, let target = earlier.last(where: { $0["sender"] == .string(sender) }) {
                timeline.append(edit(of: target, roomID, sender, clock))
            } else if kind == 3, let target = earlier.first {
                timeline.append(reply(to: target, roomID, sender, clock))
            } else if kind == 4 {
                let picture = Picture.identicon(&dice, scale: 24)
                let identifier = dice.hex(24)
                media.append((identifier, picture))
                timeline.append(image(identifier, bytes: picture.count, roomID, sender, clock))
            } else {
                timeline.append(event("m.room.message", roomID, sender, clock, message(dice.pick(Self.lines))))
            }
        }
        let stateText = "[\n" + state.map { JSONValue.object($0).text }.joined(separator: ",\n") + "\n]\n"
        let timelineText = timeline.map { JSONValue.object($0).text + "\n" }.joined()
        let folder = String(roomID.dropFirst().prefix { $0 != ":" })
        for member in members {
            let path = "contoso/chats/\(cast[member].login)/\(folder)"
            try sink(DemoFile("\(path)/state.json", text: stateText))
            try sink(DemoFile("\(path)/timeline.jsonl", text: timelineText))
            try sink(DemoFile("\(path)/media", .folder))
            for file in media { try sink(DemoFile("\(path)/media/\(file.name)", .bytes(file.bytes))) }
        }
    }

    // MARK: events

    private mutating func event(
        _ type: String, _ roomID: String, _ sender: String, _ at: Instant, _ content: JSONObject,
        stateKey: String? = nil
    ) -> JSONObject {
        var event: JSONObject = [
            "type": .string(type), "event_id": .string("$" + dice.hex(32)), "room_id": .string(roomID),
            "sender": .string(sender),
            "origin_server_ts": .number(at.microseconds / 1000),
        ]
        if let stateKey { event["state_key"] = .string(stateKey) }
        event["content"] = .object(content)
        return event
    }

    private mutating func state(of roomID: String, members: [Int], name: String?, at: Instant) -> [JSONObject] {
        let creator = cast[members[0]].handle
        var state = [
            event(
                "m.room.create", roomID, creator, at, ["room_version": "11", "creator": .string(creator)], stateKey: ""),
            event("m.room.join_rules", roomID, creator, at, ["join_rule": "invite"], stateKey: ""),
            event(
                "m.room.power_levels", roomID, creator, at, ["users": .object([creator: .number(100)])], stateKey: ""),
        ]
        if let name {
            state.append(event("m.room.name", roomID, creator, at, ["name": .string(name)], stateKey: ""))
            state.append(
                event("m.room.topic", roomID, creator, at, ["topic": "What we are up to this week"], stateKey: ""))
        }
        for member in members {
            let content: JSONObject = ["membership": "join", "displayname": .string(cast[member].source.displayName)]
            state.append(
                event("m.room.member", roomID, cast[member].handle, at, content, stateKey: cast[member].handle))
        }
        return state
    }

    private func message(_ text: String) -> JSONObject { ["msgtype": "m.text", "body": .string(text)] }

    private mutating func reaction(to target: JSONObject, _ roomID: String, _ sender: String, _ at: Instant)
        -> JSONObject
    {
        let relation: JSONObject = [
            "rel_type": "m.annotation", "event_id": target["event_id"] ?? .null,
            "key": .string(dice.pick(["👍", "❤️", "😄", "🎉"])),
        ]
        return event("m.reaction", roomID, sender, at, ["m.relates_to": .object(relation)])
    }

    private mutating func edit(of target: JSONObject, _ roomID: String, _ sender: String, _ at: Instant) -> JSONObject {
        let text = dice.pick(Self.lines)
        var content = message("* \(text)")
        content["m.new_content"] = .object(message(text))
        content["m.relates_to"] = .object(["rel_type": "m.replace", "event_id": target["event_id"] ?? .null])
        return event("m.room.message", roomID, sender, at, content)
    }

    private mutating func reply(to target: JSONObject, _ roomID: String, _ sender: String, _ at: Instant) -> JSONObject
    {
        var content = message(dice.pick(Self.lines))
        content["m.mentions"] = .object(["user_ids": .array([target["sender"] ?? .null])])
        content["m.relates_to"] = .object(["m.in_reply_to": .object(["event_id": target["event_id"] ?? .null])])
        return event("m.room.message", roomID, sender, at, content)
    }

    private mutating func image(
        _ identifier: String, bytes: Int, _ roomID: String, _ sender: String, _ at: Instant
    ) -> JSONObject {
        let content: JSONObject = [
            "msgtype": "m.image", "body": "whiteboard.png", "url": .string("mxc://\(Cast.sourceDomain)/\(identifier)"),
            "info": .object([
                "mimetype": "image/png", "size": .number(Int64(bytes)), "w": .number(120), "h": .number(120),
            ]),
        ]
        return event("m.room.message", roomID, sender, at, content)
    }
}

import FerryConnector
import FerryCore
import FerryEngine
import FerryFormats
import FerryTestKit
import Testing

/// Ten thousand times something happens to an item that was moved: the manifest tells each, and nothing else.
@Suite struct ManifestMutationTests {
    /// Something that happens to one item at the target.
    private enum Mutation: CaseIterable {
        case drop, flip, date, flag

        /// `nil` where the item has no such thing.
        static func random(for metadata: ItemMetadata, using random: inout SeededRandom) -> Mutation {
            let possible: [Mutation] =
                switch metadata {
                case .message, .file: allCases
                case .fileFolder: [.drop]
                case .calendarObject, .contact, .event, .media: [.drop, .flip]
                }
            return possible.randomElement(using: &random) ?? .drop
        }

        func apply(to item: inout FakeTenant.Item, using random: inout SeededRandom) {
            switch (self, item.metadata) {
            case (.flip, _):
                let place = Int.random(in: 0..<item.content.count, using: &random)
                item.content[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case (.date, .message(var message)):
                message.internalDate = message.internalDate + .seconds(Self.shift(&random))
                item.metadata = .message(message)
            case (.date, .file(var file)):
                file.modified = file.modified + .seconds(Self.shift(&random))
                item.metadata = .file(file)
            case (.flag, .message(var message)):
                if Bool.random(using: &random) {
                    message.keywords.append("$later")
                } else {
                    message.flags.formSymmetricDifference(
                        MessageMetadata.Flags(rawValue: 1 << UInt8.random(in: 0..<6, using: &random)))
                }
                item.metadata = .message(message)
            case (.flag, .file(var file)):
                file.isExecutable.toggle()
                item.metadata = .file(file)
            default: break
            }
        }

        /// A second, a day, years; into both directions.
        private static func shift(_ random: inout SeededRandom) -> Int64 {
            let sizes: [Int64] = [1, 3600, 86_400, 300_000_000]
            let size = sizes.randomElement(using: &random) ?? 1
            return Bool.random(using: &random) ? size : -size
        }
    }

    private static let services: [ServiceKind] = [.mail, .calendar, .contacts, .files, .chats]

    /// Two people with some five hundred items each, twins among them.
    private func furnish(_ world: EngineWorld) {
        for number in 1...world.people {
            world.source.edit(.init(.mail, world.login(number))) { holdings in
                for index in 0..<250 {
                    let metadata = ItemMetadata.message(
                        MessageMetadata(
                            flags: MessageMetadata.Flags(rawValue: UInt8(index % 64)),
                            keywords: index % 5 == 0 ? ["work", "$label1"] : [],
                            internalDate: Instant(seconds: 1_500_000_000 + Int64(index) * 977)))
                    let path = index % 3 == 0 ? ["INBOX"] : ["Archive", "\(index % 7)"]
                    holdings[path].add("x\(index)", EngineWorld.message(number, index), metadata)
                    // The same message once more: only names tell which of the two is gone.
                    if index % 10 == 0 { holdings[path].add("y\(index)", EngineWorld.message(number, index), metadata) }
                }
            }
            world.source.edit(.init(.calendar, world.login(number))) { holdings in
                for index in 0..<60 {
                    let text =
                        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:\(number)-\(index)\r\nSUMMARY:Item \(index)\r\n"
                        + "ATTENDEE:mailto:person1@north.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
                    holdings[["work"]].add("e\(index).ics", Array(text.utf8), .calendarObject)
                }
            }
            world.source.edit(.init(.contacts, world.login(number))) { holdings in
                for index in 0..<40 {
                    let text = "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Friend \(index)\r\nEND:VCARD\r\n"
                    holdings[["friends"]].add("f\(index).vcf", Array(text.utf8), .contact)
                }
            }
            world.source.edit(.init(.files, world.login(number))) { holdings in
                for index in 0..<80 {
                    let file = FileMetadata(
                        modified: Instant(seconds: 1_600_000_000 + Int64(index)), isExecutable: index % 4 == 0)
                    holdings[["Files"]].add("notes/\(index).txt", Array("text \(index / 2)".utf8), .file(file))
                    if index % 20 == 0 { holdings[["Files"]].add("empty\(index)", [], .fileFolder(file)) }
                }
            }
            world.source.edit(.init(.chats, world.login(number))) { holdings in
                for index in 10..<70 {
                    let line = #"{"event_id":"$\#(number)-\#(index)","type":"m.room.message","body":"\#(index)"}"#
                    holdings[["room"]].add("$\(number)-\(index)", Array(line.utf8), .event)
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func `Of 10,000 random drops, flips, changes of dates and of flags every one is named, and nothing else`()
        async throws
    {
        let moved = try await ManifestWorld()
        let world = moved.world
        furnish(world)
        let job = try await moved.move()
        let file = try await moved.file(job)
        #expect(try await moved.differences(file, .target) == [:])

        let places = Self.services.flatMap { service in
            (1...world.people).map { number in
                (person: Samples.person(number), place: FakeTenant.Place(service, world.targetLogin(number)))
            }
        }
        let before = places.map { world.target[$0.place] }
        var random = SeededRandom(seed: RunSeed.value)
        var total = 0
        while total < 10_000 {
            var expected: [ManifestWorld.Named: Mutation] = [:]
            for (number, (person, place)) in places.enumerated() {
                var holdings = before[number]
                for folder in holdings.folders.indices {
                    let path = holdings.folders[folder].container.path
                    var dropped: Set<String> = []
                    for index in holdings.folders[folder].items.indices
                    where Int.random(in: 0..<3, using: &random) == 0 {
                        let item = holdings.folders[folder].items[index]
                        let mutation = Mutation.random(for: item.metadata, using: &random)
                        let named = ManifestWorld.Named(
                            person: person, service: place.service, path: path, item: item.name)
                        expected[named] = mutation
                        if mutation == .drop {
                            dropped.insert(item.name)
                        } else {
                            mutation.apply(to: &holdings.folders[folder].items[index], using: &random)
                        }
                    }
                    holdings.folders[folder].items.removeAll { dropped.contains($0.name) }
                }
                world.target.edit(place) { [holdings] in $0 = holdings }
            }
            let found = try await moved.differences(file, .target)
            let overlooked = Set(expected.keys).subtracting(found.keys)
            let invented = Set(found.keys).subtracting(expected.keys)
            #expect(overlooked.isEmpty, "overlooked after \(total) with FERRY_SEED=\(RunSeed.value): \(overlooked)")
            #expect(invented.isEmpty, "invented after \(total) with FERRY_SEED=\(RunSeed.value): \(invented)")
            for (named, mutation) in expected where mutation != .flip {
                #expect(found[named] == [mutation == .drop ? .verifyMissing : .verifyDiffers], "\(named)")
            }
            total += expected.count
            if !overlooked.isEmpty || !invented.isEmpty { break }
        }
        for (number, (_, place)) in places.enumerated() { world.target.edit(place) { [before] in $0 = before[number] } }
        #expect(try await moved.differences(file, .target) == [:])
        await world.remove()
    }

    @Test func `What came later, what stands in another order and whole containers that are gone are told, too`()
        async throws
    {
        let moved = try await ManifestWorld(people: 1)
        let world = moved.world
        let file = try await moved.file(try await moved.move())
        world.target.edit(.init(.mail, world.targetLogin(1))) { holdings in
            holdings[["INBOX"]].add("new", EngineWorld.message(1, 500), EngineWorld.mail)
            holdings[["Own"]].add("own", EngineWorld.message(1, 501), EngineWorld.mail)
            holdings.folders.removeAll { $0.container.path == ["Projects", "Ærø"] }
        }
        world.target.edit(.init(.chats, world.targetLogin(1))) { $0[["room"]].items.swapAt(0, 1) }
        world.target.removeAccount(.init(.contacts, world.targetLogin(1)))
        let found = try await moved.differences(file, .target)
        func named(_ service: ServiceKind, _ path: [String], _ item: String) -> ManifestWorld.Named {
            ManifestWorld.Named(person: Samples.person(1), service: service, path: path, item: item)
        }
        #expect(
            found == [
                named(.mail, ["INBOX"], "new"): [.verifyUnexpected],
                named(.mail, ["Projects", "Ærø"], ""): [.verifyMissing],
                named(.mail, ["Projects", "Ærø"], "p1"): [.verifyMissing],
                named(.chats, ["room"], ""): [.verifyDiffers],
                named(.contacts, ["friends"], ""): [.verifyMissing],
                named(.contacts, ["friends"], "a.vcf"): [.verifyMissing],
            ])

        // At the source everything counts, what nobody moved included.
        world.source.edit(.init(.mail, world.login(1))) { holdings in
            holdings[["Late"]].add("l", EngineWorld.message(1, 9), EngineWorld.mail)
        }
        world.source.edit(.init(.calendar, world.login(1))) { holdings in
            holdings[["work"]].change("own.ics") { $0.content += Array("X:1\r\n".utf8) }
        }
        let atSource = try await moved.differences(file, .source)
        #expect(atSource[named(.mail, ["Late"], "l")] == [.verifyUnexpected])
        #expect(Set(atSource.keys) == [named(.mail, ["Late"], "l"), named(.calendar, ["work"], "own.ics")])
        #expect(try await moved.differences(file, .recorded) == [:])
        await world.remove()
    }
}

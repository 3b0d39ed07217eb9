/// Members of an entity that `$select` can choose, in the order in which they are written.
package protocol WireMember: RawRepresentable<String>, CaseIterable, Sendable, Hashable where AllCases == [Self] {
    /// Place among `allCases`, below 32.
    var index: Int { get }
}

/// The order is that of the Graph reference's page on reading a job.
package enum JobMember: String, WireMember {
    case id, displayName, status, jobType, message, completeAfterDateTime, sourceTenantId, targetTenantId, resourceType
    case resources, workloads, createdBy, createdDateTime, lastUpdatedDateTime, exchangeSettings
    case targetDeliveryDomain = "exchangeSettings/targetDeliveryDomain"
    case sourceEndpoint = "exchangeSettings/sourceEndpoint"

    package var index: Int {
        switch self {
        case .id: 0
        case .displayName: 1
        case .status: 2
        case .jobType: 3
        case .message: 4
        case .completeAfterDateTime: 5
        case .sourceTenantId: 6
        case .targetTenantId: 7
        case .resourceType: 8
        case .resources: 9
        case .workloads: 10
        case .createdBy: 11
        case .createdDateTime: 12
        case .lastUpdatedDateTime: 13
        case .exchangeSettings: 14
        case .targetDeliveryDomain: 15
        case .sourceEndpoint: 16
        }
    }
}

/// Members of a user task, in the order in which they are written.
package enum TaskMember: String, WireMember {
    case id, taskType, lastUpdatedDateTime, currentStatus

    package var index: Int {
        switch self {
        case .id: 0
        case .taskType: 1
        case .lastUpdatedDateTime: 2
        case .currentStatus: 3
        }
    }
}

/// The root has nothing but its id.
package enum RootMember: String, WireMember {
    case id

    package var index: Int { 0 }
}

/// What `$select` chose. `id` is always part of it.
package struct Selection<Member: WireMember>: Sendable, Hashable {
    private var bits: UInt32
    /// Names for the context URL, as the contract spells them, in the order of the request; `nil` for everything.
    package private(set) var names: [String]?

    package static var everything: Selection { Selection(bits: .max, names: nil) }

    private init(bits: UInt32, names: [String]?) {
        self.bits = bits
        self.names = names
    }

    package func includes(_ member: Member) -> Bool { bits & 1 << UInt32(member.index) != 0 }

    /// Reads a comma list. Throws `Failure.badRequest` for a name that does not exist.
    init(_ text: String, navigation: [String] = []) throws(Failure) {
        var bits: UInt32 = 1
        var names: [String] = []
        for piece in text.split(separator: ",", omittingEmptySubsequences: false) {
            let name = ASCII.trim(piece)
            if name == "*" {
                self = .everything
                return
            }
            if navigation.contains(where: { ASCII.equalFoldingCase($0, name) }) { continue }
            guard let member = Member.allCases.first(where: { ASCII.equalFoldingCase($0.rawValue, name) }) else {
                throw .badRequest("$select: there is no property '\(name.prefix(64))'.", target: "$select")
            }
            bits |= 1 << UInt32(member.index)
            if !names.contains(member.rawValue) { names.append(member.rawValue) }
        }
        self.init(bits: bits, names: names)
    }
}

extension QueryOptions {
    /// What `$select` chose; everything when it is absent.
    package func selection<Member: WireMember>() throws(Failure) -> Selection<Member> {
        guard let select = self[.select] else { return .everything }
        return try Selection(select)
    }
}

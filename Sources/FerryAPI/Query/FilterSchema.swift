import FerryCore

/// What `$filter` and `$orderby` may say about an entity: its properties, and its collections for `any` and `all`.
struct FilterSchema<Field: Sendable & Hashable>: Sendable {
    /// How a property compares.
    enum Kind: Sendable, Hashable {
        case text
        /// Text that holds a GUID; compares without case, so literals are lowered.
        case guid
        case instant
        /// Members by wire name, with the spelling that is stored; `type` is the name without namespace.
        case enumeration(type: String, stored: [String: String])
    }

    enum Property: Sendable {
        case field(Field, Kind)
        /// Has the same value everywhere; compares without case.
        case constant(String)
    }

    /// By wire name in lower case.
    var properties: [String: Property]
    /// By wire name in lower case.
    var collections: [String: FilterCollection<Field>]

    func property(_ name: String) -> Property? { properties[name.lowercased()] }
    func collection(_ name: String) -> FilterCollection<Field>? { collections[name.lowercased()] }
}

/// A collection whose elements can only take few values. A lambda over it is decided by trying every value, and the
/// values that satisfy it become a predicate: so any condition can be asked for, without the store knowing lambdas.
struct FilterCollection<Field: Sendable & Hashable>: Sendable {
    /// One value that an element can have. Its members by wire name in lower case; `""` is the element itself.
    typealias Element = [String: String]

    /// Every possible element.
    var elements: [Element]
    /// Names of members whose literals must be members of an enum, by name in lower case.
    var enumerations: [String: (type: String, members: Set<String>)]
    /// "The collection holds one of these"; the indices of `elements` that satisfied the lambda.
    var holdsAny: @Sendable (Set<Int>) -> Predicate<Field>
}

extension FilterSchema where Field == JobField {
    static let jobs = FilterSchema(
        properties: [
            "id": .field(.id, .guid),
            "displayname": .field(.displayName, .text),
            "status": .field(
                .status,
                .enumeration(
                    type: Schema.Name.jobStatus,
                    stored: .init(uniqueKeysWithValues: JobStatus.allCases.map { ($0.wireName, $0.rawValue) }))),
            "jobtype": .field(
                .type,
                .enumeration(
                    type: Schema.Name.jobType,
                    stored: .init(uniqueKeysWithValues: JobType.allCases.map { ($0.wireName, $0.rawValue) }))),
            "createdby": .field(.createdBy, .text),
            "sourcetenantid": .field(.sourceTenant, .guid),
            "targettenantid": .field(.targetTenant, .guid),
            "resourcetype": .constant(WireText.users),
            "createddatetime": .field(.created, .instant),
            "lastupdateddatetime": .field(.updated, .instant),
            "completeafterdatetime": .field(.completeAfter, .instant),
        ],
        collections: [
            "workloads": FilterCollection(
                elements: Workload.allCases.map { ["": $0.wireName] }, enumerations: [:],
                holdsAny: { indices in
                    .anyOf(
                        Workload.allCases.enumerated().filter { indices.contains($0.offset) }.map {
                            .hasWorkload($0.element)
                        })
                })
        ])
}

extension FilterSchema where Field == TaskField {
    static let tasks: FilterSchema = {
        let pairs = Workload.allCases.flatMap { workload in RunStatus.allCases.map { (workload, $0) } }
        return FilterSchema(
            properties: [
                "id": .field(.id, .guid),
                "tasktype": .constant(WireText.users),
                "lastupdateddatetime": .field(.updated, .instant),
            ],
            collections: [
                "currentstatus": FilterCollection(
                    elements: pairs.map { ["service": $0.0.wireName, "status": $0.1.wireName] },
                    enumerations: [
                        "status": (
                            Schema.Name.serviceStatus, Set(RunStatus.allCases.map(\.wireName))
                        )
                    ],
                    holdsAny: { indices in .holdsRun(Set(indices.map { Pair(pairs[$0]) })) })
            ])
    }()
}

private struct Pair: Hashable {
    var workload: Workload
    var status: RunStatus
    init(_ pair: (Workload, RunStatus)) { (workload, status) = pair }
}

extension Predicate {
    /// The disjunction; false when there is nothing to choose from.
    static func anyOf(_ parts: [Predicate]) -> Predicate {
        guard var result = parts.first else { return .always(false) }
        for part in parts.dropFirst() { result = .or(result, part) }
        return result
    }
}

extension Predicate where Field == TaskField {
    /// Fewest probes for a set of (workload, state): a state that holds for every workload needs one probe, a workload
    /// in every state too.
    fileprivate static func holdsRun(_ pairs: Set<Pair>) -> Predicate {
        var rest = pairs
        var parts: [Predicate] = []
        for status in RunStatus.allCases {
            let all = Workload.allCases.map { Pair(($0, status)) }
            if all.allSatisfy(pairs.contains) {
                parts.append(.hasRun(nil, status))
                rest.subtract(all)
            }
        }
        for workload in Workload.allCases {
            let all = RunStatus.allCases.map { Pair((workload, $0)) }
            if all.allSatisfy(pairs.contains), !rest.isDisjoint(with: all) {
                parts.append(.hasRun(workload, nil))
                rest.subtract(all)
            }
        }
        for workload in Workload.allCases {
            for status in RunStatus.allCases where rest.contains(Pair((workload, status))) {
                parts.append(.hasRun(workload, status))
            }
        }
        return parts.count == RunStatus.allCases.count
            && pairs.count == Workload.allCases.count * RunStatus.allCases.count
            ? .hasRun(nil, nil) : .anyOf(parts)
    }
}

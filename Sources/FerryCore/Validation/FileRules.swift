/// Checks of the personal file tree.
enum FileRules {
    static let all: [Rule] = [
        trusted, configured, sourceReachable, targetReachable, apart, mappedOnce, mappedHere, targetKnown,
        sourceThere, targetReady, movable,
    ]

    /// T-19.
    private static let trusted = Rule(
        id: "T-19", codes: [.fileTrustMissing], workloads: [.files], applies: { facts, _ in facts.sourceTenant != nil },
        evaluate: { facts, _ in
            guard facts.trust == nil else { return [] }
            return [
                Finding(
                    code: .fileTrustMissing,
                    message: "Files cannot move without trust between the tenants. Add an entry under trust in the "
                        + "configuration, from the source to the target.")
            ]
        })

    /// T-19a.
    private static let configured = Rule(
        id: "T-19a", codes: [.fileServiceOff], workloads: [.files], applies: { facts, _ in facts.sourceTenant != nil },
        evaluate: { facts, _ in
            ChatRules.sidesWithout(.files, facts).map { side in
                finding(
                    .fileServiceOff, .serviceNotConfigured, object: "\(side) files",
                    "The \(side) tenant has no files configured. Add the service, or create the job without ODSP.")
            }
        })

    /// U-19a.
    private static let sourceReachable = Rule.perService(
        id: "U-19a", codes: [.fileStoreUnresolved], workload: .files
    ) { _, _, service in
        guard case .unreachable(let remark) = service.source else { return [] }
        return [
            finding(
                .fileStoreUnresolved, .endpointUnusable, object: "source files",
                "The source files of the user cannot be reached.\(remark.asRemark) "
                    + "Run ferry check and mend what it reports.")
        ]
    }

    /// T-21a.
    private static let targetReachable = Rule.perService(
        id: "T-21a", codes: [.fileTargetBlocked], workload: .files
    ) { _, _, service in
        guard case .unreachable(let remark) = service.target else { return [] }
        return [
            finding(
                .fileTargetBlocked, .endpointUnusable, object: "target files",
                "The target files of the user cannot be reached.\(remark.asRemark) "
                    + "Run ferry check and mend what it reports.")
        ]
    }

    /// T-21.
    private static let apart = Rule.perService(id: "T-21", codes: [.filesShareStore], workload: .files) {
        _, _, service in
        guard service.isSameStore else { return [] }
        return [
            finding(
                .filesShareStore, .sameStore, object: "files",
                "Source and target files of the user are the same tree. Correct the configuration.")
        ]
    }

    /// U-5.
    private static let mappedOnce = Rule(
        id: "U-5", codes: [.filesMappedTwice], workloads: [.files],
        applies: { facts, _ in facts.mappedSources.count > 1 },
        evaluate: { facts, _ in
            [
                finding(
                    .filesMappedTwice, .mappedTwice,
                    "\(facts.mappedSources.count) source users are mapped to this user. Leave one of them in the map.")
            ]
        })

    /// U-5b: the map has the right source user and another target user.
    private static let mappedHere = Rule(
        id: "U-5b", codes: [.fileMappingDiffers], workloads: [.files],
        applies: { facts, _ in facts.mappedElsewhere != nil },
        evaluate: { facts, _ in facts.mappedElsewhere.map { [PersonRules.differs(.fileMappingDiffers, $0)] } ?? [] })

    /// U-7.
    private static let targetKnown = Rule(
        id: "U-7f", codes: [.fileTargetPersonUnknown], workloads: [.files],
        evaluate: { facts, _ in
            guard facts.target == nil else { return [] }
            return [
                finding(
                    .fileTargetPersonUnknown, .targetMissing, object: facts.person.description,
                    "The target's directory does not have this user. Add the user, or correct the id in a new job.")
            ]
        })

    /// U-19.
    private static let sourceThere = Rule.perService(
        id: "U-19", codes: [.fileStoreMissing], workload: .files
    ) { _, _, service in
        guard let source = service.source.sight, !source.exists else { return [] }
        return [
            finding(
                .fileStoreMissing, .sourceMissing, object: "source files",
                "The user has no files at the source.\(source.remark.asRemark) "
                    + "Correct the login in the source's list of people, or leave ODSP out.")
        ]
    }

    /// U-20: nothing is merged into what is not ours.
    private static let targetReady = Rule.perService(
        id: "U-20", codes: [.fileTargetNotEmpty, .fileTargetNotEntitled], workload: .files
    ) { _, _, service in
        guard !service.isSameStore, let target = service.target.sight else { return [] }
        if !target.isWritable {
            return [
                finding(
                    .fileTargetNotEntitled, target.exists ? .targetNotWritable : .targetMissing, object: "target files",
                    "The target files of the user cannot be written.\(target.remark.asRemark) "
                        + "Create the place and give Ferry's account the right to write.")
            ]
        }
        guard target.exists, !target.isEmpty, !service.isContinued else { return [] }
        return [
            finding(
                .fileTargetNotEmpty, .targetNotEmpty, object: "target files",
                "The target already holds files of the user, and Ferry did not put them there. "
                    + "Move them away, or map the source user to somebody else.")
        ]
    }

    /// U-23: no published code for a store that cannot be moved, so the reason says it.
    private static let movable = Rule.perService(
        id: "U-23", codes: [.fileMoveFailed], workload: .files
    ) { _, _, service in
        if let source = service.source.sight, source.exists, !source.isReadable {
            return [
                finding(
                    .fileMoveFailed, .sourceNotReadable, object: "source files",
                    "The source files of the user cannot be read.\(source.remark.asRemark) "
                        + "Give the account that Ferry uses the right to read them.")
            ]
        }
        guard let missing = service.missingRoom else { return [] }
        return [
            finding(
                .fileMoveFailed, .overQuota, object: "target files",
                "The target has \(missing) bytes too little room for the user's files. Make room, or clean up the source."
            )
        ]
    }
}

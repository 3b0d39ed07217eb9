/// Checks of the personal file tree.
enum FileRules {
    static let all: [Rule] = [
        trusted, configured, sourceReachable, targetReachable, apart, mappedOnce, mappedHere, targetKnown, targetNamed,
        entitled, sourceThere, unmarked, targetReady, pathsFit, movable,
    ]

    /// U-24: nobody else's move has left its mark on the source.
    private static let unmarked = Rule.perService(
        id: "U-24", "marks of other moves", codes: [.filesAlreadyMoving], workload: .files, sight: .sourceSide
    ) { _, _, service in
        guard service.source.sight?.isMarked == true, !service.isContinued else { return [] }
        return [
            finding(
                .filesAlreadyMoving, .leftoverMarker, object: "source files",
                "The source files of the user are marked by a move that this server knows nothing of: they are frozen, or say "
                    + "that their owner has gone. Finish or undo that move, then remove the mark.")
        ]
    }

    /// U-7: what is written into sharing and addresses must be a name.
    private static let targetNamed = Rule(
        id: "U-7n", "target's sign-in name", codes: [.fileTargetNameInvalid], workloads: [.files], needs: [.target],
        evaluate: { facts, _ in
            guard let name = facts.target?.userPrincipalName, !name.isSignInName else { return [] }
            return [
                finding(
                    .fileTargetNameInvalid, .nameUnusable, object: facts.person.description,
                    "The sign-in name of the target user is not of the form name@domain. Correct it in the target's directory."
                )
            ]
        })

    /// U-13.
    private static let entitled = Rule(
        id: "U-13f", "entitlement", codes: [.fileLicenseMissing], workloads: [.files],
        needs: [.sourceTenant, .source, .target],
        evaluate: { facts, _ in
            guard facts.isEntitledNowhere(to: .files) else { return [] }
            return [
                finding(
                    .fileLicenseMissing, .notLicensed, object: "files",
                    "The user is entitled to files on neither side. Add files to the user's services in one of the lists of "
                        + "people.")
            ]
        })

    /// U-21: as far as a dry run has looked. Names that are refused are skipped and need an approval; only when that many
    /// are that nobody could approve them is there no use in beginning.
    private static let pathsFit = Rule(
        id: "U-21", "names and lengths of paths", codes: [.filePathsTooLong], workloads: [.files],
        needs: [.sourceTenant, .source, .target, .dryRun],
        applies: { facts, _ in facts.policy.holdsSkippedItems },
        evaluate: { facts, _ in
            guard let forecast = facts.forecasts[.files], forecast.verdict(for: .files).grade == .poor,
                let refused = forecast.skips.first(where: { $0.code == .targetNameRefused })
            else { return [] }
            let example = forecast.places.first { $0.code == .targetNameRefused }.map { ", such as '\($0.item)'" } ?? ""
            return [
                finding(
                    .filePathsTooLong, .pathRefused,
                    object: forecast.places.first { $0.code == .targetNameRefused }?.item,
                    "The target does not take \(refused.count) of the paths\(example). Shorten or rename them at the source, "
                        + "then make another dry run.")
            ]
        })

    /// T-19.
    private static let trusted = Rule(
        id: "T-19", "trust", codes: [.fileTrustMissing], workloads: [.files], needs: [.sourceTenant],
        applies: { facts, _ in facts.sourceTenant != nil },
        evaluate: { facts, _ in
            guard facts.trust?.objections.isEmpty != true else { return [] }
            return [
                Finding(
                    code: .fileTrustMissing,
                    message: facts.trust != nil
                        ? "Files cannot move while a side of the trust does not agree to it."
                        : "Files cannot move without trust between the tenants. Add an entry under trust in the "
                            + "configuration, from the source to the target.")
            ]
        })

    /// T-19a.
    private static let configured = Rule(
        id: "T-19a", "services", codes: [.fileServiceOff], workloads: [.files], needs: [.sourceTenant],
        applies: { facts, _ in facts.sourceTenant != nil },
        evaluate: { facts, _ in
            ChatRules.sidesWithout(.files, facts).map { side in
                finding(
                    .fileServiceOff, .serviceNotConfigured, object: "\(side) files",
                    "The \(side) tenant has no files configured. Add the service, or create the job without ODSP.")
            }
        })

    /// U-19a.
    private static let sourceReachable = Rule.perService(
        id: "U-19a", "source answers", codes: [.fileStoreUnresolved], workload: .files
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
        id: "T-21a", "target answers", codes: [.fileTargetBlocked], workload: .files
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
    private static let apart = Rule.perService(id: "T-21", "two trees", codes: [.filesShareStore], workload: .files) {
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
        id: "U-19", "source files", codes: [.fileStoreMissing], workload: .files, sight: .sourceSide
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
        id: "U-20", "target files", codes: [.fileTargetNotEmpty, .fileTargetNotEntitled], workload: .files,
        sight: .targetSide
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
        id: "U-23", "room at the target", codes: [.fileMoveFailed], workload: .files, sight: .room
    ) { facts, _, service in
        if facts.source?.isOnHold == true {
            return [
                finding(
                    .fileMoveFailed, .onHold, object: facts.source?.id.description,
                    "The source user is under a legal hold. Lift it in the source's list of people, or leave the user out."
                )
            ]
        }
        if let source = service.source.sight, source.exists, !source.isReadable {
            return [
                finding(
                    .fileMoveFailed, .sourceNotReadable, object: "source files",
                    "The source files of the user cannot be read.\(source.remark.asRemark) "
                        + "Give the account that Ferry uses the right to read them.")
            ]
        }
        guard let missing = facts.missingRoom(.files, .files) else { return [] }
        return [
            finding(
                .fileMoveFailed, .overQuota, object: "target files",
                "The target has \(missing) bytes too little room for the user's files. Make room, or clean up the source."
            )
        ]
    }
}

extension Need {
    /// Somebody has made a dry run of the person's files.
    fileprivate static let dryRun = Need { facts, workload in
        let isOffered = facts.sourceTenant?.services.contains(.files) == true
        guard isOffered, facts.forecasts[workload] == nil else { return [] }
        return ["no dry run has listed the files"]
    }
}

extension String {
    /// Two parts around one `@`, without blanks and control characters.
    fileprivate var isSignInName: Bool {
        let parts = split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
            && unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0.value >= 0x20 && $0.value != 0x7F }
    }
}

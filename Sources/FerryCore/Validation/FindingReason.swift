/// What is behind an umbrella code such as EXCH-08: the `reason` of a finding, for machines.
///
/// Stable, lower camel case. Where the mailbox documentation names an exception for it, `exceptionName` is that name.
package enum FindingReason: String, Sendable, Hashable, CaseIterable {
    case targetNotEmpty, targetMissing, targetNotWritable, sourceMissing, sourceNotReadable, endpointUnusable
    case serviceNotConfigured, sameStore, noDeliveryAddress, foreignAddress, overQuota, notInScope, notLicensed
    case mailboxIdMissing, mailboxIdMismatch, inOtherJob, alreadyMoving, leftoverMarker, onHold, archiveUnknown
    case archiveGrew, archiveDisabled, underMaintenance, sourceUnknown, mappedTwice, mailboxNotMigrated
    case noRedirect, nameUnusable, pathRefused, mappedApart, mappedInChain, mappedElsewhere, mapNotCompleted
    case trustReversed, consentMissing, consentDisabled, scopeUnknown

    /// Name of the exception with which Microsoft's mover says the same, for those who search for it.
    package var exceptionName: String? {
        switch self {
        case .notInScope: "MailboxNotInCrossTenantMigrationScopeException"
        case .notLicensed: "CrossTenantMigrationWithoutLicensePermanentException"
        case .mailboxIdMissing: "MissingExchangeGuidException"
        case .foreignAddress: "NotAcceptedDomainException"
        case .inOtherJob: "UserDuplicateInOtherBatchException"
        case .alreadyMoving: "SourceMailboxAlreadyBeingMovedPermanentException"
        case .archiveUnknown: "AuxArchiveNotFoundInTargetRecipientException"
        case .archiveGrew: "SourceAuxArchiveIsProvisionedDuringCrossTenantMovePermanentException"
        case .archiveDisabled: "UserAlreadyHasDemotedArchiveException"
        case .underMaintenance: "MailboxIsNotInExpectedDBException"
        case .targetMissing: "MigrationRecipientNotFoundException"
        default: nil
        }
    }

    package var entry: CatalogueEntry {
        switch self {
        case .targetNotEmpty:
            row(
                .validateAgain, "The target account holds items that no earlier attempt of Ferry put there.",
                "Empty it or choose another target person.")
        case .targetMissing:
            row(
                .validateAgain, "The target account does not exist and cannot be created.",
                "Create the person or the account.")
        case .targetNotWritable:
            row(
                .validateAgain, "The account Ferry uses may not write at the target.",
                "Give it the right to write there.")
        case .sourceMissing:
            row(
                .validateAgain, "The source account does not exist.",
                "Correct the login in the source's list of people, or leave the workload out.")
        case .sourceNotReadable:
            row(
                .validateAgain, "The account Ferry uses may not read at the source.",
                "Give it the right to read there.")
        case .endpointUnusable:
            row(
                .validateAgain, "The service did not answer or refused the login.",
                "Run ferry check and mend what it reports.")
        case .serviceNotConfigured:
            row(
                .validateAgain, "A tenant has no such service in the configuration.",
                "Add the service to the tenant, or leave the workload out.")
        case .sameStore:
            row(.support, "Source and target are the same store.", "Correct the configuration; nothing has to move.")
        case .noDeliveryAddress:
            row(
                .validateAgain,
                "The target has no address to which the source could forward: the delivery domain is not the target's, or "
                    + "the person has no address in it.", "Add the domain or the address, or name another domain.")
        case .foreignAddress:
            row(
                .validateAgain, "The target person has an address in a domain that the target does not own.",
                "Remove the address or add the domain to the tenant.")
        case .overQuota:
            row(.fix, "The target has less room than the source needs.", "Raise the quota or clean up the source.")
        case .notInScope:
            row(.validateAgain, "The source person is not among those who may leave.", "Add the person to the scope.")
        case .notLicensed:
            row(.validateAgain, "Neither person has the right to be moved.", "Assign a licence on one side.")
        case .mailboxIdMissing:
            row(
                .validateAgain, "The target does not know which source mailbox it is to become.",
                "Write the identity map.")
        case .mailboxIdMismatch:
            row(
                .validateAgain, "The source mailbox is not the one that the identity map was made for.",
                "Make the identity map again.")
        case .inOtherJob:
            row(.nothing, "The person is in another active job.", "Finish or cancel it there.")
        case .alreadyMoving:
            row(.retry, "Somebody else is moving the source mailbox.", "Wait for the end of that move.")
        case .leftoverMarker:
            row(.fix, "An earlier move has left its mark on the account.", "Remove the mark once no move is running.")
        case .onHold:
            row(.fix, "The source is under a legal hold.", "Lift the hold, or leave the person out.")
        case .archiveUnknown:
            row(.validateAgain, "The parts of the archive are not known at the target.", "Make the identity map again.")
        case .archiveGrew:
            row(.retry, "The archive grew a new part during the move.", "Migrate again.")
        case .archiveDisabled:
            row(.fix, "A disabled archive is in the way.", "Delete it or enable it again.")
        case .underMaintenance:
            row(.retry, "The source mailbox was being moved by its provider.", "Migrate again later.")
        case .sourceUnknown:
            row(
                .validateAgain, "The identity map names a source person that the source's directory does not have.",
                "Correct the identity map or the directory.")
        case .mappedTwice:
            row(.validateAgain, "Several source people are mapped to one target person.", "Leave one of them.")
        case .noRedirect:
            row(
                .validateAgain,
                "The source cannot leave word of the new address, and settings.requiresRedirect asks for it.",
                "Configure a way to redirect, or take the setting back.")
        case .nameUnusable:
            row(.fix, "A sign-in name is not of the form name@domain.", "Correct it in the directory.")
        case .pathRefused:
            row(
                .fix, "The target does not take so many of the paths that the person would be incomplete.",
                "Shorten or rename them at the source, then make another dry run.")
        case .mappedApart:
            row(.fix, "A list maps one source person to several target people.", "Leave one of the lines.")
        case .mappedInChain:
            row(.fix, "The target person of an entry is about to move on to another tenant.", "Finish that move first.")
        case .mappedElsewhere:
            row(
                .validateAgain, "The source person with the user's address is mapped to another target person.",
                "Correct the identity map, or create a job with the right user.")
        case .mapNotCompleted:
            row(
                .validateAgain, "The mapping was made and not agreed to yet.", "Review it, then run ferry map complete."
            )
        case .trustReversed:
            row(
                .validateAgain, "There is a trust between the two tenants, for the other direction.",
                "Add one from the source to the target.")
        case .consentMissing:
            row(
                .validateAgain, "One side of the trust, which is named, has not agreed to it.",
                "Write that side's half of the trust.")
        case .consentDisabled:
            row(
                .validateAgain, "One side of the trust, which is named, has switched its half off.",
                "Switch it on again.")
        case .scopeUnknown:
            row(
                .validateAgain, "It cannot be read who may leave.",
                "Mend what the message names, such as the group in the directory.")
        case .mailboxNotMigrated:
            row(.retry, "The workload waits for a mailbox that was not migrated.", "Mend the mailbox, migrate again.")
        }
    }

    private func row(_ retryClass: RetryClass, _ meaning: String, _ remedy: String) -> CatalogueEntry {
        CatalogueEntry(code: rawValue, retryClass: retryClass, meaning: meaning, remedy: remedy)
    }
}

// Longer than other files: it is a table, one row per code, and a switch so that the compiler misses no code.

extension FindingCode {
    /// Meaning, remedy and retry class, in our own words, for what the code stands for in Ferry. Where a Microsoft
    /// notion has another object here (application: the account Ferry uses; license: the right to use a service), the
    /// row names ours.
    package var entry: CatalogueEntry {
        switch self {
        // general
        case .identityNotMapped:
            row(
                .validateAgain, "The user is mapped to nobody of the other tenant.",
                "Add the user to the identity map, or give both sides the same address.")
        case .trustMissing:
            row(
                .validateAgain, "The two tenants do not trust each other for migration.",
                "Add the trust, in the right direction, to the configuration.")
        case .notInScope:
            row(
                .validateAgain, "The source user is not among those who may leave.",
                "Add the user to the scope of the trust.")
        case .moveFailed:
            row(
                .retry, "The move of this workload failed for a reason that has no code of its own.",
                "Read the message and the reason, then call migrate again.")
        case .trustOrScopeUnclear:
            row(
                .validateAgain,
                "Either the trust is wrong on one side or the user may not leave; it cannot be told apart.",
                "Check the trust and its scope.")
        case .listedTwice:
            row(.nothing, "The user is listed twice in the job.", "None; the user is moved once.")
        case .inOtherJob:
            row(
                .nothing, "The user is in another active job, which is named.",
                "Let that job finish, or cancel the user in one of the two.")
        case .mappingMissing:
            row(
                .validateAgain, "No identity mapping was found for the user.",
                "Add the user to the identity map, or give both sides the same address.")
        case .mappingIncomplete:
            row(
                .validateAgain, "A mapping exists but cannot be used: it leads to nobody, or to several people.",
                "Correct the entry in the identity map.")
        case .validationBusy:
            row(.retry, "The user could not be checked because something had too much to do.", "Validate again later.")
        case .validationFault:
            row(.retry, "The check of the user broke off.", "Validate again; if it stays, look into the log.")
        case .moverMissing:
            row(
                .validateAgain, "The account that moves the data is missing or disabled in a tenant.",
                "Give Ferry a working account in that tenant.")
        // mailboxes
        case .endpointUnknown:
            row(
                .validateAgain, [.mailbox], "The job names an endpoint that does not lead to the source tenant.",
                "Correct the name in a new job, or rename the endpoint in the configuration.")
        case .mailboxProbeFailed:
            row(
                .validateAgain, [.mailbox],
                "A mailbox, calendar or address book is not ready on one of the two sides; "
                    + "the reason says which of the many causes it is.", "Do what the message says.")
        case .mailboxRetriesExhausted:
            row(
                .retry, [.mailbox], "The mailbox could not be moved although it was tried many times.",
                "Mend what the message names, then call migrate again.")
        // chats
        case .chatsFailed:
            row(
                .retry, [.chats], "The chats of the user could not be moved.",
                "Read the message and the reason, then call migrate again.")
        case .chatServiceMissing:
            row(.validateAgain, [.chats], "A tenant has no usable chat service.", "Add it to the configuration.")
        case .chatsNotMapped:
            row(
                .validateAgain, [.chats], "The user is not mapped, so the chats have no owner at the target.",
                "Add the user to the identity map.")
        case .chatLicensesUnreadable:
            row(
                .validateAgain, [.chats], "It could not be read who is entitled to chat.",
                "Give Ferry's account the right to read it.")
        case .chatLicenseMissing:
            row(.validateAgain, [.chats], "The user is not entitled to chat in the tenant named.", "Assign the right.")
        case .chatRightsMissing:
            row(
                .validateAgain, [.chats], "Ferry's account has none of the rights it needs at a chat service.",
                "Give it the rights to read history, create rooms and import.")
        case .chatRightsUnreadable:
            row(
                .validateAgain, [.chats], "The rights of Ferry's account cannot be read.",
                "Allow the account to see its own rights.")
        case .chatCredentialsUnreadable:
            row(
                .validateAgain, [.chats], "The credentials of the chat service cannot be checked.",
                "Allow the account to see how it is registered.")
        case .chatMappingDiffers:
            row(
                .validateAgain, [.chats], "The job and the identity map disagree about who the target user is.",
                "Correct the identity map so that exactly one source user leads to the target user.")
        case .chatRightMissing:
            row(
                .validateAgain, [.chats], "Ferry's account lacks one right at a chat service, which is named.",
                "Give it that right.")
        case .chatAuthorizationRefused:
            row(
                .validateAgain, [.chats], "It may not be asked whether the user may move.",
                "Give Ferry's account the right to ask.")
        case .chatAuthorizationUnreadable:
            row(
                .validateAgain, [.chats], "The settings that say who may move cannot be read.",
                "Give Ferry's account the right to read them.")
        case .chatsNotAuthorized:
            row(
                .validateAgain, [.chats], "The source user may not become that target user.",
                "Correct the scope of the trust and the identity map.")
        case .tenantUnknown:
            row(.fix, "No tenant has the id that the job names.", "Create a job with the right id.")
        case .personUnknown:
            row(
                .fix, [.chats, .meetings], "The tenant has no user with the id that the job names.",
                "Add the user, or create a job with the right id.")
        case .chatTenantCheckFailed:
            row(.validateAgain, [.chats], "A tenant's chat service failed a check.", "Do what the message says.")
        case .chatMessagesLost:
            row(
                .retry, [.chats], "The chats are moved, and some messages could not be; their number is given.",
                "A retry is optional; the report lists what is missing.")
        case .chatAddressMissing:
            row(
                .validateAgain, [.chats], "The user has no chat account on one side.",
                "Create it, or correct the login in the list of people.")
        case .chatAddressUnreadable:
            row(
                .validateAgain, [.chats], "It cannot be read whether the user has a chat account.",
                "Give Ferry's account the right to look users up.")
        // meetings
        case .meetingServiceMissingAtSource:
            row(.validateAgain, [.meetings], "The source has no usable calendar service.", "Add or mend it.")
        case .meetingServiceMissingAtTarget:
            row(.validateAgain, [.meetings], "The target has no usable calendar service.", "Add or mend it.")
        case .calendarNotWritable:
            row(
                .validateAgain, [.meetings], "The target calendar cannot be written.",
                "Give Ferry's account the right to write it.")
        case .meetingsAlreadyMoving:
            row(.nothing, [.meetings], "The meetings of the user are being moved already.", "None; that move goes on.")
        case .forwardingOffAtSource:
            row(
                .validateAgain, [.meetings],
                "The source does not forward mail to the outside, so updates would be lost.",
                "Allow forwarding at the source.")
        case .forwardingOffAtTarget:
            row(
                .validateAgain, [.meetings], "The target does not forward mail to the outside.",
                "Allow forwarding at the target.")
        case .mailPlanMissing:
            row(
                .validateAgain, [.meetings], "The user has no mail in the tenant named.",
                "Give the user a mailbox there.")
        case .meetingRightsMissingAtSource:
            row(
                .validateAgain, [.meetings], "Ferry's account may not read the calendars of the source.",
                "Give it that right.")
        case .meetingRightsMissingAtTarget:
            row(
                .validateAgain, [.meetings], "Ferry's account lacks rights at the calendars of the target.",
                "Give it the rights to read and write.")
        case .meetingsPastCutover:
            row(
                .nothing, [.meetings], "The meetings are past the cutover and cannot be cancelled.",
                "None; they finish.")
        case .targetMailboxMissing:
            row(
                .retry, [.meetings], "The user has no mailbox at the target, which meetings need.",
                "Finish the mailbox, then call migrate again.")
        case .meetingAdministrationMissingAtSource:
            row(
                .validateAgain, [.meetings], "Ferry's account may not act for other people at the source.",
                "Give it that right.")
        case .meetingAdministrationMissingAtTarget:
            row(
                .validateAgain, [.meetings], "Ferry's account may not act for other people at the target.",
                "Give it that right.")
        case .meetingChatLicenseMissing:
            row(
                .validateAgain, [.meetings],
                "The user is not entitled to chat in the tenant named, which meetings need.",
                "Assign the right.")
        // files
        case .fileServiceOff:
            row(
                .fix, [.files], "A tenant has no file service, or moving files is switched off.",
                "Add the service to the configuration.")
        case .fileTrustMissing:
            row(
                .validateAgain, [.files], "The tenants have no trust under which files may move.",
                "Add the trust to the configuration.")
        case .fileTrustRoleMissing:
            row(
                .validateAgain, [.files], "The trust does not say which side gives and which receives.",
                "Write the trust from the source to the target.")
        case .fileTrustRoleWrong:
            row(
                .validateAgain, [.files], "The trust has the wrong direction for what was asked.",
                "Write the trust from the source to the target.")
        case .fileStoreUnresolved:
            row(
                .retry, [.files], "The source files of the user could not be reached; the reason is attached.",
                "Mend what the reason names, then try again.")
        case .fileStoreMissing:
            row(.fix, [.files], "The source user has no files.", "Correct the login, or leave the workload out.")
        case .fileStoreNotYetThere:
            row(.retry, [.files], "The place for the user's files is still being made.", "Try again later.")
        case .filesNotMapped:
            row(
                .validateAgain, [.files], "The identity map has no entry for the user.",
                "Add the user to the identity map.")
        case .filesMappedTwice:
            row(.validateAgain, [.files], "The identity map has several entries for the user.", "Leave one of them.")
        case .fileMappingDiffers:
            row(
                .validateAgain, [.files], "The identity map names another target user than the job.",
                "Correct the entry in the identity map.")
        case .fileLicenseMissing:
            row(.validateAgain, [.files], "The user has the right to have files on neither side.", "Assign the right.")
        case .fileTargetNameInvalid:
            row(
                .fix, [.files], "The target user's sign-in name cannot be used.",
                "Correct it in the target's directory.")
        case .fileTargetDomainInUse:
            row(
                .fix, [.files], "The source files already name people with addresses of the target's domain.",
                "Remove those people from the sharing entries named.")
        case .fileTargetPersonUnknown:
            row(
                .fix, [.files], "The target's directory does not have the user.",
                "Add the user, or create a job with the right id.")
        case .fileTargetNotEntitled:
            row(
                .fix, [.files], "The target user has no place for files, or it cannot be written.",
                "Create the place and give Ferry's account the right to write.")
        case .fileMoveNotCreated:
            row(.retry, [.files], "The move of the files could not be started.", "Call migrate again.")
        case .fileMoveFailed:
            row(
                .retry, [.files],
                "The files cannot be moved as they are, or their move failed; the reason is attached.",
                "Mend what the reason names, then call migrate again.")
        case .fileTargetNotEmpty:
            row(
                .fix, [.files], "The target already holds files that Ferry did not put there.",
                "Move them away, or choose another target user.")
        case .fileOwnerDiffers:
            row(.fix, [.files], "The source files belong to somebody else than the user.", "Correct the owner.")
        case .filePathsTooLong:
            row(.fix, [.files], "Some paths are longer than the target allows.", "Shorten the paths named.")
        case .fileTargetHostWrong:
            row(
                .fix, [.files], "The address of the target's file service is wrong.", "Correct it in the configuration."
            )
        case .fileKeyForeign:
            row(
                .support, [.files], "The source files are encrypted with a key that Ferry does not have.",
                "Decrypt them at the source, or leave the workload out.")
        case .filesShareStore:
            row(
                .support, [.files], "Source and target are the same place.",
                "Correct the configuration; nothing has to move.")
        case .fileTargetBlocked:
            row(
                .support, [.files], "The target cannot receive files; the message says why.",
                "Do what the message says.")
        case .filesAlreadyMoving:
            row(
                .nothing, [.files], "The files of the source user are being moved already, or were moved.",
                "None; look at the job that did it.")
        case .fileVersionsDiffer:
            row(
                .retry, [.files], "The two sides speak versions that do not fit.",
                "Update the older side, then try again.")
        // identity map
        case .mapTargetMissing:
            row(
                .fix, "The target user of a pair was not found while the identity map was written or checked.",
                "Create the target user.")
        case .mapNotCompleted:
            row(.retry, "A pair could not be marked as completed.", "Make the identity map again.")
        case .mapArchiveDiffers:
            row(
                .fix, "The target names another archive than the source has.", "Correct the archive's id at the target."
            )
        case .mapMailboxDiffers:
            row(
                .fix, "The target names another mailbox than the source has.", "Correct the mailbox's id at the target."
            )
        case .mapAddressesMissing:
            row(.fix, "A synchronized user lacks the addresses that replies to old mail need.", "Add the addresses.")
        case .mapAddressMissing:
            row(.fix, "The target lacks an address that it must have.", "Add the address that the message names.")
        case .mapForeignAddresses:
            row(.fix, "The target has addresses of domains that its tenant does not own.", "Remove them.")
        case .mapTargetNotUpdated:
            row(.retry, "The target user could not be changed; the reason is attached.", "Mend the reason, try again.")
        case .mapNotWritten:
            row(.retry, "Some pairs are not written yet.", "Write the identity map again.")
        case .mapTargetElsewhere:
            row(.fix, "The target user is managed somewhere else and cannot be changed here.", "Change it there.")
        case .mapRecordOrphaned:
            row(.fix, "A record of the identity map names nobody.", "Remove or correct the record.")
        case .mapRecordDiffers:
            row(.fix, "A record of the identity map names another mailbox than the user has.", "Correct the record.")
        case .mapNotMapped:
            row(.retry, "Some people are not mapped yet.", "Map them, then go on.")
        case .mapPersonUnknown:
            row(.fix, "The directory has no target user as the map names it.", "Correct the map or create the user.")
        case .mapRecordNotSaved:
            row(.retry, "A record of the identity map could not be saved.", "Make the identity map again.")
        case .mapAddressUnknown:
            row(
                .fix, "No target user has the address of the source user.",
                "Give the target user that address, or map by hand.")
        case .mapNotDelivered:
            row(.retry, "The identity map did not reach the file service.", "Make the identity map again.")
        case .mapSkipped:
            row(.nothing, "The pair was there before and was not to be overwritten.", "None.")
        }
    }

    private func row(_ retryClass: RetryClass, _ meaning: String, _ remedy: String) -> CatalogueEntry {
        row(retryClass, Rule.everyWorkload, meaning, remedy)
    }

    private func row(
        _ retryClass: RetryClass, _ services: [Workload], _ meaning: String, _ remedy: String
    ) -> CatalogueEntry {
        CatalogueEntry(code: rawValue, retryClass: retryClass, meaning: meaning, remedy: remedy, services: services)
    }
}

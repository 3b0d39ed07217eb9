extension ErrorCode {
    /// Meaning, remedy and retry class. What Ferry itself does first (trying again, going on with the next item) is told
    /// by the error's disposition; the class says what a person does after that.
    package var entry: CatalogueEntry {
        switch self {
        case .sourceUnreachable:
            row(.retry, "The source did not answer, or the connection broke.", "Check that it runs and can be reached.")
        case .sourceAuthRejected:
            row(.fix, "The source refused the login.", "Correct user and password, or the way of logging in.")
        case .sourceForbidden:
            row(.fix, "The account Ferry uses may not do that at the source.", "Give it the right that is named.")
        case .sourceThrottled:
            row(
                .retry, "The source asked for fewer requests.",
                "None; Ferry slows down. Raise the limit there if it lasts.")
        case .sourceNotFound:
            row(.fix, "The source has no such account or container.", "Correct the login in the list of people.")
        case .sourceNameUnusable:
            row(
                .fix, "A name at the source cannot be represented or leads out of the account.",
                "Rename it at the source.")
        case .sourceItemVanished:
            row(.nothing, "An item disappeared between listing and reading.", "None; its owner deleted or moved it.")
        case .sourceItemUnreadable:
            row(
                .fix, "The source listed an item and could not hand it out.", "Repair or delete the item at the source."
            )
        case .sourceItemMalformed:
            row(
                .fix, "An item is damaged: it is not what its kind must be.", "Repair or delete the item at the source."
            )
        case .sourceItemUnsupported:
            row(.nothing, "An item is of a kind that is not moved.", "None; it stays at the source.")
        case .sourceItemLate:
            row(
                .nothing, "An item came to the source after the last delta of the cutover, and was carried over.",
                "None; it is at the target.")
        case .sourceFreezeOverrun:
            row(
                .retry, "The last delta took longer than the source may be frozen, so the source was thawed.",
                "None; it is tried again. If it repeats, raise settings.freezeBudget or choose a quieter time.")
        case .sourceChangedIdentity:
            row(
                .retry, "A container at the source is no longer the one that was listed before.",
                "None; Ferry lists it anew. If it repeats, look for a restore or a second server.")
        case .sourceReplaced:
            row(
                .fix, "The source mailbox is not the one that was recorded for the person.",
                "Correct the login. If it is the right mailbox all the same: ferry map complete --overwrite.")
        case .targetUnreachable:
            row(.retry, "The target did not answer, or the connection broke.", "Check that it runs and can be reached.")
        case .targetAuthRejected:
            row(.fix, "The target refused the login.", "Correct user and password, or the way of logging in.")
        case .targetForbidden:
            row(.fix, "The account Ferry uses may not do that at the target.", "Give it the right that is named.")
        case .targetThrottled:
            row(
                .retry, "The target asked for fewer requests.",
                "None; Ferry slows down. Raise the limit there if it lasts.")
        case .targetFull:
            row(.fix, "The target has no more room.", "Raise the quota or the disk, then call migrate again.")
        case .targetNameRefused:
            row(.fix, "The target does not accept a name.", "Rename the item at the source.")
        case .targetItemRefused:
            row(
                .fix, "The target does not accept an item.", "Read the target's answer in the message; repair the item."
            )
        case .targetItemTooLarge:
            row(
                .fix, "An item is larger than the target accepts.",
                "Raise the target's limit, or move the item by hand.")
        case .targetConflict:
            row(.fix, "Something else is already at the place an item must go to.", "Move it away at the target.")
        case .targetIncomplete:
            row(
                .fix, "So many items cannot be moved that the target would be incomplete.",
                "Mend the items that the report lists as skipped, or set settings.holdsSkippedItems to false.")
        case .verifyMissing:
            row(.retry, "The verifier found an item at the source that the target lacks.", "Call migrate again.")
        case .verifyUnexpected:
            row(
                .nothing, "The verifier found an item at the target that the source does not have.",
                "Look whether somebody put it there; Ferry deletes nothing it did not write.")
        case .verifyDiffers:
            row(
                .retry, "The verifier found an item whose content or dates differ on the two sides.",
                "Look whether somebody changed it at the target; else call migrate again.")
        case .internalFault:
            row(.support, "Ferry broke one of its own rules.", "Report it with the log around that time.")
        case .cancelled:
            row(.nothing, "The work was told to stop.", "None.")
        }
    }

    private func row(_ retryClass: RetryClass, _ meaning: String, _ remedy: String) -> CatalogueEntry {
        CatalogueEntry(code: rawValue, retryClass: retryClass, meaning: meaning, remedy: remedy)
    }
}

extension FieldProblem.Code {
    /// What is wrong with the body of a request (422 `BadArgument`).
    package var entry: CatalogueEntry {
        switch self {
        case .duplicateDisplayNameJob:
            row("A job of this tenant that is not deleted has the name already.", "Choose another name.")
        case .minThresholdFailed: row("The date is not in the future.", "Give a later date.")
        case .required: row("A member that must be there is missing or empty.", "Add it.")
        case .invalidValue: row("A member has a value that cannot be.", "Correct it; the message says how.")
        case .readOnlyProperty: row("The request sets a property that only the server sets.", "Leave it out.")
        case .tooManyResources: row("The job names more users than one job may.", "Split the users over several jobs.")
        case .duplicateResource: row("The job names a user more than once.", "Remove the repetitions.")
        case .clientRequestIdReused:
            row(
                "The client-request-id came with another body before, and that job was created.",
                "Send a new id with a new job, the same body with the same id.")
        }
    }

    private func row(_ meaning: String, _ remedy: String) -> CatalogueEntry {
        CatalogueEntry(code: rawValue, retryClass: .fix, meaning: meaning, remedy: remedy)
    }
}

extension ConflictReason {
    /// Why the state of a job does not allow a request (409 `Conflict`).
    package var entry: CatalogueEntry {
        switch self {
        case .resourceTypeMismatch:
            row(
                .fix, "The job is not final, so it cannot be deleted.",
                "Cancel it or wait for its end, then delete again.")
        case .invalidJobStatus:
            row(.fix, "The job's status does not allow the request.", "Wait, or do first what the message names.")
        case .validationExpired:
            row(.validateAgain, "The last successful validation is too old.", "Call validate, then migrate.")
        case .cancelNotPossible:
            row(
                .nothing, "It is too late to cancel, or there is nothing left to cancel.",
                "None; the migration goes on.")
        case .mappingExists:
            row(
                .fix, "The person is mapped to somebody else already.",
                "Leave it, or send the request again with overwrite.")
        case .personIsMoving:
            row(
                .fix, "A job is moving the person, so the mapping cannot be changed.",
                "Wait for the job's end, or cancel the person there.")
        }
    }

    private func row(_ retryClass: RetryClass, _ meaning: String, _ remedy: String) -> CatalogueEntry {
        CatalogueEntry(code: rawValue, retryClass: retryClass, meaning: meaning, remedy: remedy)
    }
}

/// The text of `docs/errors.md`, so that the documentation cannot differ from the program.
package enum ErrorCatalogue {
    package static var markdown: String {
        var text = """
            # Errors

            Every code that Ferry can report, what it means and what to do. This file is made from the program
            (`ErrorCatalogue`); a test fails when it differs. Clients branch on codes, never on messages.

            Whether to try again: **fix, then retry** (mend the cause, call migrate again) · **fix, then validate** (mend
            the cause, call validate again) · **retry** (call migrate again) · **nothing to do** · **cannot be retried**.


            """
        text += section(
            "Answers to requests: `BadArgument`",
            "422. The code below is in `details[].code`, the member in `details[].target`; all problems come at once.",
            FieldProblem.Code.allCases.map(\.entry))
        text += section(
            "Answers to requests: `Conflict`", "409. The code below is in `details[].code`.",
            ConflictReason.allCases.map(\.entry))
        let findings = FindingCode.allCases.map(\.entry)
        text += section(
            "A person's workload",
            "In `errors[].code` of a service. The codes are Microsoft's, except for IDM, whose numbers are ours.",
            findings,
            showsServices: true)
        text += section(
            "Reasons behind a code",
            "In `innerError.code` of a service's error; says which of the causes of an umbrella code it is. A run that "
                + "failed while it moved carries a code of the last section there.",
            FindingReason.allCases.map { reason in
                var entry = reason.entry
                if let name = reason.exceptionName { entry.meaning += " (`\(name)`)" }
                return entry
            })
        text += section(
            "Peers and items",
            "In the report, in per-item findings and as the reason of a failed run. The first word says which side it is.",
            ErrorCode.allCases.map(\.entry))
        // One line break at the end of the file.
        return String(text.dropLast())
    }

    private static func section(
        _ title: String, _ introduction: String, _ entries: [CatalogueEntry], showsServices: Bool = false
    ) -> String {
        var text = "## \(title)\n\n\(introduction)\n\n"
        text +=
            showsServices
            ? "| code | services | meaning | what to do | again? |\n" : "| code | meaning | what to do | again? |\n"
        text += showsServices ? "| --- | --- | --- | --- | --- |\n" : "| --- | --- | --- | --- |\n"
        for entry in entries {
            let services =
                entry.services.count == Workload.allCases.count
                ? "all" : entry.services.map(\.serviceName).joined(separator: ", ")
            let column = showsServices ? " \(services) |" : ""
            text += "| `\(entry.code)` |\(column) \(entry.meaning) | \(entry.remedy) | \(entry.retryClass.text) |\n"
        }
        return text + "\n"
    }
}

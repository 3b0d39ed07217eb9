import FerryCore
import Foundation
import Testing

/// Every code of the reference is there, and every code says something.
struct CatalogueTests {
    /// Orchestration 8.2 to 8.7 and the table of the wire contract, literally.
    private static let documented = """
        IM-003 MIGR-001 MIGR-002 MIGR-003 MIGR-004 CTM-001 CTM-002 CTM-100 CTM-101 CTM-102 CTM-103 CTM-104
        EXCH-07 EXCH-08 EXCH-15
        CTTM-001 CTTM-002 CTTM-003 CTTM-004 CTTM-005 CTTM-006 CTTM-007 CTTM-008 CTTM-009 CTTM-010 CTTM-011 CTTM-012
        CTTM-013 CTTM-014 CTTM-015 CTTM-016 CTTM-017 CTTM-018 CTTM-019
        MMS-001 MMS-002 MMS-003 MMS-004 MMS-005 MMS-006 MMS-007 MMS-008 MMS-009 MMS-010 MMS-011 MMS-012 MMS-013 TMS-003
        FeatureIsNotEnabled MnATrustNoSetupForPartner MnAReverseTrustNeedsRequiredPartnerRole MnATrustWrongCmdletUsage
        MnAOdbFailedToGetUrlForSourceUPN MnAOdbForSourceUPNDoesNotExist MnAOdbForSourceUPNDoesNotExistYet
        MnAIdentityMapEntryDoesNotExistsForSourceUPN MnAIdentityMapEntryTooManyForSourceUPN
        MnAIdentityMapEntryDoesNotMatchRequest MnAOdbUsersAreNotLicensed MnATargetUpnIsInvalid
        MnATargetDomainIsAlreadyInSourceSiteUsers MnATargetUserDoesNotExist MnATargetUserIsNotSpoEnabled
        MnAMoveJobWasNotCreated MnAMoveJobCreationFailed MnASiteMoveTargetUrlHasWriteConflict MnAOdbOwnerUrlMismatch
        MnATargetUrlNotValidForRename MnAFatalErrorAdminSiteCouldNotBeUsedAsMySiteHost MnABYOKEnabledOnSourceTenant
        MnAPartnersOnTheSameFarm MnATargetSideEnvironmentHasConditionsThatBlockTheMove MnASiteMoveIsInprogressOrFinished
        MnAPartnersFarmsAreIncompatible
        IDM-01 IDM-02 IDM-03 IDM-04 IDM-05 IDM-06 IDM-07 IDM-08 IDM-09 IDM-10 IDM-11 IDM-12 IDM-13 IDM-14 IDM-15 IDM-16
        IDM-17 IDM-18
        """

    @Test func `every documented code exists, and no other`() {
        let codes = Self.documented.split(whereSeparator: \.isWhitespace).map(String.init)
        #expect(Set(codes) == Set(FindingCode.allCases.map(\.rawValue)))
        #expect(codes.count == FindingCode.allCases.count)
    }

    @Test func `every exception of the mailbox documentation has a reason`() {
        let documented: Set<String> = [
            "MailboxNotInCrossTenantMigrationScopeException", "CrossTenantMigrationWithoutLicensePermanentException",
            "MissingExchangeGuidException", "NotAcceptedDomainException", "UserDuplicateInOtherBatchException",
            "SourceMailboxAlreadyBeingMovedPermanentException", "AuxArchiveNotFoundInTargetRecipientException",
            "SourceAuxArchiveIsProvisionedDuringCrossTenantMovePermanentException",
            "UserAlreadyHasDemotedArchiveException",
            "MailboxIsNotInExpectedDBException", "MigrationRecipientNotFoundException",
        ]
        #expect(Set(FindingReason.allCases.compactMap(\.exceptionName)) == documented)
    }

    @Test func `every code of a request exists`() {
        #expect(
            Set(FieldProblem.Code.allCases.map(\.rawValue)) == [
                "duplicateDisplayNameJob", "minThresholdFailed", "required", "invalidValue", "readOnlyProperty",
                "tooManyResources", "duplicateResource", "clientRequestIdReused",
            ])
        #expect(
            Set(ConflictReason.allCases.map(\.rawValue)) == [
                "resourceTypeMismatch", "invalidJobStatus", "validationExpired", "cancelNotPossible", "mappingExists",
                "personIsMoving",
            ])
    }

    @Test func `every code says what it means and what to do`() {
        var entries = FindingCode.allCases.map(\.entry) + ErrorCode.allCases.map(\.entry)
        entries += FieldProblem.Code.allCases.map(\.entry) + ConflictReason.allCases.map(\.entry)
        entries += FindingReason.allCases.map(\.entry)
        for entry in entries {
            #expect(entry.meaning.count > 15 && entry.meaning.hasSuffix("."), "\(entry.code)")
            #expect(!entry.remedy.isEmpty && entry.remedy.hasSuffix("."), "\(entry.code)")
            #expect(
                !entry.services.isEmpty && !entry.meaning.contains("|") && !entry.remedy.contains("|"), "\(entry.code)")
            // "None." is an answer only where there is nothing to do or Ferry does it by itself.
            if entry.remedy == "None." { #expect(entry.retryClass == .nothing, "\(entry.code)") }
        }
        #expect(FindingCode.allCases.allSatisfy { $0.entry.code == $0.rawValue })
        #expect(ErrorCode.allCases.allSatisfy { $0.entry.code == $0.rawValue })
    }

    @Test func `documented retry classes are kept`() {
        #expect(
            FindingCode.moveFailed.entry.retryClass == .retry && FindingCode.inOtherJob.entry.retryClass == .nothing)
        #expect(FindingCode.targetMailboxMissing.entry.retryClass == .retry)
        #expect(FindingCode.mailboxProbeFailed.entry.retryClass == .validateAgain)
        #expect(FindingCode.fileKeyForeign.entry.retryClass == .support)
        #expect(FindingCode.tenantUnknown.entry.retryClass == .fix)
    }

    /// FERRY_WRITE_DOCS=1 writes the file instead of comparing it.
    @Test func `docs errors md is what the program says`() throws {
        let file = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/errors.md")
        if ProcessInfo.processInfo.environment["FERRY_WRITE_DOCS"] == "1" {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(ErrorCatalogue.markdown.utf8).write(to: file)
        }
        let written = try String(contentsOf: file, encoding: .utf8)
        #expect(
            written == ErrorCatalogue.markdown,
            "docs/errors.md is out of date; run FERRY_WRITE_DOCS=1 swift test --filter CatalogueTests")
    }
}

/// Everything that the rules want to know of one person in one job. Gathered by the engine, judged by `ValidationRules`.
///
/// Facts only: what the directory says, what the probes saw, what the store knows. What could not be found out is `nil`.
package struct PersonFacts: Sendable, Hashable {
    /// The target person as the job names it.
    package var person: PersonID
    /// `nil` when no such tenant is configured.
    package var sourceTenant: Tenant?
    package var targetTenant: Tenant
    /// The trust from source to target; `nil` when there is none.
    package var trust: Trust?
    /// Without one: whether there is one from target to source.
    package var hasOppositeTrust = false
    /// All source people that the identity map names for the person.
    package var mappedSources: [PersonID]
    /// How far the mapping is, if exactly one source person is mapped.
    package var mapState: MapState
    /// Where nobody is mapped to the person: the source person with the person's address, and who it is mapped to instead.
    package var mappedElsewhere: MappedElsewhere?
    /// What was recorded of the source mailbox, and what it is now; `nil` when nothing was recorded.
    package var mailbox: MailboxIdentityFacts?
    /// The mapped source person, if exactly one is mapped and the source's directory knows it.
    package var source: Person?
    /// The target person, if the target's directory knows it.
    package var target: Person?
    /// The job's settings for mailboxes.
    package var exchange: ExchangeSettings?
    /// Names of other active jobs with the person.
    package var otherJobs: [String]
    /// What is known of the services that the selected workloads use; empty while the source person is unknown.
    package var services: [ServiceKind: ServiceFacts]
    /// What the last dry run of this job saw, as far as one was made.
    package var forecasts: [Workload: Forecast]
    package var policy: ValidationPolicy
    /// Why the facts are not complete, if they are not.
    package var gap: Gap?

    /// Why a person could not be looked at (check U-25).
    package enum Gap: Sendable, Hashable {
        /// An endpoint or Ferry itself has too much to do; the text says which.
        case busy(String)
        /// Something broke that nobody foresaw.
        case fault(String)
    }

    package init(
        person: PersonID, sourceTenant: Tenant?, targetTenant: Tenant, trust: Trust?, mappedSources: [PersonID],
        source: Person?, target: Person?, exchange: ExchangeSettings?, otherJobs: [String] = [],
        services: [ServiceKind: ServiceFacts] = [:], forecasts: [Workload: Forecast] = [:],
        policy: ValidationPolicy = ValidationPolicy(), gap: Gap? = nil, mapState: MapState = .completed,
        mappedElsewhere: MappedElsewhere? = nil, mailbox: MailboxIdentityFacts? = nil
    ) {
        self.person = person
        self.sourceTenant = sourceTenant
        self.targetTenant = targetTenant
        self.trust = trust
        self.mappedSources = mappedSources
        self.source = source
        self.target = target
        self.exchange = exchange
        self.otherJobs = otherJobs
        self.services = services
        self.forecasts = forecasts
        self.policy = policy
        self.gap = gap
        self.mapState = mapState
        self.mappedElsewhere = mappedElsewhere
        self.mailbox = mailbox
    }

    /// A source person and the target person they are mapped to, by sign-in name.
    package struct MappedElsewhere: Sendable, Hashable {
        package var source: String
        package var target: String

        package init(source: String, target: String) {
            self.source = source
            self.target = target
        }
    }
}

/// Which mailbox a source person had when the mapping was made, and which one they have now (9.1, "ExchangeGuid").
package struct MailboxIdentityFacts: Sendable, Hashable {
    package var recorded: String
    /// `nil`: the mailbox has no identity any more.
    package var found: String?

    package init(recorded: String, found: String?) {
        self.recorded = recorded
        self.found = found
    }

    /// That the two differ, and what to do, in words that hold wherever it shows.
    package func difference(of name: String) -> String {
        "The source mailbox of \(name) is not the one that was recorded for the mapping: it was '\(recorded)' and is "
            + "\(found.map { "'\($0)'" } ?? "gone"). Nothing was touched. Correct the login, or bring the mailbox back; if it "
            + "is the right one all the same, run ferry map complete --overwrite for this user."
    }
}

/// What an operator has decided about checks.
package struct ValidationPolicy: Sendable, Hashable {
    /// Nobody moves whose source cannot leave word of the new address.
    package var requiresRedirect: Bool
    /// Whoever would lose too much fails at the cutover (`JobSettings.holdsSkippedItems`), so there is no use in beginning.
    package var holdsSkippedItems: Bool

    package init(requiresRedirect: Bool = false, holdsSkippedItems: Bool = true) {
        self.requiresRedirect = requiresRedirect
        self.holdsSkippedItems = holdsSkippedItems
    }
}

/// What is known of one kind of store of a person, on both sides.
package struct ServiceFacts: Sendable, Hashable {
    package var source: SideFacts
    package var target: SideFacts
    /// Source and target are the same account of the same server or folder.
    package var isSameStore: Bool
    /// The ledger has entries for this route: what lies at the target was put there by an earlier attempt.
    package var isContinued: Bool

    package init(source: SideFacts, target: SideFacts, isSameStore: Bool = false, isContinued: Bool = false) {
        self.source = source
        self.target = target
        self.isSameStore = isSameStore
        self.isContinued = isContinued
    }
}

/// One side of a service.
package enum SideFacts: Sendable, Hashable {
    /// The tenant has no such service, so there was nothing to look at. `Tenant.services` says the same.
    case notConfigured
    /// The service did not answer or did not let us in; the text says what was tried.
    case unreachable(String)
    case seen(AccountSight)

    /// What the probe saw, if it could look.
    package var sight: AccountSight? {
        if case .seen(let sight) = self { sight } else { nil }
    }
}

/// What a probe saw of an account.
package struct AccountSight: Sendable, Hashable {
    package var exists: Bool
    package var isReadable: Bool
    /// Also true of an account that is not there and may be created.
    package var isWritable: Bool
    /// The account holds no item.
    package var isEmpty: Bool
    /// What was wrong, in words; empty when all is well.
    package var remark: String
    /// Content bytes where the service can tell cheaply.
    package var bytes: Int64?
    /// Free room in bytes where the service says it.
    package var roomBytes: Int64?
    /// A move has left its mark here: the account is frozen, or says where its owner has gone.
    package var isMarked: Bool
    /// Whether word of a new address can be left here; `nil` where that shows only when it is tried.
    package var canRedirect: Bool?

    package init(
        exists: Bool, isReadable: Bool, isWritable: Bool, isEmpty: Bool, remark: String = "", bytes: Int64? = nil,
        roomBytes: Int64? = nil, isMarked: Bool = false, canRedirect: Bool? = nil
    ) {
        self.exists = exists
        self.isReadable = isReadable
        self.isWritable = isWritable
        self.isEmpty = isEmpty
        self.remark = remark
        self.bytes = bytes
        self.roomBytes = roomBytes
        self.isMarked = isMarked
        self.canRedirect = canRedirect
    }
}
